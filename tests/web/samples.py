"""Every page with plausible, empty, long and hostile content: rendered by tests and looked at."""

# ruff: noqa: FBT003, RUF001  (rows of a table read better without names; Chinese has its own marks)

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markupsafe import Markup

from jishi.http.markdown import Place, lines_of, render_markdown
from jishi.web.pages.chrome import Chrome
from jishi.web.pages.errors import ErrorPage
from jishi.web.pages.files import (
    Change,
    CommitPage,
    CommitsPage,
    Crumb,
    DiffLine,
    EntryRow,
    FileDiff,
    FilePage,
    FolderPage,
    LargeFacts,
    Revisions,
)
from jishi.web.pages.home import HomePage, Owner, SearchPage, Shelf
from jishi.web.pages.lists import (
    Choice,
    Filter,
    ListPage,
    OwnerPage,
    Parent,
    Row,
    Stock,
    Tie,
)
from jishi.web.pages.people import (
    ChangePasswordPage,
    DevicePage,
    MemberRow,
    MembersPage,
    MyOrgsPage,
    NewOrgPage,
    OrgRow,
    OrgSettingsPage,
    PasswordPage,
    PeoplePage,
    PersonRow,
    ProfilePage,
    SetUpPage,
    SignInPage,
    TokenRow,
    TokensPage,
)
from jishi.web.pages.repos import (
    CardPage,
    Facts,
    NewRepoPage,
    RepoHead,
    RepoSettingsPage,
    Uses,
)

NOW = 1_762_000_000_000_000
MINUTE = 60_000_000
DAY = 1440 * MINUTE
LONG = "celadon-7b-instruct-gguf-q4_k_m-imatrix-long-context-131072-merged-with-jacquard-adapter-v2"
DIGEST = "9f2c1e7a5b0d4c3e8f6a7b1c2d3e4f5061728394a5b6c7d8e9f00112233445566"[:64]
OID = DIGEST[:40]

VISITOR = Chrome(
    locale="en",
    theme="",
    now=NOW,
    base="http://127.0.0.1:8000",
    release="2026.11.0",
    ways=("/models", "/datasets", "/spaces"),
    way="",
    here="/",
    language_url="?lang=zh-Hans",
    theme_url="?theme=dark",
    name="",
    is_admin=False,
)
LIN = replace(VISITOR, name="lin-qing", is_admin=True)

PARENT = Parent("longquan/celadon-base", "finetune")
ROW = Row(
    kind="model",
    owner="longquan",
    name="celadon-chat",
    url="/longquan/celadon-chat",
    private=False,
    task="text-generation",
    licence="apache-2.0",
    library="transformers",
    parents=(PARENT,),
    downloads_30d=21_400,
    likes=3_102,
    updated_at=NOW - 125 * MINUTE,
)
ROWS = (
    ROW,
    replace(ROW, owner="zhe", name="base-7b", parents=(), updated_at=NOW - 21 * DAY),
    replace(ROW, owner="chen-opc", name=LONG, downloads_30d=602_000, private=True),
    replace(
        ROW,
        owner="a-laboratory-with-the-longest-name-allowed",
        name="x",
        task="",
        licence="",
        library="",
        parents=(
            Parent(f"chen-opc/{LONG}", "quantized"),
            Parent("a/b", "merge"),
            Parent("c/d", ""),
        ),
        downloads_30d=0,
        likes=0,
        updated_at=NOW - 400 * DAY,
    ),
    replace(ROW, owner="wenzhou", name="asr-wu-dialect", parents=(Parent("open/asr", "adapter"),)),
)
MANY = tuple(replace(ROW, name=f"model-{i:03}", downloads_30d=i * 937) for i in range(30))

HEAD = RepoHead(
    kind="model",
    owner="longquan",
    name="celadon-chat",
    url="/longquan/celadon-chat",
    list_url="/models",
    private=False,
    files_url="/longquan/celadon-chat/tree/main",
    history_url="/longquan/celadon-chat/commits/main",
    task="text-generation",
    licence="apache-2.0",
    likes=402,
    is_liked=False,
    commits=14,
    may_write=False,
    tab="card",
)
LONG_HEAD = replace(
    HEAD,
    kind="dataset",
    owner="a-laboratory-with-the-longest-name-allowed",
    name=LONG,
    url=f"/datasets/a-laboratory-with-the-longest-name-allowed/{LONG}",
    list_url="/datasets",
    private=True,
    commits=None,
    is_liked=True,
    may_write=True,
)
USES = Uses(
    repo_type="",
    python="causal-lm",
    sample_url="http://127.0.0.1:8000/longquan/celadon-chat/resolve/main/config.json",
    sample_name="config.json",
    git_url="http://127.0.0.1:8000/longquan/celadon-chat",
)
FACTS = Facts(
    downloads_30d=18_204,
    downloads_all=6_031_118,
    created_at=NOW - 150 * DAY,
    updated_at=NOW - 2 * DAY,
    licences=("apache-2.0",),
    library="transformers",
    languages=("zh", "en"),
    architecture="LlamaForCausalLM",
    parents=(PARENT,),
    datasets=("longquan/kiln-notes",),
    tags=(("chat", "/models?tag=chat"), ("license:apache-2.0", "/models?tag=license%3Aapache-2.0")),
)
NO_FACTS = Facts(0, 0, NOW, NOW, (), "", (), "", (), (), ())
CARD = """---
license: apache-2.0
---
# 青瓷对话

一个很小的对话模型，由 `celadon-base` 微调而来，公式 $E = mc^2$ 与 **重点。**之后。

> [!WARNING]
> 只用于测试。

## Use

```python
from transformers import pipeline

chat = pipeline("text-generation", model="longquan/celadon-chat")  # small
print(chat("你好")[0]["generated_text"])
```

| Test set | recall@1 | recall@5 |
|---|--:|--:|
| keqiao/cloth-40k | 0.842 | 0.961 |

- [x] trained
- [ ] evaluated on everything there is in the world, and in a language that nobody speaks

![outside](https://example.com/a.png) and a foot note[^1].

[^1]: Here.
"""
CARD_HTML = render_markdown(CARD, Place("/a/b/blob/main", "/a/b/resolve/main"))

REVISIONS = Revisions(
    chosen="main",
    is_commit=False,
    branches=(("main", "/x/tree/main"), ("int8-export", "/x/tree/int8-export")),
    tags=(("v1.0", "/x/tree/v1.0"),),
)
AT_COMMIT = Revisions(OID, True, (("main", "/x/tree/main"),), ())
CHANGE = Change(OID, f"/x/commit/{OID}", "更新分词器，支持繁体字", "lin-qing", NOW - 120 * MINUTE)
LONG_CHANGE = replace(
    CHANGE, title="Upload " + LONG + " with huggingface_hub", author="a-laboratory-with-the-long"
)
CRUMBS = (Crumb("celadon-chat", "/x/tree/main"), Crumb("onnx", ""))
ENTRIES = (
    EntryRow("onnx", "/x/tree/main/onnx", True, None, False, False, CHANGE),
    EntryRow("README.md", "/x/blob/main/README.md", False, 8_214, False, False, CHANGE),
    EntryRow("config.json", "/x/blob/main/config.json", False, 316, False, False, LONG_CHANGE),
    EntryRow(f"{LONG}.safetensors", "/x/blob/main/m", False, 855_233_026, True, False, LONG_CHANGE),
    EntryRow("bad.bin", "/x/blob/main/bad.bin", False, 3_400, True, True, CHANGE),
    EntryRow("图片 样本.png", "/x/blob/main/p", False, 1_000_000, True, False, None),
)
FILE = FilePage(
    chrome=VISITOR,
    head=replace(HEAD, tab="files"),
    revisions=REVISIONS,
    crumbs=(CRUMBS[0], Crumb("train.py", "")),
    name="train.py",
    size=1_204,
    last=CHANGE,
    raw_url="/x/resolve/main/train.py",
    download_url="/x/resolve/main/train.py?download=true",
    history_url="/x/commits/main/train.py",
    other_view_url="",
    view="code",
    lines=lines_of(
        '"""Doc."""\nimport torch\n\n\ndef f(x: int) -> str:\n    return "x" * 3\n', "python"
    )
    * 8,
    html=None,
    large=None,
)
LARGE = LargeFacts(DIGEST, "chunks", True)
DIFF = (
    DiffLine("hunk", None, None, (("@@ -18,6 +18,7 @@ ## Use", False),)),
    DiffLine("same", 18, 18, (("```python", False),)),
    DiffLine("del", 19, None, (("model = load(", False), ("base", True), (")", False))),
    DiffLine("add", None, 19, (("model = load(", False), ("large", True), (")", False))),
    DiffLine("add", None, 20, (("x" * 300, False),)),
)
DIFFS = (
    FileDiff("README.md", "/x/blob/main/README.md", "change", 2, 1, DIFF, ""),
    FileDiff("model.safetensors", "/x/blob/main/m", "add", 0, 0, (), "large"),
    FileDiff("a/" + LONG + ".bin", "", "delete", 0, 0, (), "binary"),
    FileDiff("data.csv", "/x/blob/main/data.csv", "change", 90_000, 3, (), "long"),
    FileDiff("mode", "/x/blob/main/mode", "change", 0, 0, (), ""),
)
ERROR_STATES = (
    *("sign_in", "forbidden", "missing", "hidden", "gone", "not_yet", "wrong", "conflict"),
    *("later", "broken"),
)
PROBLEM = "bad name! is not a valid repository name: up to 96 letters, digits, and . _ -"
_PROBLEMS = {"name": PROBLEM, "full_name": "", "email": PROBLEM, "password": PROBLEM}

_ORG = OwnerPage(
    chrome=VISITOR,
    name="longquan",
    full_name="龙泉实验室",
    is_organisation=True,
    since=NOW - 300 * DAY,
    stocks=(
        Stock("model", 41, ROWS, "/models?owner=longquan"),
        Stock("dataset", 1, (replace(ROW, kind="dataset"),), "/datasets?owner=longquan"),
        Stock("space", 0, (), "/spaces?owner=longquan"),
    ),
    ties=(Tie("lin-qing", "林青", "admin"), Tie("chen-opc", "", "read")),
    more_ties=True,
    may_create=True,
    may_manage=True,
    done="deleted",
)
_PERSON = replace(
    _ORG,
    name="chen-opc",
    full_name="",
    is_organisation=False,
    stocks=tuple(replace(stock, count=0, rows=()) for stock in _ORG.stocks),
    ties=(),
    more_ties=False,
    may_create=False,
    may_manage=False,
)
_LIST = ListPage(
    chrome=replace(VISITOR, way="/models"),
    kind="model",
    text="",
    hidden=(("sort", "likes"),),
    sorts=(
        Choice("updated", "/models", False),
        Choice("downloads", "/models?sort=downloads", False),
        Choice("likes", "/models?sort=likes", True),
        Choice("created", "/models?sort=created", False),
    ),
    filters=(),
    rows=ROWS + MANY,
    first_url="/models",
    next_url="/models?after=x",
    plain_url="/models",
)
_TOKENS = TokensPage(
    chrome=LIN,
    tokens=(
        TokenRow("a" * 24, "laptop", "write", "x1Y2", NOW - 90 * DAY, NOW - 4 * MINUTE, None),
        TokenRow("b" * 24, "old build machine", "read", "abcd", NOW - 211 * DAY, None, NOW + DAY),
        TokenRow("c" * 24, LONG, "read", "zzzz", NOW - DAY, NOW - DAY, None),
    ),
    secret="",
    new_name="",
    new_role="read",
    problem="",
    done="revoked",
)
_MEMBERS = MembersPage(
    chrome=LIN,
    org="longquan",
    full_name="龙泉实验室",
    members=(
        MemberRow("lin-qing", "林青", "admin", NOW - 300 * DAY),
        MemberRow("a-laboratory-with-the-longest-name-allowed", "", "contributor", NOW),
    ),
    may_manage=True,
    person="",
    role="write",
    next_url="/organizations/longquan/members?after=x",
    first_url="",
    problem="",
    done="",
)
_PEOPLE = PeoplePage(
    chrome=LIN,
    people=(
        PersonRow("lin-qing", "林青", "lin@example.org", True, True, True, NOW - 300 * DAY),
        PersonRow("chen-opc", "", "", False, False, True, NOW - DAY),
        PersonRow(
            "a-laboratory-with-the-longest-name-allowed",
            "A very long full name that goes on and on",
            "a.very.long.address@department.university.example",
            False,
            True,
            True,
            NOW,
        ),
        PersonRow("wu", "吴", "", False, True, False, NOW),
    ),
    first_url="",
    next_url="",
    link="",
    link_name="",
    link_expires_at=0,
    name="",
    full_name="",
    email="",
    as_admin=False,
    problem="",
    problem_of="",
)
_SETTINGS = RepoSettingsPage(
    chrome=LIN,
    head=replace(LONG_HEAD, tab="settings"),
    owners=("lin-qing", "longquan"),
    new_owner="longquan",
    new_name=LONG,
    typed="",
    problem="",
    problem_of="",
    done="",
)
_SHELVES = (
    Shelf("model", ROWS, "/models"),
    Shelf("dataset", (replace(ROW, kind="dataset", parents=()),), ""),
    Shelf("space", (replace(ROW, kind="space", task="gradio", parents=()),), "/spaces"),
)
_FOLDER = FolderPage(
    chrome=VISITOR,
    head=replace(HEAD, tab="files"),
    revisions=REVISIONS,
    crumbs=CRUMBS[:1],
    latest=CHANGE,
    entries=ENTRIES,
    first_url="/x/tree/main",
    next_url="/x/tree/main?after=x",
    readme_html=None,
)
_COMMITS = CommitsPage(
    chrome=VISITOR,
    head=replace(HEAD, tab="history"),
    revisions=REVISIONS,
    file="",
    file_url="",
    changes=(CHANGE, LONG_CHANGE, CHANGE),
    first_url="",
    next_url="/x/commits/main?after=x",
)
_COMMIT = CommitPage(
    chrome=VISITOR,
    head=replace(HEAD, tab="history"),
    change=LONG_CHANGE,
    message="Why it was done.\n\nSecond paragraph.",
    parents=(("1234567890", "/x/commit/1234567890"),),
    tree_url="/x/tree/main",
    files=DIFFS,
    is_cut=True,
)

SAMPLES: dict[str, tuple[str, Any]] = {
    "home": ("home/home.html", HomePage(LIN, _SHELVES, ROWS[:3], False)),
    "home-visitor": ("home/home.html", HomePage(VISITOR, _SHELVES[:1], (), False)),
    "home-new": ("home/home.html", HomePage(VISITOR, (), (), True)),
    "home-new-signed-in": ("home/home.html", HomePage(LIN, (), (), True)),
    "search": (
        "home/search.html",
        SearchPage(VISITOR, "celadon", (Owner("celadon", "青瓷", True),), _SHELVES),
    ),
    "search-nothing": ("home/search.html", SearchPage(VISITOR, "<b>weft</b> " + LONG, (), ())),
    "list": ("hub/list.html", _LIST),
    "list-filtered": (
        "hub/list.html",
        replace(
            _LIST,
            text="cel",
            rows=ROWS[:2],
            filters=(
                Filter("tag", "license:apache-2.0", "/models"),
                Filter("owner", "longquan", "/models"),
            ),
            next_url="",
            first_url="",
        ),
    ),
    "list-nothing": (
        "hub/list.html",
        replace(_LIST, text="weft skw", rows=(), next_url="", first_url=""),
    ),
    "list-empty": (
        "hub/list.html",
        replace(_LIST, kind="dataset", rows=(), next_url="", first_url="", chrome=LIN),
    ),
    "organisation": ("hub/owner.html", _ORG),
    "person-empty": ("hub/owner.html", _PERSON),
    "person-empty-own": ("hub/owner.html", replace(_PERSON, may_create=True, chrome=LIN)),
    "card": ("hub/card.html", CardPage(VISITOR, HEAD, USES, FACTS, CARD_HTML, "zh", False)),
    "card-long": (
        "hub/card.html",
        CardPage(
            LIN,
            LONG_HEAD,
            replace(USES, repo_type="dataset", python="datasets"),
            replace(FACTS, parents=ROWS[3].parents, tags=FACTS.tags * 12),
            CARD_HTML,
            "",
            False,
        ),
    ),
    "card-none": ("hub/card.html", CardPage(VISITOR, HEAD, USES, NO_FACTS, None, "", False)),
    "card-empty": (
        "hub/card.html",
        CardPage(LIN, replace(HEAD, may_write=True), USES, NO_FACTS, None, "", True),
    ),
    "card-empty-visitor": (
        "hub/card.html",
        CardPage(VISITOR, HEAD, USES, NO_FACTS, None, "", True),
    ),
    "folder": ("hub/folder.html", _FOLDER),
    "folder-long": (
        "hub/folder.html",
        replace(
            _FOLDER,
            head=replace(LONG_HEAD, tab="files"),
            revisions=AT_COMMIT,
            latest=LONG_CHANGE,
            crumbs=(*CRUMBS[:1], Crumb(LONG, "/x"), Crumb(LONG, "/x"), Crumb("end", "")),
            readme_html=CARD_HTML,
        ),
    ),
    "folder-empty": (
        "hub/folder.html",
        replace(_FOLDER, entries=(), latest=None, first_url="", next_url=""),
    ),
    "file-code": ("hub/file.html", FILE),
    "file-rendered": (
        "hub/file.html",
        replace(FILE, name="README.md", view="rendered", html=CARD_HTML, other_view_url="?plain=1"),
    ),
    "file-image": (
        "hub/file.html",
        replace(FILE, name="seal.svg", view="image", raw_url="/seal.svg", large=LARGE),
    ),
    "file-large": (
        "hub/file.html",
        replace(
            FILE,
            name=f"{LONG}.safetensors",
            view="binary",
            size=855_233_026,
            large=replace(LARGE, stored_as="plain", is_verified=False),
        ),
    ),
    "file-too-long": ("hub/file.html", replace(FILE, view="large", size=9_000_000)),
    "file-blocked": (
        "hub/file.html",
        replace(FILE, name="bad.bin", view="blocked", large=replace(LARGE, is_verified=False)),
    ),
    "commits": ("hub/commits.html", _COMMITS),
    "commits-file": (
        "hub/commits.html",
        replace(_COMMITS, file=f"onnx/{LONG}.onnx", file_url="/x", next_url="", first_url="/x"),
    ),
    "commits-empty": ("hub/commits.html", replace(_COMMITS, changes=(), next_url="")),
    "commit": ("hub/commit.html", _COMMIT),
    "commit-first": (
        "hub/commit.html",
        replace(_COMMIT, change=CHANGE, message="", parents=(), files=DIFFS[:1], is_cut=False),
    ),
    "repo-settings": ("hub/settings.html", _SETTINGS),
    "repo-settings-refused": (
        "hub/settings.html",
        replace(_SETTINGS, problem=PROBLEM, problem_of="move", new_name="bad name!"),
    ),
    "repo-settings-mistyped": (
        "hub/settings.html",
        replace(_SETTINGS, problem_of="delete", typed="celadon", done="move"),
    ),
    "new": ("hub/new.html", NewRepoPage(LIN, "model", ("lin-qing", "longquan"), "", "", "", "")),
    "new-refused": (
        "hub/new.html",
        NewRepoPage(LIN, "space", ("lin-qing",), "lin-qing", "bad name!", "private", PROBLEM),
    ),
    "sign-in": ("people/sign_in.html", SignInPage(VISITOR, "", "", False, "")),
    "sign-in-refused": (
        "people/sign_in.html",
        SignInPage(VISITOR, "lin-qing", "/a/b", True, "The name or the password is wrong."),
    ),
    "set-up": ("people/set_up.html", SetUpPage(VISITOR, True, "", "", "", "")),
    "sign-up": (
        "people/set_up.html",
        SetUpPage(VISITOR, False, "lin", "林", "a@b.c", PROBLEM, _PROBLEMS),
    ),
    "invitation": ("people/password.html", PasswordPage(VISITOR, True, "chen-opc", "")),
    "reset": ("people/password.html", PasswordPage(VISITOR, False, "chen-opc", PROBLEM)),
    "profile": ("people/profile.html", ProfilePage(LIN, "林青", "lin@example.org", "", True)),
    "change-password": ("people/change_password.html", ChangePasswordPage(LIN, "", False)),
    "change-password-done": ("people/change_password.html", ChangePasswordPage(LIN, PROBLEM, True)),
    "tokens": ("people/tokens.html", _TOKENS),
    "tokens-new": ("people/tokens.html", replace(_TOKENS, secret="hf_EXAMPLE" + "x" * 30)),
    "tokens-none": ("people/tokens.html", replace(_TOKENS, tokens=(), problem=PROBLEM)),
    "device": ("people/device.html", DevicePage(LIN, "ask", "", 0, "")),
    "device-confirm": ("people/device.html", DevicePage(LIN, "confirm", "ABCD-EFGH", NOW - 90, "")),
    "device-approved": ("people/device.html", DevicePage(LIN, "approved", "", 0, "")),
    "device-denied": ("people/device.html", DevicePage(LIN, "denied", "", 0, "")),
    "organisations": (
        "people/organizations.html",
        MyOrgsPage(LIN, (OrgRow("longquan", "龙泉实验室", "admin"), OrgRow("zju", "", "read"))),
    ),
    "organisations-none": ("people/organizations.html", MyOrgsPage(LIN, ())),
    "organisation-new": (
        "people/new_organization.html",
        NewOrgPage(LIN, "", "", False, PROBLEM, _PROBLEMS),
    ),
    "organisation-settings": (
        "people/organization_settings.html",
        OrgSettingsPage(LIN, "longquan", "龙泉实验室", True, "", True),
    ),
    "members": ("people/members.html", _MEMBERS),
    "members-visitor": (
        "people/members.html",
        replace(_MEMBERS, chrome=VISITOR, may_manage=False, next_url="", done="saved"),
    ),
    "members-none": ("people/members.html", replace(_MEMBERS, members=(), problem=PROBLEM)),
    "people": ("people/people.html", _PEOPLE),
    "people-invited": (
        "people/people.html",
        replace(
            _PEOPLE,
            link="http://127.0.0.1:8000/password/" + "Ab3" * 14,
            link_name="chen-opc",
            link_expires_at=NOW + 7 * DAY,
            problem=PROBLEM,
            problem_of="invite",
            problems=_PROBLEMS,
        ),
    ),
    **{
        f"error-{state}": ("errors/error.html", ErrorPage(LIN, state, PROBLEM, "68f0c2a1b3d4e5f6"))
        for state in ERROR_STATES
    },
    "error-missing-visitor": (
        "errors/error.html",
        ErrorPage(replace(VISITOR, here="/a/b"), "hidden", "There is no model a/b.", ""),
    ),
}
"""Name -> template and page, in English; ``in_locale`` gives the others."""


def in_locale(page: Any, locale: str, theme: str = "") -> Any:
    """Return a sample in another language or theme."""
    return replace(page, chrome=replace(page.chrome, locale=locale, theme=theme))


def markup(text: str) -> Markup:
    """Mark a sample's text as safe."""
    return Markup(text)
