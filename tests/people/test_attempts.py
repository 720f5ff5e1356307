"""Limits on guessing passwords."""

from __future__ import annotations

import threading

import pytest

from jishi.people import attempts as module
from jishi.people.attempts import (
    ADDRESS_TRIES_MAX,
    NAME_TRIES_MAX,
    WINDOW_SECONDS,
    Attempts,
    TooManyAttempts,
)
from tests.people.folk import Ticker


def fail(attempts: Attempts, name: str, address: str, times: int) -> None:
    for _ in range(times):
        attempts.begin(name, address)


def test_a_name_has_so_many_tries_wherever_they_come_from() -> None:
    attempts = Attempts(Ticker())
    for i in range(NAME_TRIES_MAX):
        attempts.begin("mei", f"10.0.0.{i}")

    with pytest.raises(TooManyAttempts) as told:
        attempts.begin("MEI", "10.0.9.9")
    assert told.value.facts == {"minutes": 15}
    attempts.begin("ann", "10.0.9.9")


def test_an_address_has_so_many_tries_whatever_the_name() -> None:
    attempts = Attempts(Ticker())
    for i in range(ADDRESS_TRIES_MAX):
        attempts.begin(f"name-{i}", "10.0.0.1")

    with pytest.raises(TooManyAttempts):
        attempts.begin("another", "10.0.0.1")
    attempts.begin("another", "10.0.0.2")


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    attempts = Attempts(Ticker())
    for i in range(ADDRESS_TRIES_MAX):
        attempts.begin(f"name-{i}", f"2001:db8::{i:x}")

    with pytest.raises(TooManyAttempts):
        attempts.begin("another", "2001:db8::ffff")
    attempts.begin("another", "2001:db8:0:1::1")


def test_success_takes_its_try_back() -> None:
    attempts = Attempts(Ticker())
    for _ in range(10 * ADDRESS_TRIES_MAX):
        attempts.begin("mei", "10.0.0.1")
        attempts.succeed("mei", "10.0.0.1")


def test_success_of_one_does_not_pardon_the_others_of_the_address() -> None:
    attempts = Attempts(Ticker())
    for i in range(ADDRESS_TRIES_MAX - 1):
        attempts.begin(f"name-{i}", "10.0.0.1")
    attempts.begin("mei", "10.0.0.1")
    attempts.succeed("mei", "10.0.0.1")
    attempts.begin("another", "10.0.0.1")

    with pytest.raises(TooManyAttempts):
        attempts.begin("one-more", "10.0.0.1")


def test_the_window_ends() -> None:
    ticker = Ticker()
    attempts = Attempts(ticker)
    fail(attempts, "mei", "10.0.0.1", NAME_TRIES_MAX)
    ticker.seconds += WINDOW_SECONDS - 1
    with pytest.raises(TooManyAttempts):
        attempts.begin("mei", "10.0.0.1")
    ticker.seconds += 1

    attempts.begin("mei", "10.0.0.1")


def kept(attempts: Attempts) -> tuple[int, int]:
    """Return how many names and addresses are remembered: nothing else shows it."""
    return len(attempts._names), len(attempts._addresses)  # noqa: SLF001


def test_memory_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 100)
    attempts = Attempts(Ticker())

    for i in range(1000):
        attempts.begin(f"name-{i}" + "x" * 1000, f"{i}")

        assert max(kept(attempts)) <= 100


def test_tries_that_are_refused_leave_nothing_behind() -> None:
    attempts = Attempts(Ticker())
    fail(attempts, "mei", "10.0.0.1", NAME_TRIES_MAX)
    for i in range(ADDRESS_TRIES_MAX - NAME_TRIES_MAX):
        attempts.begin(f"name-{i}", "10.0.0.1")
    before = kept(attempts)

    for i in range(100):
        with pytest.raises(TooManyAttempts):
            attempts.begin(f"made-up-{i}", "10.0.0.1")
        with pytest.raises(TooManyAttempts):
            attempts.begin("mei", f"10.0.1.{i}")

    assert kept(attempts) == before


def test_made_up_names_do_not_pardon_one(monkeypatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 100)
    attempts = Attempts(Ticker())
    fail(attempts, "mei", "10.0.0.1", NAME_TRIES_MAX)

    for i in range(1000):
        fail(attempts, f"name-{i}", f"{i}", 2)

    with pytest.raises(TooManyAttempts):
        attempts.begin("mei", "10.0.0.2")


def test_where_every_window_is_full_others_wait(monkeypatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 10)
    ticker = Ticker()
    attempts = Attempts(ticker)
    for i in range(10):
        fail(attempts, f"name-{i}", f"{i // 4}", NAME_TRIES_MAX)
        ticker.seconds += 60

    with pytest.raises(TooManyAttempts) as told:
        attempts.begin("mei", "10.0.0.1")
    assert told.value.facts == {"minutes": 5}
    ticker.seconds += 300
    attempts.begin("mei", "10.0.0.1")


def test_who_is_known_shares_no_address() -> None:
    attempts = Attempts(Ticker())
    for i in range(2 * ADDRESS_TRIES_MAX):
        attempts.begin(f"name-{i}", "")
        attempts.succeed(f"name-{i}", "")


def test_many_at_once_gain_nothing() -> None:
    attempts = Attempts(Ticker())
    start = threading.Barrier(30)
    passed = []

    def guess() -> None:
        start.wait()
        try:
            attempts.begin("mei", "10.0.0.1")
        except TooManyAttempts:
            return
        passed.append(1)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == NAME_TRIES_MAX
