"""What everybody's tags, languages and licences are called, in both languages."""

# ruff: noqa: RUF001  (Chinese has its own marks)

from __future__ import annotations

import pytest

from jishi.hub import RepoKind
from jishi.web.templating import ENVIRONMENTS
from tests.web.conftest import Visitor

CARD = """---
license: cc-by-nc-sa-4.0
language: [zh, en]
pipeline_tag: text-generation
base_model: longquan/base
base_model_relation: finetune
datasets: [lin/notes]
tags: [kiln]
---
# Silk
"""


@pytest.mark.parametrize(
    ("label", "text", "english", "chinese"),
    [
        ("task", "text-generation", "Text generation", "文本生成"),
        ("task", "automatic-speech-recognition", "Speech recognition", "语音识别"),
        ("task", "static", "static page", "静态网页"),
        ("task", "gradio", "Gradio", "Gradio"),
        ("task", "my-own-task", "my-own-task", "my-own-task"),
        ("licence", "apache-2.0", "Apache 2.0", "Apache 2.0"),
        ("licence", "mit", "MIT", "MIT"),
        ("licence", "cc-by-nc-sa-4.0", "CC BY-NC-SA 4.0", "CC BY-NC-SA 4.0"),
        ("licence", "cc0-1.0", "CC0 1.0", "CC0 1.0"),
        ("licence", "gpl-3.0", "GPL 3.0", "GPL 3.0"),
        ("licence", "bsd-3-clause", "BSD 3-Clause", "BSD 3-Clause"),
        ("licence", "mulanpsl-2.0", "Mulan PSL 2", "木兰宽松许可证第 2 版"),
        ("licence", "other", "other licence", "其他许可证"),
        ("licence", "llama3.1", "llama3.1", "llama3.1"),
        ("language", "zh", "Chinese", "中文"),
        ("language", "en", "English", "英语"),
        ("language", "yue", "Cantonese", "粤语"),
        ("language", "multilingual", "several languages", "多种语言"),
        ("language", "Chinese?", "Chinese?", "Chinese?"),
        ("tag", "license:mit", "MIT", "MIT"),
        ("tag", "language:de", "German", "德语"),
        ("tag", "ml", "ml", "ml"),
        ("tag", "task_categories:summarization", "Summarisation", "摘要"),
        ("tag", "modality:audio", "Audio", "音频"),
        ("tag", "base_model:a/b", "base: a/b", "基础模型：a/b"),
        ("tag", "base_model:finetune:a/b", "fine-tune of a/b", "微调自 a/b"),
        ("tag", "dataset:100%", "dataset: 100%", "数据集：100%"),
        ("tag", "kiln:hot", "kiln:hot", "kiln:hot"),
    ],
)
def test_words_of_cards_are_said_as_people_say_them(
    label: str, text: str, english: str, chinese: str
) -> None:
    assert ENVIRONMENTS["en"].filters[label](text) == english
    assert ENVIRONMENTS["zh-Hans"].filters[label](text) == chinese


def test_bare_tags_are_languages_where_the_card_says_so() -> None:
    assert ENVIRONMENTS["en"].filters["tag"]("ml", ("ml",)) == "Malayalam"


def test_pages_say_the_words_and_addresses_keep_them(put, visitor: Visitor) -> None:
    put("lin/silk", {"README.md": CARD})
    put("lin/notes", {"README.md": "---\ntask_categories: [translation]\n---\n"}, RepoKind.DATASET)
    chinese = ("accept-language", "zh-CN")

    card, row = visitor.get("/lin/silk", chinese), visitor.get("/models", chinese).said
    filtered = visitor.get("/models?tag=text-generation", chinese)

    assert "语言 中文、英语" in card.said
    assert "许可证 CC BY-NC-SA 4.0" in card.said
    assert '<a class="chip" href="/models?tag=text-generation">文本生成</a>' in card.text
    assert '<a class="chip" href="/models?tag=zh">中文</a>' in card.text
    assert "文本生成 · CC BY-NC-SA 4.0" in row
    assert "文本生成 移除此条件" in filtered.said
    assert "silk" in filtered.said
    assert "翻译" in visitor.get("/datasets", chinese).said
