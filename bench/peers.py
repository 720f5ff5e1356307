"""The programs we are measured against: nginx for files, git http-backend for Git."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.lab import Lab, run, say

PACKAGES = {"nginx": "nginx-light", "fcgiwrap": "fcgiwrap"}
WAIT_SECONDS_MAX = 10

CONFIG = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 0;
    location /files/ {{ alias {files}/; }}
    location ~ ^/git/ {{
      fastcgi_pass unix:{folder}/fcgi.sock; fastcgi_request_buffering off; fastcgi_buffering off;
      fastcgi_read_timeout 600;
      fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param PATH_INFO $uri;
      fastcgi_param GIT_PROJECT_ROOT {files}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_PROTOCOL $http_git_protocol; fastcgi_param REMOTE_USER bench;
      fastcgi_param REMOTE_ADDR $remote_addr;
    }}
  }}
}}
"""


class Nginx:
    """A running nginx that serves ``files`` below ``/files/`` and repositories below ``/git/``."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.files = folder / "files"
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._process = process

    @property
    def worker(self) -> int:
        """The process that does the work."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
        return int(children.split()[0])

    def new_repository(self, name: str) -> str:
        """Make an empty bare repository that takes pushes, and return its address."""
        run("git", "init", "-q", "--bare", "-b", "main", self.files / "git" / name)
        run("git", "config", "http.receivepack", "true", cwd=self.files / "git" / name)
        return f"{self.url}/git/{name}"


@contextmanager
def nginx(lab: Lab) -> Iterator[Nginx]:
    """Run nginx, and fcgiwrap for Git behind it."""
    _install()
    folder = lab.new_folder("nginx")
    (folder / "files" / "git").mkdir(parents=True)
    folder.chmod(0o755)
    port = free_port()
    backend = Path(run("git", "--exec-path").strip()) / "git-http-backend"
    text = CONFIG.format(folder=folder, files=folder / "files", port=port, backend=backend)
    if os.getuid() == 0:
        text = f"user root; {text}"
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    with (
        _process("fcgiwrap", "-c", "4", "-s", f"unix:{folder}/fcgi.sock"),
        _process("nginx", "-c", str(folder / "nginx.conf"), "-e", f"{folder}/error.log") as process,
    ):
        _wait_for(port)
        yield Nginx(folder, port, process)


def free_port() -> int:
    """Return a port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _install() -> None:
    missing = [package for program, package in PACKAGES.items() if not _find(program)]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.getuid() != 0:
        raise SystemExit(f"The peers are missing. As root: {' '.join(command)}")
    say(f"installing {', '.join(missing)}")
    run(*command, DEBIAN_FRONTEND="noninteractive")


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def _process(program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    found = _find(program)
    assert found is not None
    process = subprocess.Popen([found, *arguments], start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx does not listen")
