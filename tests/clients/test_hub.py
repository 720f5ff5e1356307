"""What every release of ``huggingface_hub`` that we support can do here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.clients import NEWEST, Client, Refused
from tests.clients.conftest import Place
from tests.clients.contents import write_folder
from tests.clients.visitor import Visitor


def test_a_folder_of_small_files_comes_back_byte_for_byte(
    lin: Client, fresh: Callable[[Client], Client], repo: str, tmp_path: Path
) -> None:
    sent = write_folder(tmp_path / "folder")

    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))

    got = fresh(lin).call("snapshot", repo=repo, local_dir=str(tmp_path / "back"))
    assert {name: got[name] for name in sent} == sent
    assert set(got) - set(sent) == {".gitattributes"}


def test_uploading_the_same_folder_again_makes_no_commit(
    lin: Client, repo: str, tmp_path: Path
) -> None:
    write_folder(tmp_path / "folder")
    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))
    before = lin.call("commits", repo=repo)

    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))

    assert lin.call("commits", repo=repo) == before


def test_datasets_and_spaces_are_repositories_too(lin: Client, repo: str, tmp_path: Path) -> None:
    sent = write_folder(tmp_path / "folder", files=2)

    for kind in ("dataset", "space"):
        lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"), repo_type=kind)

    got = [lin.call("snapshot", repo=repo, repo_type=kind) for kind in ("dataset", "space")]
    assert [{name: each[name] for name in sent} for each in got] == [sent, sent]


def test_patterns_choose_what_a_snapshot_holds(lin: Client, repo: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", files=3)
    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))

    got = lin.call(
        "snapshot",
        repo=repo,
        allow_patterns=["data/*.txt", "*.json"],
        ignore_patterns=["data/0001.txt"],
        local_dir=str(tmp_path / "back"),
    )

    assert sorted(got) == ["config.json", "data/0000.txt", "data/0002.txt", "data/empty.txt"]


def test_files_and_folders_can_be_deleted(lin: Client, repo: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", files=3)
    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))

    lin.call("delete_paths", repo=repo, paths=["config.json", "data/"])

    names = [".gitattributes", "README.md", "weights/model.safetensors"]
    assert sorted(lin.call("files", repo=repo)) == names


def test_revisions_are_branches_tags_and_commits(
    lin: Client, fresh: Callable[[Client], Client], repo: str
) -> None:
    lin.call("create", repo=repo)
    first = lin.call("commit_texts", repo=repo, texts={"a.txt": "one"}, message="First")
    lin.call("tag", repo=repo, name="v1", tag_message="The first")
    lin.call("branch", repo=repo, name="feature/x")
    second = lin.call("commit_texts", repo=repo, texts={"a.txt": "two"}, message="Second")
    lin.call("commit_texts", repo=repo, texts={"b.txt": "side"}, revision="feature/x")

    reader = fresh(lin)
    refs = lin.call("refs", repo=repo)
    assert set(refs["branches"]) == {"main", "feature/x"}
    assert (refs["branches"]["main"], refs["tags"]) == (second, {"v1": first})
    sizes = {
        revision: reader.call("download", repo=repo, path="a.txt", revision=revision)["sha256"]
        for revision in ("v1", first, "main", "feature/x")
    }
    assert sizes["v1"] == sizes[first] == sizes["feature/x"] != sizes["main"]
    assert lin.call("commits", repo=repo) == ["Second", "First", "initial commit"]
    assert "b.txt" in lin.call("files", repo=repo, revision="feature/x")

    lin.call("delete_branch", repo=repo, name="feature/x")
    lin.call("delete_tag", repo=repo, name="v1")
    assert lin.call("refs", repo=repo) == {"branches": {"main": second}, "tags": {}}


def test_history_can_be_squashed(lin: Client, repo: str) -> None:
    lin.call("create", repo=repo)
    lin.call("commit_texts", repo=repo, texts={"a.txt": "one"})
    lin.call("commit_texts", repo=repo, texts={"a.txt": "two"})

    lin.call("squash", repo=repo, commit_message="All of it")

    assert lin.call("commits", repo=repo) == ["All of it"]
    assert "a.txt" in lin.call("files", repo=repo)


def test_a_private_repository_does_not_exist_for_others(
    lin: Client, mei: Client, nobody: Client, repo: str
) -> None:
    lin.call("create", repo=repo, private=True)
    lin.call("commit_texts", repo=repo, texts={"secret.txt": "hush"})
    others = [each.using(variant=lin.variant) for each in (mei, nobody)]

    assert lin.call("info", repo=repo)["private"] is True
    assert [each.call("exists", repo=repo) for each in others] == [False, False]
    for each in others:
        with pytest.raises(Refused) as refused:
            each.call("download", repo=repo, path="secret.txt")
        assert "RepositoryNotFoundError" in refused.value.kinds

    lin.call("set_private", repo=repo, private=False)
    assert [each.call("exists", repo=repo) for each in others] == [True, True]


def test_a_renamed_repository_is_found_by_its_old_name(
    lin: Client, fresh: Callable[[Client], Client], repo: str
) -> None:
    lin.call("create", repo=repo)
    lin.call("commit_texts", repo=repo, texts={"a.txt": "one"})

    lin.call("move", source=repo, target=f"{repo}-new")

    reader = fresh(lin)
    assert reader.call("download", repo=repo, path="a.txt")["size"] == 3
    assert reader.call("info", repo=repo)["id"] == f"{repo}-new"
    assert "a.txt" in reader.call("snapshot", repo=repo)


def test_a_deleted_repository_is_gone(lin: Client, repo: str) -> None:
    lin.call("create", repo=repo)

    lin.call("delete_repo", repo=repo)

    assert lin.call("exists", repo=repo) is False
    lin.call("delete_repo", repo=repo, missing_ok=True)


def test_errors_come_in_the_clients_words(
    lin: Client, nobody: Client, mei: Client, place: Place, repo: str
) -> None:
    lin.call("create", repo=repo)
    lin.call("commit_texts", repo=repo, texts={"a.txt": "one"})
    readers = lin.using(token=place.lin_reads)
    anonymous = nobody.using(variant=lin.variant)
    stranger = mei.using(variant=lin.variant)
    lost = lin.using(token="hf_" + "x" * 34)

    def kinds_of(client: Client, function: str, **facts: str) -> tuple[list[str], str]:
        with pytest.raises(Refused) as refused:
            client.call(function, **facts)
        return refused.value.kinds, refused.value.text

    kinds, text = kinds_of(lin, "download", repo="lin/nowhere", path="a.txt")
    assert "RepositoryNotFoundError" in kinds
    assert "404" in text
    kinds, text = kinds_of(anonymous, "download", repo="lin/nowhere", path="a.txt")
    assert "RepositoryNotFoundError" in kinds
    assert "401" in text
    kinds, _ = kinds_of(lin, "download", repo=repo, path="b.txt")
    assert "EntryNotFoundError" in kinds
    kinds, text = kinds_of(lin, "download", repo=repo, path="a.txt", revision="nope")
    assert "RevisionNotFoundError" in kinds
    assert "nope" in text
    kinds, text = kinds_of(lost, "whoami")
    assert "401" in text or "Invalid" in text
    kinds, text = kinds_of(readers, "commit_texts", repo=repo, texts={"b.txt": "no"})
    assert "403" in text
    assert "may only read" in text
    kinds, text = kinds_of(stranger, "commit_texts", repo=repo, texts={"b.txt": "no"})
    assert "403" in text
    kinds, text = kinds_of(lin, "create", repo=repo)
    assert "409" in text
    kinds, text = kinds_of(lin, "delete_paths", repo=repo, paths=["c.txt"])
    assert "EntryNotFoundError" in kinds or "404" in text


def test_a_token_of_another_hub_is_explained(lin: Client, repo: str) -> None:
    lin.call("create", repo=repo)
    foreign = lin.using(token="hf_" + "A" * 34)

    with pytest.raises(Refused) as refused:
        foreign.call("info", repo=repo)

    assert "hf auth login" in refused.value.text
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN=1" in refused.value.text


def test_the_tree_and_paths_are_described(lin: Client, repo: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", files=3)
    lin.call("upload_folder", repo=repo, folder=str(tmp_path / "folder"))

    flat = lin.call("tree", repo=repo)
    deep = lin.call("tree", repo=repo, recursive=True, expand=True)

    assert flat["data"] is None
    assert flat["config.json"] == 23
    assert deep["data/0001.txt"] == 7
    assert deep["weights"] is None


def test_lists_search_and_filter(lin: Client, repo: str) -> None:
    card = "---\nlicense: mit\ntags:\n- quaint\n---\n# Quaint\n"
    lin.call("create", repo=repo)
    lin.call("commit_texts", repo=repo, texts={"README.md": card})

    found = lin.call("models", author="lin", filter="quaint")
    searched = lin.call("models", search=repo.partition("/")[2])

    assert repo in found
    assert repo in searched


def test_whoami_names_the_person_and_the_organisations(lin: Client) -> None:
    assert lin.call("whoami") == {"name": "lin", "orgs": ["weavers"]}


def test_weights_are_described_from_their_header(lin: Client, repo: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", files=0)
    file = tmp_path / "folder" / "weights" / "model.safetensors"
    lin.call("upload_file", repo=repo, file=str(file), path="model.safetensors")

    assert lin.call("safetensors", repo=repo) == {"BF16": 600}


def test_the_hf_command_uploads_and_downloads(
    lin: Client, fresh: Callable[[Client], Client], repo: str, tmp_path: Path
) -> None:
    sent = write_folder(tmp_path / "folder", files=3)

    lin.shell("hf", "upload", repo, str(tmp_path / "folder"), ".").ok()

    back = fresh(lin)
    back.shell("hf", "download", repo, "--local-dir", str(tmp_path / "back")).ok()
    got = lin.call("snapshot", repo=repo)
    assert {name: got[name] for name in sent} == sent
    assert (tmp_path / "back" / "data" / "0001.txt").read_text() == "file 1\n"


def test_logging_in_with_a_token_makes_it_the_default(
    lin: Client, place: Place, fresh: Callable[[Client], Client]
) -> None:
    machine = fresh(lin).using(token="")

    machine.shell("hf", "auth", "login", "--token", place.lin).ok()

    assert "lin" in machine.shell("hf", "auth", "whoami").ok()


def test_logging_in_by_the_browser_gives_the_machine_a_token(place: Place, tmp_path: Path) -> None:
    invited = place.hub.command("user", "add", "ola")
    ola = Visitor(place.endpoint)
    ola.send(ola.open(invited), password="correct horse battery")
    machine = Client(NEWEST, place.endpoint, tmp_path / "machine")

    login = machine.begin_shell("hf", "auth", "login")
    shown = read_until(login, "Waiting for authorization")
    (link,) = re.findall(r"http\S+/device\?user_code=\S+", shown)
    code = link.partition("user_code=")[2]
    page = ola.open(link.removesuffix("."))
    done = ola.send(page, answer="approve", role="read")
    out, err = login.communicate(timeout=60)

    assert link.startswith(f"{place.endpoint}/device?")
    assert code in page.text
    assert "signed in" in done.text
    assert login.returncode == 0, out + err
    assert "ola" in machine.shell("hf", "auth", "whoami").ok()
    with pytest.raises(Refused) as refused:
        machine.call("create", repo="ola/not-with-a-token-that-reads")
    assert "may only read" in refused.value.text


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Return what a program prints up to the line that has ``words`` in it."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        piece = process.stdout.read(1)
        assert piece, said
        said += piece
    return said
