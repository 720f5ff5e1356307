"""Front matter is somebody's upload: read what is plain, refuse what is a trick."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.hub.card import (
    BadCard,
    app_file_of,
    find_faults,
    read_card,
    read_config,
    split_front_matter,
    tags_of,
    uses_of,
)
from jishi.hub.repos import RepoKind

BOMB = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n---\n"


def test_plain_metadata_is_read_as_yaml_1_2_reads_it() -> None:
    card = read_card(
        "---\nlanguage: no\nlicense: mit\ndate: 2026-11-24\nn: 3\nx: 1.5\nyes: true\n"
        "time: 12:30:45\n---\n# Hi\n"
    )

    assert card == {
        "language": "no",
        "license": "mit",
        "date": "2026-11-24",
        "n": 3,
        "x": 1.5,
        "yes": True,
        "time": "12:30:45",
    }


@pytest.mark.parametrize("text", ["# no fence", "", "----\na: b\n----\n"])
def test_a_readme_without_a_fence_has_no_card(text: str) -> None:
    assert read_card(text) is None


def test_windows_line_ends_a_mark_and_a_leading_blank_line_are_tolerated() -> None:
    assert read_card("\ufeff\r\n---\r\nlicense: mit\r\n---\r\ntext") == {"license": "mit"}
    assert split_front_matter("---\na: 1\n---\n\nBody\n") == ("a: 1\n", "Body\n")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (BOMB, "aliases"),
        ("---\n" + "[" * 5_000 + "\n---\n", ""),
        ("---\na: " + "[" * 30 + "]" * 30 + "\n---\n", "deeper"),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", "tags (!!)"),
        ("---\n- a\n- b\n---\n", "mapping"),
        ("---\na: b: c\n---\n", "mapping values"),
        ("---\nx: '" + "y" * 70_000 + "'\n---\n", "longer"),
        ("---\na: \x00\n---\n", ""),
    ],
)
def test_tricks_are_refused_in_words(text: str, word: str) -> None:
    with pytest.raises(BadCard) as refused:
        read_card(text)

    assert word in str(refused.value)


@given(st.text(max_size=300))
def test_any_text_is_a_card_or_a_refusal(text: str) -> None:
    try:
        card = read_card(f"---\n{text}\n---\n")
    except BadCard:
        return
    assert card is None or isinstance(card, dict)
    tags_of(card, RepoKind.MODEL)


def test_tags_are_flat_and_stable() -> None:
    card = {
        "license": "apache-2.0",
        "language": ["zh", "en"],
        "base_model": "lin/base",
        "base_model_relation": "finetune",
        "datasets": ["lin/cloth"],
        "tags": ["cloth", "cloth"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
    }

    assert tags_of(card, RepoKind.MODEL) == [
        *("cloth", "transformers", "text-generation", "base_model:lin/base"),
        *("base_model:finetune:lin/base", "dataset:lin/cloth", "zh", "en", "license:apache-2.0"),
        "region:us",
    ]
    assert "language:zh" in tags_of(card, RepoKind.DATASET)


def test_faults_are_found_as_the_public_suite_expects_them() -> None:
    def errors(yaml: str) -> list[str]:
        found = find_faults(f"---\n{yaml}\n---\n", RepoKind.MODEL)
        return [f.message for f in found if f.is_error]

    assert errors("license: not-one")[0].startswith('"license" must be one of [')
    assert errors("license: mit") == []
    assert errors("model-index:\n- name: x") == ['"model-index[0].results" is required']
    assert errors("tags: 3") == ['"tags" must be an array of strings']
    assert errors("a: [") != []
    empty = find_faults("# nothing", RepoKind.MODEL)
    assert [f.is_error for f in empty] == [False]


def test_a_config_is_read_for_two_facts_only() -> None:
    config = b'{"architectures": ["GPT2LMHeadModel", 3], "model_type": "gpt2", "vocab_size": 5}'

    assert read_config(config) == {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
    assert read_config(b"[1]") is None
    assert read_config(b"{") is None


def test_what_a_space_runs_is_a_file_or_unknown() -> None:
    assert app_file_of(None) is app_file_of({"app_file": "a.py"}) is None
    assert app_file_of({"sdk": "static", "app_file": "./"}) == "index.html"
    assert app_file_of({"sdk": "gradio", "app_file": "a/b.py"}) == "a/b.py"


def test_what_a_space_uses_is_named_once_and_bounded() -> None:
    card = {"models": ["a/b", "a/b", 1, "", "x" * 201], "datasets": [f"d/{i}" for i in range(300)]}

    uses = uses_of(card)

    assert uses[RepoKind.MODEL] == ["a/b"]
    assert uses[RepoKind.DATASET] == [f"d/{i}" for i in range(200)]
    assert uses_of(None) == {RepoKind.MODEL: [], RepoKind.DATASET: []}
