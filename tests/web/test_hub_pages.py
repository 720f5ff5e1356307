"""Home, lists, owners and repositories, as somebody at a browser meets them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from jishi import git, hub
from jishi.core.db import Mode
from jishi.hub import RepoKind, access_repo, content
from jishi.hub.commits import CommitDraft, PutLarge
from jishi.hub.content import tables as content_tables
from jishi.people import Actor
from jishi.web.addresses import PREFIX
from tests.web.conftest import Visitor, add

CARD = "---\nlicense: mit\ntags: [kiln]\nbase_model: zhe/base\n---\n# Silk\n\n[use](docs/use.md)\n"


def test_an_empty_bazaar_says_the_next_commands(visitor: Visitor, lin: Visitor) -> None:
    assert "export HF_ENDPOINT=http://hub.test hf auth login" in visitor.get("/").said
    assert "hf upload lin/first-model ." in lin.get("/").said


def test_home_shows_what_is_new_and_what_is_mine(put, visitor: Visitor, lin: Visitor) -> None:
    put("lin/silk", {"README.md": CARD})
    put("lin/secret", {}, private=True)

    assert "lin/ silk" in visitor.get("/").said
    assert "secret" not in visitor.get("/").said
    assert "lin/ secret private" in lin.get("/").said


def test_search_finds_names_of_all_kinds_and_owners(put, visitor: Visitor) -> None:
    put("longquan/silk", {})
    put("longquan/silk-notes", {}, RepoKind.DATASET)

    found = visitor.get("/?q=SILK").said
    owner = visitor.get("/?q=longquan").said
    nothing = visitor.get("/?q=%3Cb%3E").text

    assert "Models L longquan/ silk" in found
    assert "Datasets L longquan/ silk-notes" in found
    assert "longquan 龙泉实验室 Organisation" in owner
    assert "Nothing has this in its name" in nothing
    assert "<b>" not in re.sub(r"<b>\d+</b>", "", nothing.replace("<b>claimed", ""))


def test_a_list_filters_sorts_and_turns_pages(put, visitor: Visitor) -> None:
    put("lin/silk", {"README.md": CARD})
    for number in range(31):
        put(f"longquan/m{number:02}", {})

    first = visitor.get("/models?sort=created")
    following = re.search(r'href="(/models\?[^"]*after=[^"]*)"', first.text)
    assert following
    second = visitor.get(following[1].replace("&amp;", "&"))

    assert first.text.count('<a class="name"') == 30
    assert second.text.count('<a class="name"') == 2
    assert "First page" in second.said
    assert visitor.get("/models?tag=kiln").text.count('<a class="name"') == 1
    assert visitor.get("/models?owner=lin&q=si").text.count('<a class="name"') == 1
    assert "Nothing here matches" in visitor.get("/models?owner=lin&q=x").said
    assert "No datasets here yet" in visitor.get("/datasets").said
    assert visitor.get("/models?after=!!!").status == 400


def test_a_row_says_what_the_card_claims(put, visitor: Visitor) -> None:
    put("lin/silk", {"README.md": CARD})

    said = visitor.get("/models").said

    assert "MIT" in said
    assert "claimed derived from zhe/base" in said


def test_owners_have_a_page_and_nobody_has_none(put, visitor: Visitor, lin: Visitor) -> None:
    put("longquan/silk", {})

    org, person = visitor.get("/longquan").said, lin.get("/lin").said
    missing = visitor.get("/nobody")

    assert "龙泉实验室 longquan Organisation" in org
    assert "Members L lin admin" in org
    assert "hf upload lin/first-model ." in person
    assert "Organisations L longquan admin" in person
    assert (missing.status, "Nobody here is called nobody." in missing.said) == (404, True)


def test_a_card_is_rendered_with_commands_for_this_host(put, visitor: Visitor) -> None:
    put("lin/silk", {"README.md": CARD, "config.json": '{"architectures": ["XForCausalLM"]}'})

    page = visitor.get("/lin/silk")

    assert '<h2 id="card-silk">Silk</h2>' in page.text
    assert 'href="/lin/silk/blob/main/docs/use.md"' in page.text
    assert "export HF_ENDPOINT=http://hub.test hf download lin/silk" in page.said
    assert "git clone http://hub.test/lin/silk" in page.said
    assert 'AutoModelForCausalLM.from_pretrained( "lin/silk" )' in page.said
    assert "curl -fL http://hub.test/lin/silk/resolve/main/config.json" in page.said
    assert "Licence MIT Architecture XForCausalLM" in page.said


def test_words_of_ours_in_a_card_speak_the_reader_s_language(put, visitor: Visitor) -> None:
    put("lin/silk", {"README.md": "> [!WARNING]\n> hot\n\n> [!NOTE] Mine\n> x\n"})

    english = visitor.get("/lin/silk").text
    chinese = visitor.get("/lin/silk", ("accept-language", "zh-CN")).text

    assert '<p class="markdown-alert-title">Warning</p>' in english
    assert '<p class="markdown-alert-title">警告</p>' in chinese
    assert '<p class="markdown-alert-title">Mine</p>' in chinese


def test_refusals_say_words_of_ours_in_the_reader_s_language(lin: Visitor, mei: Visitor) -> None:
    chinese = ("accept-language", "zh-CN")
    lin.get("/?lang=zh")
    form = {"kind": "model", "owner": "lin", "name": "silk", "visibility": "public"}
    lin.post("/new", **form)

    assert "模型仓库 lin/nothing 不存在" in lin.get("/lin/nothing").said
    assert "此模型仓库已存在" in lin.post("/new", **form).said
    assert "“管理”" in mei.get("/organizations/longquan/settings", chinese).said
    assert "没有权限" in mei.get("/organizations/longquan/settings", chinese).said


def test_datasets_and_spaces_have_commands_of_their_own(put, visitor: Visitor) -> None:
    put("lin/notes", {"a.csv": "1\n"}, RepoKind.DATASET)
    put("lin/app", {"app.py": "1\n"}, RepoKind.SPACE)

    notes, app = visitor.get("/datasets/lin/notes").said, visitor.get("/spaces/lin/app").said

    assert "hf download lin/notes --repo-type dataset" in notes
    assert 'load_dataset( "lin/notes" )' in notes
    assert "git clone http://hub.test/datasets/lin/notes" in notes
    assert 'snapshot_download( "lin/app" , repo_type= "space" )' in app
    assert "Spaces do not run here yet." in app
    assert "Spaces do not run" not in notes


def test_an_empty_repository_says_how_to_fill_it(put, visitor: Visitor, lin: Visitor) -> None:
    put("lin/silk", {})

    assert "hf upload lin/silk ." in lin.get("/lin/silk").said
    assert "hf upload" not in visitor.get("/lin/silk").said
    assert "Nothing has been uploaded yet" in visitor.get("/lin/silk").said


def test_a_private_repository_is_not_there_for_others(put, visitor: Visitor, mei, lin) -> None:
    put("lin/silk", {"a.txt": "x"}, private=True)

    for path in ("", "/tree/main", "/blob/main/a.txt", "/commits/main", "/settings"):
        hidden = visitor.get(f"/lin/silk{path}")
        absent = visitor.get(f"/lin/nothing{path}")
        assert hidden.status == absent.status == 404
        assert hidden.said == absent.said.replace("nothing", "silk")
        assert mei.get(f"/lin/silk{path}").status == 404
        assert lin.get(f"/lin/silk{path}").status == 200


@pytest.mark.parametrize("kind", RepoKind)
def test_addresses_of_other_hubs_say_that_they_are_to_come(
    put, visitor: Visitor, lin: Visitor, kind: RepoKind
) -> None:
    put("lin/silk", {}, kind)
    put("lin/secret", {}, kind, private=True)
    prefix = PREFIX[kind]

    for path in ("/discussions", "/discussions/1", "/community"):
        page = visitor.get(f"{prefix}lin/silk{path}")
        assert (page.status, "Not here yet" in page.said) == (404, True)
        assert "Not here yet" not in visitor.get(f"{prefix}lin/secret{path}").said
        assert "Not here yet" in lin.get(f"{prefix}lin/secret{path}").said
    for path in ("/collections/lin/x", "/jobs", "/jobs/lin/1"):
        assert "Not here yet" in visitor.get(path).said
    assert "/discussions" not in visitor.get(f"{prefix}lin/silk").text


def test_likes_are_counted_once_and_taken_back(put, mei: Visitor, visitor: Visitor) -> None:
    put("lin/silk", {})

    assert mei.post("/lin/silk/like", like="1").goes_to == "/lin/silk"
    mei.post("/lin/silk/like", like="1")
    liked = mei.get("/lin/silk").text
    mei.post("/lin/silk/like", like="0")

    assert 'aria-pressed="true"' in liked
    assert '<span class="sr">likes </span><data value="1">1</data>' in liked
    assert 'aria-pressed="false"' in mei.get("/lin/silk").text
    assert visitor.post("/lin/silk/like", like="1").status == 401


def test_folders_show_what_changed_each_entry_last(put, visitor: Visitor) -> None:
    put("lin/silk", {"a/b/c.txt": "1\n", "z.txt": "1\n"})
    put("lin/silk", {"a/b/c.txt": "2\n"}, title="Change c")

    top, folder = visitor.get("/lin/silk/tree/main").said, visitor.get("/lin/silk/tree/main/a/b")

    assert re.search(r"a Change c .* ago .* z\.txt 2 B initial commit", top)
    assert "c.txt 2 B Change c" in folder.said
    assert '<a href="/lin/silk/tree/main/a">a</a>' in folder.text
    assert visitor.get("/lin/silk/tree/main/a/b/c.txt").goes_to == "/lin/silk/blob/main/a/b/c.txt"
    assert visitor.get("/lin/silk/blob/main/a/b").goes_to == "/lin/silk/tree/main/a/b"
    assert visitor.get("/lin/silk/tree/main/nothing").status == 404
    assert visitor.get("/lin/silk/tree/nothing").status == 404


def test_folders_turn_pages_at_two_hundred(put, visitor: Visitor) -> None:
    put("lin/silk", {f"d/{number:03}.txt": "x" for number in range(203)})

    first = visitor.get("/lin/silk/tree/main/d")
    following = re.search(r'href="(/lin/silk/tree/main/d\?after=[^"]*)"', first.text)
    assert following
    second = visitor.get(following[1])

    assert first.text.count("i i-file") == 200
    assert second.text.count("i i-file") == 3


def test_names_in_any_script_lead_to_their_files(put, visitor: Visitor) -> None:
    name = "图 #1 100%+/甲?乙.txt"
    put("lin/silk", {name: "x\n"})

    folder = visitor.get("/lin/silk/tree/main/%E5%9B%BE%20%231%20100%25%2B")
    link = re.search(r'href="(/lin/silk/blob/[^"]*)"', folder.text)
    assert link

    assert "甲?乙.txt" in visitor.get(link[1]).said


@pytest.mark.parametrize(
    ("name", "data", "seen"),
    [
        ("train.py", b"def f():\n    pass\n", '<span class="hl-k">def</span>'),
        ("README.md", b"# Silk", '<h2 id="card-silk">'),
        ("README.md?plain=1", b"# Silk", '<span class="hl-gh">'),
        ("a.bin", b"\x00\x01", "Nothing to read in here"),
        ("a.txt", b"\xff\xfe", "Nothing to read in here"),
        ("a.txt", b"x\n" * 300_000, "Too long to show here"),
        ("a.txt", b"<script>", "&lt;script&gt;"),
        ("a.PNG", b"not a picture", '<img src="/lin/silk/resolve/main/a.PNG" alt="a.PNG">'),
        ("a.svg", b"<svg/>", '<img src="/lin/silk/resolve/main/a.svg" alt="a.svg">'),
        ("a.svg?plain=1", b"<svg/>", '<span class="hl-nt">'),
        ("a.mp3", b"x", "<audio controls"),
        ("a.mp4", b"x", "<video controls"),
        ("empty", b"", '<pre class="code">'),
    ],
)
def test_files_are_shown_as_what_they_are(
    put, visitor: Visitor, name: str, data: bytes, seen: str
) -> None:
    put("lin/silk", {name.partition("?")[0]: data})

    assert seen in visitor.get(f"/lin/silk/blob/main/{name}").text


def _commit_large(node, lin: Actor, data: bytes) -> bytes:
    """Put a large file into ``lin/silk`` whose digest this server computed."""
    sha256 = hashlib.sha256(data).digest()
    with node.db.begin(Mode.WRITE) as tx:
        repo = access_repo(tx, lin, RepoKind.MODEL, "lin/silk")
        content.register_plain(tx, repo.id, sha256, size=len(data))
    draft = CommitDraft("Large", changes=(PutLarge("w.bin", sha256, len(data)),))
    asyncio.run(hub.commit(node, lin, RepoKind.MODEL, "lin/silk", "main", draft))
    return sha256


def test_large_files_say_how_they_are_kept(node, put, lin_actor, visitor: Visitor) -> None:
    put("lin/silk", {})
    sha256 = _commit_large(node, lin_actor, b"weights" * 1000)

    page = visitor.get("/lin/silk/blob/main/w.bin").said

    assert f"SHA-256 {sha256.hex()} Size 7,000 bytes Kept as one file" in page
    assert "SHA-256 computed by this server" in page
    assert "Download 7 KB" in page


def test_a_file_with_other_bytes_than_promised_is_shown_blocked(
    node, put, lin_actor, visitor: Visitor
) -> None:
    put("lin/silk", {})
    sha256 = _commit_large(node, lin_actor, b"weights")
    with node.db.begin(Mode.WRITE) as tx:
        rows = content_tables.contents
        own = sa.update(rows).where(rows.c.sha256 == sha256)
        chunks = {"plain_key": None, "xet_file_id": 1, "xet_hash": b"x" * 32}
        tx.conn.execute(own.values(verified_at=None, blocked_at=tx.now, **chunks))

    page = visitor.get("/lin/silk/blob/main/w.bin")

    assert "This file is blocked." in page.said
    assert "/resolve/" not in page.text
    assert "blocked not the bytes that were promised" in visitor.get("/lin/silk/tree/main").said


def test_a_commit_of_a_large_file_compares_nothing(node, put, lin_actor, visitor: Visitor) -> None:
    put("lin/silk", {})
    _commit_large(node, lin_actor, b"weights")

    history = visitor.get("/lin/silk/commits/main").text
    link = re.search(r'href="(/lin/silk/commit/[0-9a-f]{40})"', history)
    assert link

    assert "A large file; it is not compared." in visitor.get(link[1]).said


def test_history_and_commits_tell_what_changed(put, visitor: Visitor) -> None:
    put("lin/silk", {"a.txt": "one two three\nsame\n", "b.txt": "x\n"})
    put("lin/silk", {"a.txt": "one 2 three\nsame\n", "c.txt": "new\n"}, title="Change a")

    history = visitor.get("/lin/silk/commits/main")
    of_b = visitor.get("/lin/silk/commits/main/b.txt").said
    link = re.search(r'href="(/lin/silk/commit/[0-9a-f]{40})"', history.text)
    assert link
    commit = visitor.get(link[1])

    assert "Change a" in history.said
    assert "Change a" not in of_b
    assert "2 files changed" in commit.said
    assert "Because." in commit.said
    assert '<del class="w">two</del>' in commit.text
    assert '<ins class="w">2</ins>' in commit.text
    assert "c.txt new +1 \N{MINUS SIGN}0" in commit.said
    assert visitor.get("/lin/silk/commit/ffffffffff").status == 404


def test_only_who_may_write_gets_settings(
    put, lin: Visitor, mei: Visitor, visitor: Visitor
) -> None:
    put("lin/silk", {})

    assert lin.get("/lin/silk/settings").status == 200
    assert mei.get("/lin/silk/settings").status == 403
    assert visitor.get("/lin/silk/settings").status == 401
    assert mei.post("/lin/silk/settings/visibility", visibility="private").status == 403
    assert mei.post("/lin/silk/settings/delete", typed="lin/silk").status == 403
    assert mei.post("/lin/silk/settings/move", owner="mei", name="x").status == 403


def test_visibility_changes_and_says_so(put, lin: Visitor, visitor: Visitor) -> None:
    put("lin/silk", {})

    done = lin.post("/lin/silk/settings/visibility", visibility="private").goes_to
    said = lin.get(done).said

    assert "The visibility was changed." in said
    assert visitor.get("/lin/silk").status == 404


def test_a_moved_repository_is_found_under_its_old_address(put, lin, visitor: Visitor) -> None:
    put("lin/silk", {"a.txt": "x"})

    refused = lin.post("/lin/silk/settings/move", owner="lin", name="not a name")
    done = lin.post("/lin/silk/settings/move", owner="longquan", name="satin").goes_to
    old = visitor.get("/lin/silk/blob/main/a.txt?plain=1").goes_to

    assert refused.status == 400
    assert 'value="not a name"' in refused.text
    assert 'href="/lin/silk/settings?lang=zh-Hans"' in refused.text
    assert done == "/longquan/satin/settings?done=move"
    assert old == "/longquan/satin/blob/main/a.txt?plain=1"
    assert visitor.get("/lin/silk").goes_to == "/longquan/satin"


def test_a_repository_goes_only_if_its_name_was_typed(put, lin, visitor: Visitor) -> None:
    put("lin/silk", {})

    wrong = lin.post("/lin/silk/settings/delete", typed="silk")
    assert (wrong.status, visitor.get("/lin/silk").status) == (400, 200)
    right = lin.post("/lin/silk/settings/delete", typed="LIN/silk").goes_to

    assert "Nothing was deleted." in wrong.said
    assert "The repository was deleted" in lin.get(right).said
    assert "deleted" not in visitor.get(right).said
    assert visitor.get("/lin/silk").status == 404


def test_a_repository_is_made_by_a_form(lin: Visitor, mei: Visitor, visitor: Visitor) -> None:
    form = lin.get("/new?kind=dataset&owner=longquan").text
    made = lin.post("/new", kind="dataset", owner="longquan", name="n", visibility="private")
    bad = lin.post("/new", kind="model", owner="lin", name="not a name", visibility="public")
    stranger = mei.post("/new", kind="model", owner="longquan", name="x", visibility="")

    assert "<option selected>longquan</option>" in form
    assert made.goes_to == "/datasets/longquan/n"
    assert visitor.get("/datasets/longquan/n").status == 404
    assert (bad.status, 'value="not a name"' in bad.text) == (400, True)
    assert stranger.status == 403
    assert visitor.get("/new").status == 401


def test_what_is_wrong_with_a_new_repository_stands_at_its_field(put, lin: Visitor, mei) -> None:
    put("lin/shelf", {})

    taken = lin.post("/new", kind="model", owner="lin", name="shelf")
    bad = lin.post("/new", kind="model", owner="lin", name="a/b")
    empty = lin.post("/new", kind="model", owner="lin", name="")
    other = mei.post("/new", kind="model", owner="lin", name="mine")

    assert 'id="e-name"' in taken.text
    assert "a/b is not a valid repository name" in bad.said
    assert bad.text.index("Nothing was saved.") < bad.text.index('id="e-name"')
    assert "Please fill this in." in empty.said
    assert 'aria-describedby="e-owner"' in other.text
    assert "lin is another person." in other.said


def test_a_branch_with_a_slash_has_all_its_pages(node, put, lin_actor, visitor: Visitor) -> None:
    put("lin/silk", {"a.txt": "1\n"})
    put("lin/silk", {"a/b.txt": "1\n"}, title="Second")
    with node.db.begin(Mode.WRITE) as tx:
        repo = access_repo(tx, lin_actor, RepoKind.MODEL, "lin/silk")
        git.move_ref(tx, repo.git_id, "refs/heads/feature/x", old=None, new=repo.head)

    for page in ("/tree/feature%2Fx", "/blob/feature%2Fx/a.txt", "/commits/feature%2Fx/a.txt"):
        text = visitor.get(f"/lin/silk{page}").text
        tabs = re.findall(r'href="(/lin/silk/(?:tree|commits)/feature[^"/?]*)"', text)
        assert {visitor.get(tab).status for tab in tabs} == {200}
        assert "/lin/silk/tree/feature%2Fx" in tabs
        assert "/lin/silk/commits/feature%2Fx" in tabs
    for typed, meant in (
        ("/tree/feature/x", "/tree/feature%2Fx"),
        ("/tree/feature/x/a?after=b", "/tree/feature%2Fx/a?after=b"),
        ("/blob/feature/x/a/b.txt", "/blob/feature%2Fx/a/b.txt"),
        ("/commits/feature/x", "/commits/feature%2Fx"),
    ):
        assert visitor.get(f"/lin/silk{typed}").goes_to == f"/lin/silk{meant}"
    assert visitor.get("/lin/silk/tree/other/x").status == 404


def test_the_history_tab_counts_the_revision_that_is_looked_at(put, visitor: Visitor) -> None:
    put("lin/silk", {"a.txt": "1\n"})
    put("lin/silk", {"a.txt": "2\n"}, title="Second")
    put("lin/silk", {"a.txt": "3\n"}, title="Third")
    commits = re.findall(
        r'href="/lin/silk/commit/(\w+)"', visitor.get("/lin/silk/commits/main").text
    )

    old = visitor.get(f"/lin/silk/tree/{commits[-1]}").text

    assert "History <b>3</b>" in visitor.get("/lin/silk/tree/main").text
    assert "History <b>1</b>" in old


def test_commands_work_as_they_stand(put, visitor: Visitor, lin: Visitor) -> None:
    put("lin/silk", {"deep/只有.bin": "x"})
    put("lin/secret", {"my file.txt": "x"}, RepoKind.DATASET, private=True)

    silk, secret = visitor.get("/lin/silk").said, lin.get("/datasets/lin/secret").said

    assert "curl -fL http://hub.test/api/models/lin/silk lin" not in silk
    assert re.search(r"curl -fL http://hub\.test/api/models/lin/silk (?!-o)", silk)
    assert 'import os os.environ[ "HF_ENDPOINT" ] = "http://hub.test" from' in silk
    bearer = "-H &#34;Authorization: Bearer $(hf auth token)&#34;"
    url = "http://hub.test/datasets/lin/secret/resolve/main/my%20file.txt"
    assert f"hf auth login curl -fL {bearer} {url} -o &#39;my file.txt&#39;" in secret.replace(
        '"', "&#34;"
    )


def test_a_claimed_parent_is_explained_and_leads_to_what_is_here(
    put, visitor: Visitor, lin: Visitor
) -> None:
    put("lin/base", {})
    put("lin/hidden", {}, private=True)
    card = "---\nbase_model: [lin/base, lin/hidden, zhe/elsewhere]\n---\n"
    put("lin/silk", {"README.md": card})

    page, own = visitor.get("/lin/silk"), lin.get("/lin/silk")

    assert 'derived from <a href="/lin/base">lin/base</a>' in page.text
    assert "derived from lin/hidden" in page.text
    assert 'derived from <a href="/lin/hidden">lin/hidden</a>' in own.text
    assert "derived from zhe/elsewhere" in page.text
    assert "Its author says so; nobody has checked it." in page.said
    assert 'title="Its author says so; nobody has checked it."' in visitor.get("/models").text


def test_refusals_speak_to_readers_as_pages_do(put, visitor: Visitor, mei: Visitor) -> None:
    put("lin/silk", {"a.txt": "1\n"})
    put("longquan/silk", {})

    assert "There is no branch, tag or commit nope here." in visitor.get("/lin/silk/tree/nope").said
    signed_out = visitor.get("/new")
    assert (signed_out.status, "access token" in signed_out.said) == (401, False)
    assert "This needs an account here." in signed_out.said
    other_role = "An administrator of the organisation can give you another role."
    assert other_role in mei.get("/longquan/silk/settings").said
    for path in ("/sign-up", "/admin/people", "/lin/silk/settings"):
        refused = mei.get(path)
        assert (refused.status, other_role in refused.said) == (403, False)


def test_programs_find_an_icon_and_robots_nothing(visitor: Visitor) -> None:
    icon, robots = visitor.get("/favicon.ico"), visitor.get("/robots.txt")

    assert visitor.get(icon.headers["location"]).headers["content-type"] == "image/svg+xml"
    assert robots.text == "User-agent: *\nDisallow: /\n"


def test_search_finds_people_and_organisations_by_what_they_are_called(
    node, lin: Visitor, visitor: Visitor
) -> None:
    add(node, "xiaomei", full_name="周小美 Mei")

    assert "xiaomei" in visitor.get("/?q=" + quote("小美")).said
    assert "xiaomei" in visitor.get("/?q=mei").said
    assert "longquan" in visitor.get("/?q=" + quote("龙泉")).said
    assert "lin 林青 Person" in lin.get("/?q=LIN").said
    assert "Nothing has this in its name" in visitor.get("/?q=" + quote("小梅")).said
    assert "Nothing has this in its name" in visitor.get("/?q=%25").said
