"""What people uploaded, answered so that no browser runs it as a page of ours."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

_IMAGES: Final = {
    "apng": "image/apng",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
_OTHERS: Final = {
    "flac": "audio/flac",
    "gz": "application/gzip",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "tar": "application/x-tar",
    "wav": "audio/wav",
    "webm": "video/webm",
    "zip": "application/zip",
}
_TEXTS: Final = frozenset(
    (
        "c",
        "cc",
        "cfg",
        "conf",
        "cpp",
        "css",
        "csv",
        "cu",
        "dockerfile",
        "gitattributes",
        "gitignore",
        "go",
        "h",
        "hpp",
        "ini",
        "ipynb",
        "java",
        "jinja",
        "js",
        "json",
        "jsonl",
        "license",
        "log",
        "lua",
        "makefile",
        "md",
        "mjs",
        "model",
        "modelfile",
        "ndjson",
        "properties",
        "proto",
        "py",
        "pyi",
        "r",
        "rb",
        "readme",
        "rs",
        "rst",
        "sh",
        "sql",
        "tex",
        "toml",
        "ts",
        "tsv",
        "txt",
        "vocab",
        "yaml",
        "yml",
    )
)
_PAGES: Final = frozenset(("htm", "html", "mht", "mhtml", "shtml", "xht", "xhtml", "xml", "xsl"))
"""Text that a browser would run; named as text and handed over as a file."""

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"


def user_content(
    name: str, *, download: bool = False, public: bool = False, text: bool = False
) -> dict[str, str]:
    """Return the headers for a file called ``name`` (its last part counts).

    Args:
        download: Whether it is to be saved, whatever it is.
        public: Whether pages of other sites may embed it.
        text: Whether the bytes are known to be UTF-8 text although the name tells nothing.
    """
    file = PurePosixPath(name).name
    media_type, inline = _kind(file, text=text)
    disposition = "inline" if inline and not download else "attachment"
    return {
        "Content-Type": media_type,
        "Content-Disposition": f"{disposition}; {_names(file)}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin" if public else "same-origin",
    }


def _kind(file: str, *, text: bool) -> tuple[str, bool]:
    ending = file.rpartition(".")[2].lower()
    if ending in _IMAGES:
        return _IMAGES[ending], True
    if ending in _PAGES:
        return TEXT, False
    if ending in _TEXTS or (text and ending not in _OTHERS):
        return TEXT, True
    return _OTHERS.get(ending, BYTES), False


def _names(file: str) -> str:
    """Name the file twice, for everybody and for old clients.

    ``huggingface_hub`` looks for ``filename="…";`` with the semicolon at its end.
    """
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "_" for c in file)
    return f"filename*=UTF-8''{quote(file, safe='')}; filename=\"{plain}\";"
