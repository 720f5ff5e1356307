"""What may be deleted is really only a cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.clients.clients import NEWEST, Client
from tests.clients.conftest import populate
from tests.clients.contents import hashes, write_folder, write_weights
from tests.clients.serving import running

CACHES = ("git", "plain")


def test_deleting_the_caches_loses_nothing(
    tmp_path: Path, fresh: Callable[[Client], Client]
) -> None:
    with running(tmp_path / "hub" / "data") as hub:
        place = populate(hub, hub.url)
        lin = Client(NEWEST, hub.url, tmp_path / "lin", place.lin)
        sent = write_folder(tmp_path / "folder")
        sent["model.safetensors"] = write_weights(tmp_path / "folder/model.safetensors", tensors=1)
        lin.call("upload_folder", repo="lin/kept", folder=str(tmp_path / "folder"))
        lin.call("snapshot", repo="lin/kept")

        for name in CACHES:  # beside the running server
            shutil.rmtree(hub.folder / name, ignore_errors=True)
        while_running = fresh(lin).call("snapshot", repo="lin/kept")
        lin.call("commit_texts", repo="lin/kept", texts={"later.txt": "later\n"})
        hub.stop()
        for name in CACHES:
            shutil.rmtree(hub.folder / name, ignore_errors=True)
        hub.start(port=int(hub.url.rsplit(":", 1)[1]))
        after_restart = fresh(lin).call("snapshot", repo="lin/kept")
        lin.shell("git", "clone", "-q", f"{hub.url}/lin/kept", str(tmp_path / "clone")).ok()

        assert {name: while_running[name] for name in sent} == sent
        assert {name: after_restart[name] for name in sent} == sent
        assert set(hashes(tmp_path / "clone")) == set(after_restart)
        assert hub.try_command("doctor").returncode == 0
