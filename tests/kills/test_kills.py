"""Nothing a client was told about is lost, wherever the server dies."""

from __future__ import annotations

import pytest

from tests.kills.killing import KINDS, killing

KILLS = 10
SEED = 20_261_124


@pytest.mark.long
def test_what_was_acknowledged_survives_ten_kills(tmp_path) -> None:
    with killing(tmp_path, SEED) as killer:
        kills = [killer.kill_during(KINDS[i % len(KINDS)]) for i in range(KILLS)]

        assert killer.compare_all() > 0
    assert sum(kill.was_under_way for kill in kills) * 2 >= KILLS, kills
    assert sum(kill.answered for kill in kills) >= 1, kills
