"""Runs in a client's environment: ``with_hub.py FUNCTION JSON`` prints one ``ANSWER`` line."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    ModelCard,
    get_safetensors_metadata,
    hf_hub_download,
    snapshot_download,
)

api = HfApi()
SDKS = {"space": "static"}


def sha256(path):
    """Hash a file without reading it whole."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder):
    """Return path -> sha256 of everything below ``folder`` that is content."""
    folder = Path(folder)
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    found = {file.relative_to(folder).as_posix(): file for file in files}
    return {name: sha256(file) for name, file in found.items() if ".cache/" not in name}


def create(repo, **more):
    """Create a repository."""
    return str(api.create_repo(repo, **more))


def exists(repo, **more):
    """Ask whether a repository is there."""
    return api.repo_exists(repo, **more)


def delete_repo(repo, **more):
    """Delete a repository."""
    api.delete_repo(repo, **more)


def move(source, target, **more):
    """Rename a repository."""
    api.move_repo(source, target, **more)


def set_private(repo, private, **more):
    """Change who sees a repository, by the name this release has for it."""
    if hasattr(api, "update_repo_settings"):
        api.update_repo_settings(repo, private=private, **more)
    else:
        api.update_repo_visibility(repo, private=private, **more)


def upload_folder(repo, folder, **more):
    """Upload a folder; a repository is created if need be."""
    kind = more.get("repo_type")
    api.create_repo(repo, exist_ok=True, repo_type=kind, space_sdk=SDKS.get(kind))
    done = api.upload_folder(repo_id=repo, folder_path=folder, **more)
    return getattr(done, "oid", None)


def upload_file(repo, file, path, **more):
    """Upload one file."""
    api.create_repo(repo, exist_ok=True, repo_type=more.get("repo_type"))
    done = api.upload_file(path_or_fileobj=file, path_in_repo=path, repo_id=repo, **more)
    return {"oid": getattr(done, "oid", None), "url": str(done)}


def commit_texts(repo, texts, message="Write", **more):
    """Commit files given as text."""
    adds = [CommitOperationAdd(path, text.encode()) for path, text in texts.items()]
    return api.create_commit(repo, adds, commit_message=message, **more).oid


def commit_claiming(repo, file, path, digest):
    """Commit a file under another digest than its own, as after a disk gave other bytes."""
    add = CommitOperationAdd(path, file)
    add.upload_info.sha256 = bytes.fromhex(digest)
    return api.create_commit(repo, [add], commit_message="Claim").oid


def delete_paths(repo, paths, **more):
    """Commit deletions."""
    gone = [CommitOperationDelete(path) for path in paths]
    return api.create_commit(repo, gone, commit_message="Delete", **more).oid


def download(repo, path, **more):
    """Download one file and return its hash."""
    found = hf_hub_download(repo, path, **more)
    return {"path": found, "sha256": sha256(found), "size": Path(found).stat().st_size}


def snapshot(repo, **more):
    """Download a repository and return path -> sha256."""
    return hashes(snapshot_download(repo, **more))


def files(repo, **more):
    """List files."""
    return api.list_repo_files(repo, **more)


def tree(repo, **more):
    """List entries with sizes; folders have none."""
    entries = api.list_repo_tree(repo, **more)
    return {entry.path: getattr(entry, "size", None) for entry in entries}


def info(repo, **more):
    """Describe a repository."""
    found = api.repo_info(repo, **more)
    return {
        "id": found.id,
        "sha": found.sha,
        "private": found.private,
        "tags": found.tags,
        "siblings": [each.rfilename for each in found.siblings or []],
        "card": found.card_data.to_dict() if found.card_data else None,
        "downloads": getattr(found, "downloads", None),
    }


def refs(repo, **more):
    """Name branches and tags."""
    found = api.list_repo_refs(repo, **more)
    return {
        "branches": {each.name: each.target_commit for each in found.branches},
        "tags": {each.name: each.target_commit for each in found.tags},
    }


def branch(repo, name, **more):
    """Create a branch."""
    api.create_branch(repo, branch=name, **more)


def tag(repo, name, **more):
    """Create a tag."""
    api.create_tag(repo, tag=name, **more)


def delete_branch(repo, name, **more):
    """Delete a branch."""
    api.delete_branch(repo, branch=name, **more)


def delete_tag(repo, name, **more):
    """Delete a tag."""
    api.delete_tag(repo, tag=name, **more)


def commits(repo, **more):
    """Titles of commits, newest first."""
    return [each.title for each in api.list_repo_commits(repo, **more)]


def squash(repo, **more):
    """Make one commit of a history."""
    api.super_squash_history(repo, **more)


def models(**more):
    """Ids of models."""
    return [each.id for each in api.list_models(**more)]


def whoami():
    """Name whose token it is."""
    found = api.whoami()
    return {"name": found["name"], "orgs": [org["name"] for org in found["orgs"]]}


def push_card(repo, text):
    """Check and push a model card."""
    card = ModelCard(text)
    card.validate()
    return str(card.push_to_hub(repo))


def safetensors(repo):
    """Read the header of a weight file through ranges."""
    found = get_safetensors_metadata(repo)
    return {str(dtype): count for dtype, count in found.parameter_count.items()}


def file_system(repo, folder):
    """Do with ``hf://`` what people do with folders."""
    system = HfFileSystem()
    system.makedirs(f"{repo}/{folder}", exist_ok=True)
    with system.open(f"{repo}/{folder}/note.txt", "w") as file:
        file.write("first line\nsecond line\n")
    with system.open(f"{repo}/{folder}/note.txt", "rb") as file:
        file.seek(6)
        middle = file.read(4).decode()
    listed = sorted(system.ls(f"{repo}/{folder}", detail=False))
    found = sorted(system.glob(f"{repo}/**/*.txt"))
    walked = sorted(name for _, _, names in system.walk(repo) for name in names)
    size = system.info(f"{repo}/{folder}/note.txt")["size"]
    was = system.exists(f"{repo}/{folder}/note.txt")
    system.cp_file(f"{repo}/{folder}/note.txt", f"{repo}/{folder}/copy.txt")
    system.rm(f"{repo}/{folder}/note.txt")
    system.invalidate_cache()
    is_still = system.exists(f"{repo}/{folder}/note.txt")
    copied = system.cat_file(f"{repo}/{folder}/copy.txt").decode()
    return {
        "middle": middle,
        "listed": listed,
        "found": found,
        "walked": walked,
        "size": size,
        "was": was,
        "is_still": is_still,
        "copied": copied,
    }


def race(repo, name, count):
    """Commit one file after another; return what was refused."""
    refused = []
    for number in range(count):
        try:
            commit_texts(repo, {f"{name}/{number}.txt": f"{name} {number}\n"}, f"{name} {number}")
        except Exception as error:
            refused.append(getattr(getattr(error, "response", None), "status_code", repr(error)))
    return refused


def main(function, facts, more=None):
    """Call one function by name, of here or of ``more``, and say how it went."""
    try:
        value = {**globals(), **(more or {})}[function](**json.loads(facts))
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        facts = {"refused": kinds, "text": str(error), "cause": str(error.__cause__ or "")}
        print("ANSWER " + json.dumps(facts))
    else:
        print("ANSWER " + json.dumps({"value": value}))


if __name__ == "__main__":
    main(*sys.argv[1:])
