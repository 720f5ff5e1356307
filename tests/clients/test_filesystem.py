"""``hf://`` as a file system."""

from __future__ import annotations

from tests.clients.clients import Client


def test_hugging_face_file_system_reads_writes_and_lists(lin: Client, repo: str) -> None:
    lin.call("create", repo=repo)

    seen = lin.call("file_system", repo=repo, folder="notes 笔记")

    note = f"{repo}/notes 笔记/note.txt"
    assert seen["middle"] == "line"
    assert seen["listed"] == [note]
    assert seen["found"] == [note]
    assert seen["walked"] == [".gitattributes", "note.txt"]
    assert seen["size"] == len("first line\nsecond line\n")
    assert (seen["was"], seen["is_still"]) == (True, False)
    assert seen["copied"] == "first line\nsecond line\n"
