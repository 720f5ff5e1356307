"""Commits: what is asked for lands whole, in order, or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from jishi import hub
from jishi.core.db import Mode
from jishi.hub import Draft, EntryMissing, Node, RepoKind, content, files, flows
from jishi.hub.assembly import assemble
from jishi.hub.commits import (
    BranchBusy,
    BranchMoved,
    CommitDraft,
    Committed,
    Copy,
    DeletesNothing,
    PathConflict,
    PutFile,
    PutLarge,
    Remove,
    RevisionMissing,
)
from jishi.people import Actor, Denied, ReadOnlyToken, SignInNeeded

MODEL = RepoKind.MODEL


def run(coroutine):
    return asyncio.run(coroutine)


def make(node: Node, actor: Actor, name: str = "a", **more):
    return run(hub.create(node, actor, Draft(MODEL, actor.name, name, **more)))


def commit(node: Node, actor: Actor, *changes, path: str = "lin/a", rev: str = "main", **more):
    draft = CommitDraft(more.pop("summary", "Change"), changes=changes, **more)
    return run(hub.commit(node, actor, MODEL, path, rev, draft))


def paths(node: Node, actor: Actor, rev: str = "main", path: str = "lin/a") -> list[str]:
    async def look():
        place = await files.find_place(node, actor, MODEL, path, rev)
        return await files.list_folder(node, place, "", recursive=True)

    return [entry.path for entry in run(look()).items]


def read(node: Node, actor: Actor, name: str, rev: str = "main") -> bytes:
    async def look():
        located = await files.locate(node, actor, MODEL, "lin/a", rev, name)
        return await files.open_pointer(node, located)

    return run(look()).source.data


def test_readers_of_a_file_in_git_share_its_bytes_and_nobody_keeps_them(
    node: Node, lin: Actor
) -> None:
    make(node, lin)
    commit(node, lin, PutFile("large.txt", b"x" * 1_000_000))

    async def both():
        located = await files.locate(node, lin, MODEL, "lin/a", "main", "large.txt")
        return [await files.open_located(node, located) for _ in range(2)]

    first, second = run(both())
    assert first.source is second.source
    assert len(node.sending) == 1
    del first, second
    assert not node.sending


def test_a_new_repository_has_its_first_commit(node: Node, lin: Actor) -> None:
    repo = make(node, lin)

    assert repo.commits == 1
    assert paths(node, lin) == [".gitattributes"]
    assert b"*.safetensors filter=lfs" in read(node, lin, ".gitattributes")


def test_files_come_back_as_they_were_put(node: Node, lin: Actor) -> None:
    make(node, lin)
    data = {"README.md": b"# Hi\n", "模型/说明 1.txt": "中".encode(), "a/b/c": b"", "z": b"\0" * 9}

    commit(node, lin, *(PutFile(path, value) for path, value in data.items()))

    assert {path: read(node, lin, path) for path in data} == data
    assert paths(node, lin) == sorted(
        [".gitattributes", "README.md", "a", "a/b", "a/b/c", "z", "模型", "模型/说明 1.txt"],
        key=lambda p: (p + "/" if p in {"a", "a/b", "模型"} else p).encode(),
    )


def test_history_and_old_revisions_stay_readable(node: Node, lin: Actor) -> None:
    make(node, lin)
    first = commit(node, lin, PutFile("x", b"1"), summary="One", description="More words")
    second = commit(node, lin, PutFile("x", b"2"), Remove(".gitattributes"), summary="Two")

    async def look():
        place = await files.find_place(node, lin, MODEL, "lin/a", "main")
        return await files.list_commits(node, place, limit=2)

    page = run(look())
    assert [c.title for c in page.items] == ["Two", "One"]
    assert page.end == first.oid
    assert read(node, lin, "x", first.oid) == b"1"
    assert read(node, lin, "x", second.oid[:8]) == b"2"
    assert paths(node, lin, first.oid) == [".gitattributes", "x"]
    assert paths(node, lin) == ["x"]


def test_changes_apply_in_their_order(node: Node, lin: Actor) -> None:
    make(node, lin)
    commit(node, lin, PutFile("d/a", b"a"), PutFile("d/b", b"b"), PutFile("keep", b"k"))

    commit(
        node,
        lin,
        Remove("d"),
        PutFile("d/c", b"c"),
        Copy("copied", "keep"),
        PutFile("gone", b"g"),
        Remove("gone"),
    )

    assert paths(node, lin) == [".gitattributes", "copied", "d", "d/c", "keep"]
    assert read(node, lin, "copied") == b"k"


def test_a_file_may_become_a_folder_and_back(node: Node, lin: Actor) -> None:
    make(node, lin)
    commit(node, lin, PutFile("x", b"1"))
    commit(node, lin, Remove("x"), PutFile("x/y", b"2"))
    assert paths(node, lin) == [".gitattributes", "x", "x/y"]

    commit(node, lin, Remove("x"), PutFile("x", b"3"))

    assert paths(node, lin) == [".gitattributes", "x"]
    assert read(node, lin, "x") == b"3"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ((Remove("nowhere"),), DeletesNothing),
        ((PutFile("x", b"1"), PutFile("x/y", b"2")), PathConflict),
        ((Copy("y", "nowhere"),), EntryMissing),
        ((PutLarge("w.bin", b"\1" * 32),), content.ContentUnknown),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    node: Node, lin: Actor, changes, refusal
) -> None:
    repo = make(node, lin)

    with pytest.raises(refusal):
        commit(node, lin, *changes)

    assert paths(node, lin) == [".gitattributes"]
    with node.db.begin(Mode.READ) as tx:
        assert hub.access_repo(tx, lin, MODEL, "lin/a").head == repo.head


def test_a_draft_that_changes_nothing_answers_with_the_head(node: Node, lin: Actor) -> None:
    make(node, lin)
    done = commit(node, lin, PutFile("x", b"1"))

    assert commit(node, lin, PutFile("x", b"1")).oid == done.oid
    assert commit(node, lin).oid == done.oid


def test_a_stated_parent_must_be_the_head(node: Node, lin: Actor) -> None:
    repo = make(node, lin)
    commit(node, lin, PutFile("x", b"1"), parent=repo.head[:7])

    with pytest.raises(BranchMoved):
        commit(node, lin, PutFile("x", b"2"), parent=repo.head)


def test_two_with_the_same_parent_one_wins(node: Node, lin: Actor) -> None:
    repo = make(node, lin)

    async def race():
        drafts = [
            CommitDraft(f"{i}", parent=repo.head, changes=(PutFile(f"f{i}", b"x"),))
            for i in range(4)
        ]
        commits = (hub.commit(node, lin, MODEL, "lin/a", "main", draft) for draft in drafts)
        return await asyncio.gather(*commits, return_exceptions=True)

    answers = run(race())

    assert sum(isinstance(a, BranchMoved) for a in answers) == 3
    assert len(paths(node, lin)) == 2


def test_without_a_parent_all_land(node: Node, lin: Actor) -> None:
    make(node, lin)

    async def race():
        drafts = [CommitDraft(f"{i}", changes=(PutFile(f"f{i}", b"x"),)) for i in range(4)]
        commits = (hub.commit(node, lin, MODEL, "lin/a", "main", draft) for draft in drafts)
        return await asyncio.gather(*commits)

    run(race())

    assert paths(node, lin) == [".gitattributes", "f0", "f1", "f2", "f3"]


def test_large_files_are_pointers_tracked_in_attributes(node: Node, lin: Actor) -> None:
    repo = make(node, lin)
    sha256 = bytes(range(32))
    with node.db.begin(Mode.WRITE) as tx:
        content.register_plain(tx, repo.id, sha256, size=12_345)

    done = commit(node, lin, PutLarge("odd name.dat", sha256), PutLarge("w.safetensors", sha256))

    async def look(rev: str):
        place = await files.find_place(node, lin, MODEL, "lin/a", rev)
        return await files.find_entries(node, place, ["odd name.dat", "w.safetensors"])

    for entry in run(look("main")) + run(look(done.oid)):
        assert (entry.sha256, entry.size) == (sha256.hex(), 12_345)
    assert b"oid sha256:" + sha256.hex().encode() in read(node, lin, "odd name.dat")
    attributes = read(node, lin, ".gitattributes")
    assert attributes.endswith(b"odd[[:space:]]name.dat filter=lfs diff=lfs merge=lfs -text\n")
    later = commit(node, lin, PutFile("t", b"t"))
    assert later.oid != done.oid
    assert [e.sha256 for e in run(look(done.oid))] == [sha256.hex()] * 2


def test_last_commits_follow_each_file_and_its_folders(node: Node, lin: Actor) -> None:
    make(node, lin)
    commit(node, lin, PutFile("d/a", b"1"), PutFile("d/b", b"1"), summary="Both")
    commit(node, lin, PutFile("d/a", b"2"), summary="Only a")

    async def look(rev: str):
        place = await files.find_place(node, lin, MODEL, "lin/a", rev)
        return await files.list_folder(node, place, "", recursive=True, with_commits=True)

    titles = {e.path: e.last.title for e in run(look("main")).items}
    assert titles == {
        ".gitattributes": "initial commit",
        "d": "Only a",
        "d/a": "Only a",
        "d/b": "Both",
    }


def test_pages_of_a_listing_join_up_in_sql_and_in_packs(node: Node, lin: Actor) -> None:
    make(node, lin)
    names = ["a", "a.txt", "b/c", "b/d/e", "b.c", "b0", "中/文"]
    old = commit(node, lin, *(PutFile(name, name.encode()) for name in names))
    whole = paths(node, lin)

    async def walk(rev: str) -> list[str]:
        place = await files.find_place(node, lin, MODEL, "lin/a", rev)
        found, after = [], None
        while True:
            page = await files.list_folder(node, place, "", recursive=True, after=after, limit=3)
            found += [entry.path for entry in page.items]
            after = page.end
            if after is None:
                return found

    assert run(walk("main")) == whole
    commit(node, lin, PutFile("later", b""))
    assert run(walk(old.oid)) == whole


def test_rights_are_checked_before_and_at_the_end(node: Node, lin: Actor, wu: Actor) -> None:
    make(node, lin)
    reader = Actor(lin.id, lin.public_id, lin.name, roles=lin.roles, can_write=False)

    with pytest.raises(Denied):
        commit(node, wu, PutFile("x", b""))
    with pytest.raises(ReadOnlyToken):
        commit(node, reader, PutFile("x", b""))
    with pytest.raises(SignInNeeded):
        commit(node, hub_nobody(), PutFile("x", b""))


def hub_nobody() -> Actor:
    return Actor(0, "", "")


def test_only_branches_take_commits(node: Node, lin: Actor) -> None:
    repo = make(node, lin)

    for rev in ("nope", repo.head, "refs/heads/nope"):
        with pytest.raises(RevisionMissing):
            commit(node, lin, PutFile("x", b""), rev=rev)


def test_git_agrees_and_the_cache_may_be_deleted(node: Node, lin: Actor) -> None:
    repo = make(node, lin)
    for i in range(5):
        commit(node, lin, PutFile(f"d{i}/f", b"x" * i), summary=f"n{i}")
    shutil.rmtree(node.folder / "git")
    expected = paths(node, lin)

    assert read(node, lin, "d3/f") == b"xxx"

    head = commit(node, lin, PutFile("last", b"")).oid
    shutil.rmtree(node.folder / "git")
    assert read(node, lin, "last") == b""
    bare = node.folder / "git" / str(repo.git_id)
    listed = subprocess.run(
        ["git", "-C", str(bare), "ls-tree", "-r", "-t", "--name-only", head],
        check=True,
        capture_output=True,
        text=True,
    )
    assert sorted(listed.stdout.split()) == sorted([*expected, "last"])
    check = subprocess.run(
        ["git", "-C", str(bare), "fsck", "--full", "--strict"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stderr


def test_card_config_and_tags_follow_the_default_branch(node: Node, lin: Actor) -> None:
    make(node, lin)
    card = b"---\nlicense: mit\ntags: [cloth]\nlanguage: zh\n---\n# Cloth\n"
    done = commit(
        node,
        lin,
        PutFile("README.md", card),
        PutFile("config.json", b'{"model_type": "gpt2", "architectures": ["X"]}'),
    )

    assert done.repo.card == {"license": "mit", "tags": ["cloth"], "language": "zh"}
    assert {"transformers", "gpt2", "cloth", "zh", "license:mit"} <= set(done.repo.tags)
    gone = commit(node, lin, Remove("README.md"))
    assert gone.repo.card is None
    bad = commit(node, lin, PutFile("README.md", b"---\na: [\n---\n"))
    assert bad.repo.card is None


class Rivals(ThreadPoolExecutor):
    """Threads of a node where, while a commit is built, others land on its branch.

    Attributes:
        left: How many more will.
        landed: What they put there.
    """

    def __init__(self, node: Node, actor: Actor, count: int) -> None:
        super().__init__(2)
        self._node, self._actor = node, actor
        self.left = count
        self.landed: list[str] = []

    def submit(self, work, /, *args, **kwargs):
        if getattr(work, "func", None) is assemble:
            return super().submit(self._build, work)
        return super().submit(work, *args, **kwargs)

    def _build(self, work):
        built = work()
        if self.left:
            self.left -= 1
            name = f"rival{self.left}"
            self.landed.append(name)
            commit(self._node, self._actor, PutFile(name, b""))
        return built


def test_a_commit_is_refused_at_its_fifth_lost_race(node: Node, lin: Actor) -> None:
    make(node, lin)
    with Rivals(node, lin, 4) as rivals:
        commit(dataclasses.replace(node, pool=rivals), lin, PutFile("fifth", b""))
    with Rivals(node, lin, 100) as more, pytest.raises(BranchBusy):
        commit(dataclasses.replace(node, pool=more), lin, PutFile("never", b""))

    assert (len(rivals.landed), len(more.landed)) == (4, 5)
    assert {"fifth", *more.landed} < set(paths(node, lin))
    assert "never" not in paths(node, lin)


def test_who_is_refused_does_not_wait_first(node: Node, lin: Actor, monkeypatch) -> None:
    make(node, lin)
    monkeypatch.setattr(flows, "RACES_MAX", 1)
    monkeypatch.setattr(flows, "PAUSE_SECONDS_MAX", 1e9)

    async def lose():
        draft = CommitDraft("Late", changes=(PutFile("x", b""),))
        late = hub.commit(
            dataclasses.replace(node, pool=rivals), lin, MODEL, "lin/a", "main", draft
        )
        await asyncio.wait_for(late, 30)

    with Rivals(node, lin, 1) as rivals, pytest.raises(BranchBusy):
        run(lose())


def test_who_loses_every_race_is_told_and_the_others_land(node, lin, monkeypatch) -> None:
    monkeypatch.setattr(flows, "RACES_MAX", 1)
    make(node, lin)

    async def race():
        drafts = [CommitDraft(f"{i}", changes=(PutFile(f"f{i}", b"x"),)) for i in range(8)]
        going = [hub.commit(node, lin, MODEL, "lin/a", "main", draft) for draft in drafts]
        return await asyncio.gather(*going, return_exceptions=True)

    ended = run(race())

    landed = {f"f{i}" for i, one in enumerate(ended) if isinstance(one, Committed)}
    assert {type(one) for one in ended} == {Committed, BranchBusy}
    assert set(paths(node, lin)) == {".gitattributes", *landed}
