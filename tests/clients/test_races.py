"""Two clients, one branch: nothing is lost, and who comes too late is told."""

from __future__ import annotations

import hashlib
import json

from tests.clients.clients import ANSWER, Client

COMMITS = 25


def test_two_clients_lose_nothing_on_one_branch(newest: Client, mei: Client, repo: str) -> None:
    shared = repo.replace("lin/", "weavers/")
    newest.call("create", repo=shared)
    newest.home.mkdir(exist_ok=True)

    both = [newest.begin("race", repo=shared, name=name, count=COMMITS) for name in ("a", "b")]
    outs = [process.communicate(timeout=200)[0] for process in both]

    refused = [
        json.loads(line.removeprefix(ANSWER))["value"]
        for out in outs
        for line in out.splitlines()
        if line.startswith(ANSWER)
    ]
    assert len(refused) == 2
    assert {status for each in refused for status in each} <= {409}
    got = mei.call("snapshot", repo=shared)
    del got[".gitattributes"]
    assert len(got) == 2 * COMMITS - sum(len(each) for each in refused)
    sent = {
        f"{name}/{number}.txt": f"{name} {number}\n" for name in "ab" for number in range(COMMITS)
    }
    assert got == {path: hashlib.sha256(sent[path].encode()).hexdigest() for path in got}
    titles = newest.call("commits", repo=shared)
    assert sorted(titles) == sorted([*(sent[path].strip() for path in got), "initial commit"])


def test_of_two_commits_on_the_same_parent_exactly_one_lands(newest: Client, repo: str) -> None:
    newest.call("create", repo=repo)
    head = newest.call("info", repo=repo)["sha"]

    both = [
        newest.begin("commit_texts", repo=repo, texts={f"{name}.txt": name}, parent_commit=head)
        for name in ("a", "b")
    ]
    outs = [process.communicate(timeout=100)[0] for process in both]

    answers = [json.loads(out.splitlines()[-1].removeprefix(ANSWER)) for out in outs]
    refused = [answer["text"] for answer in answers if "refused" in answer]
    assert len(refused) == 1
    assert "412" in refused[0]
    assert "The branch was updated since you opened this page" in refused[0]
    assert len(newest.call("files", repo=repo)) == 2
