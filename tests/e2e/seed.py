"""Something to look at, sent through the addresses that programs use."""

# ruff: noqa: RUF001  (Chinese has its own marks)

from __future__ import annotations

import base64
import hashlib
import json
import struct
import urllib.request
import zlib
from dataclasses import dataclass

from tests.clients.serving import Hub
from tests.payloads import PAYLOADS

LONG = "celadon-7b-instruct-gguf-q4_k_m-imatrix-long-context-131072-merged-with-jacquard-adapter-v2"
LONG_BRANCH = "b" * 100
LONG_FILE = "青瓷釉色" * 20 + "表" + ".txt"
"""254 of the 255 bytes that a name may have."""
ANSWER_SECONDS_MAX = 60

CARD = """---
license: apache-2.0
language: zh
library_name: transformers
pipeline_tag: text-generation
base_model: longquan/celadon-base
base_model_relation: finetune
datasets: [longquan/kiln-notes]
tags: [chat, celadon]
---
# 青瓷对话

由 `celadon-base` 微调而来，公式 $E = mc^2$。**重点。**之后还有。

> [!WARNING]
> 只用于测试。

## 用法

```python
from transformers import pipeline

chat = pipeline("text-generation", model="longquan/celadon-chat")  # 小
print(chat("你好")[0]["generated_text"])
```

| 测试集 | recall@1 | recall@5 |
|---|--:|--:|
| keqiao/cloth-40k | 0.842 | 0.961 |

- [x] 已训练
- [ ] 未评测

[数据](data/) · ![图](图片/印.png) · 脚注[^1]

[^1]: 在此。
"""
HOSTILE_PAGE = "<!doctype html><title>x</title><script>top.pwned = 1; pwned()</script><h1>page</h1>"
HOSTILE_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="pwned()">'
    '<script>pwned()</script><rect width="40" height="40" fill="#2a7362"/></svg>'
)


@dataclass(frozen=True)
class Sender:
    """Somebody who sends with a token."""

    url: str
    token: str

    def post(self, path: str, body: object, *, kind: str = "application/json") -> bytes:
        """Send JSON, or lines of JSON, and return the answer."""
        lines = body if isinstance(body, list) else [body]
        data = "\n".join(json.dumps(line) for line in lines).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        return self._send(urllib.request.Request(self.url + path, data, headers))

    def create(self, kind: str, path: str, **more: object) -> None:
        """Make a repository."""
        owner, name = path.split("/")
        body = {"name": name, "organization": owner, "type": kind, **more}
        self.post("/api/repos/create", body)

    def commit(
        self, kind: str, path: str, title: str, files: dict[str, str | bytes], **more: str
    ) -> None:
        """Put files on a branch, small ones."""
        lines: list[object] = [{"key": "header", "value": {"summary": title, **more}}]
        for name, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            value = {
                "path": name,
                "content": base64.b64encode(data).decode(),
                "encoding": "base64",
            }
            lines.append({"key": "file", "value": value})
        self._commit(kind, path, lines)

    def commit_large(self, kind: str, path: str, name: str, data: bytes) -> None:
        """Put one file on ``main`` by way of Git LFS."""
        oid = hashlib.sha256(data).hexdigest()
        prefix = "" if kind == "model" else f"{kind}s/"
        batch = {
            "operation": "upload",
            "transfers": ["basic"],
            "hash_algo": "sha256",
            "objects": [{"oid": oid, "size": len(data)}],
        }
        asked = self.post(
            f"/{prefix}{path}.git/info/lfs/objects/batch",
            batch,
            kind="application/vnd.git-lfs+json",
        )
        upload = json.loads(asked)["objects"][0]["actions"]["upload"]
        put = urllib.request.Request(upload["href"], data, upload.get("header", {}), method="PUT")
        self._send(put)
        value = {"path": name, "algo": "sha256", "oid": oid, "size": len(data)}
        header = {"key": "header", "value": {"summary": f"Upload {name}"}}
        self._commit(kind, path, [header, {"key": "lfsFile", "value": value}])

    def _commit(self, kind: str, path: str, lines: list[object]) -> None:
        self.post(f"/api/{kind}s/{path}/commit/main", lines, kind="application/x-ndjson")

    def _send(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
            body: bytes = answer.read()
        return body


def picture(side: int = 16) -> bytes:
    """Return a PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x2a\x73\x62" * side) * side
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def fill(hub: Hub, token: str) -> None:
    """Fill a hub where ``lin`` manages ``longquan``."""
    lin = Sender(hub.url, token)
    _fill_models(lin)
    _fill_hostile(lin)
    lin.create("dataset", "longquan/kiln-notes")
    table = "temperature,glaze\n" + "".join(f"{1180 + i},celadon\n" for i in range(40))
    card = "---\nlicense: cc-by-4.0\ntask_categories: [tabular]\n---\n# Kiln notes\n"
    lin.commit("dataset", "longquan/kiln-notes", "Notes", {"README.md": card, "kiln.csv": table})
    lin.create("space", "longquan/glaze-finder", sdk="gradio")
    lin.commit("space", "longquan/glaze-finder", "App", {"app.py": "import gradio as gr\n"})
    lin.create("model", "lin/empty", private=True)
    lin.create("model", f"lin/{LONG}")
    long = {
        f"{LONG}.txt": "x" * 300 + "\n",
        LONG_FILE: "x\n",
        "README.md": f"# {LONG}\n\n`{'y' * 300}`\n",
    }
    lin.commit("model", f"lin/{LONG}", f"Upload {LONG} with huggingface_hub", long)
    lin.post(f"/api/models/lin/{LONG}/branch/{LONG_BRANCH}", {})


def _fill_models(lin: Sender) -> None:
    chat = "longquan/celadon-chat"
    lin.create("model", chat)
    config = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, indent=2)
    script = '"""Train."""\n\nimport torch\n\n\ndef train(steps: int) -> None:\n    print(steps)\n'
    first = {
        "README.md": CARD,
        "config.json": config,
        "train.py": script,
        "图片/印.png": picture(),
    }
    lin.commit("model", chat, "First release", first)
    many = {f"data/part-{i:03}.txt": f"{i}\n" for i in range(205)}
    lin.commit("model", chat, "Notes of 205 firings", {**many, "data/README.md": "# Notes\n"})
    weights = bytes(range(256)) * 4096
    lin.commit_large("model", chat, "model.safetensors", weights)
    lin.commit(
        "model", chat, "Say how long it trains", {"train.py": script.replace("s: i", "s:  i")}
    )
    lin.post(f"/api/models/{chat}/branch/int8", {})
    lin.post(f"/api/models/{chat}/tag/main", {"tag": "v1.0"})


def _fill_hostile(lin: Sender) -> None:
    lin.create("model", "lin/hostile")
    card = "\n\n---\n\n".join(PAYLOADS[:-1])
    files = {"README.md": card, "page.html": HOSTILE_PAGE, "sign.svg": HOSTILE_SVG}
    files |= {f"cards/{i:02}.md": payload for i, payload in enumerate(PAYLOADS)}
    lin.commit("model", "lin/hostile", "<script>pwned()</script>", files)
