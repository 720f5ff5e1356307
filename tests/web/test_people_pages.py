"""Coming in, settings, tokens, organisations, and people for administrators."""

from __future__ import annotations

import asyncio
import re

import pytest

from jishi.core.db import Mode
from jishi.people import OPERATOR, PersonDraft, Role, flush_uses
from jishi.people.devices import PollState, poll_device, start_device
from jishi.people.links import invite, make_link, renew_set_up
from jishi.people.orgs import set_member
from jishi.people.settings import Settings, SignUp
from tests.conftest import Clock
from tests.web.conftest import PASSWORD, Visitor, add


def write(node, operation, *args, **kwargs):
    with node.db.begin(Mode.WRITE) as tx:
        return operation(tx, *args, **kwargs)


def test_sign_in_leads_where_one_wanted_to_go(node, visitor: Visitor) -> None:
    add(node, "mei")

    form = visitor.get("/sign-in?next=/new").text
    wrong = visitor.post("/sign-in", name="mei", password="no", next="/new")
    right = visitor.post("/sign-in", name="MEI", password=PASSWORD, next="/new")

    assert '<input type="hidden" name="next" value="/new">' in form
    assert (wrong.status, "Wrong name or password." in wrong.said) == (401, True)
    assert 'value="mei"' in wrong.text
    assert PASSWORD not in wrong.text
    assert right.goes_to == "/new"
    assert visitor.get("/new").status == 200
    assert visitor.get("/sign-in").goes_to == "/"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "x"]
)
def test_sign_in_leads_nowhere_else(node, visitor: Visitor, elsewhere: str) -> None:
    add(node, "mei")

    answer = visitor.post("/sign-in", name="mei", password=PASSWORD, next=elsewhere)

    assert answer.goes_to == "/"


def test_signing_out_ends_the_session_here_or_everywhere(mei: Visitor, asgi) -> None:
    other = Visitor(asgi).sign_in("mei")
    kept = dict(mei.cookies)

    assert mei.post("/sign-out").goes_to == "/"
    assert "jishi" not in mei.cookies
    assert Visitor(asgi, kept).get("/new").status == 401
    assert other.get("/new").status == 200
    again = Visitor(asgi).sign_in("mei")
    again.post("/sign-out", everywhere="1")
    assert other.get("/new").status == 401


def test_the_set_up_link_makes_the_first_administrator_once(node, visitor: Visitor, asgi) -> None:
    link = f"/set-up/{write(node, renew_set_up)}"
    person = {"name": "lin", "full_name": "林青", "email": "lin@example.org"}

    form = visitor.get(link)
    short = visitor.post(link, **person, password="short")
    done = visitor.post(link, **person, password=PASSWORD)

    assert "You are the first." in form.said
    assert form.headers["cache-control"] == "no-store"
    assert (short.status, 'value="林青"' in short.text) == (400, True)
    assert done.goes_to == "/"
    assert "lin administrator lin@example.org" in visitor.get("/admin/people").said.replace(
        "林青 ", ""
    )
    used = Visitor(asgi).get(link, ("accept-language", "zh-CN"))
    assert (used.status, "此链接已失效" in used.said) == (404, True)
    assert "请直接登录" in used.said
    assert 'href="/sign-in"' in used.text
    assert "无权" not in used.said
    again = Visitor(asgi).post(link, **person, password=PASSWORD)
    assert (again.status, "This link does not work any more" in again.said) == (404, True)


def beside(page: str) -> dict[str, str]:
    """Return what a page says is wrong beside its fields."""
    return dict(re.findall(r'<span class="wrong" id="e-(\w+)">.*?<span>(.*?)</span>', page))


def test_a_form_tells_all_that_is_wrong_at_once(node, lin: Visitor, visitor: Visitor) -> None:
    node.gate.settings = Settings(sign_up=SignUp.OPEN)
    wrong = {"name": "not a name", "full_name": "x" * 101, "email": "nowhere"}
    rules = {
        "name": "not a name is not a valid name: 2 to 42 letters, digits and single dashes "
        "between them, not digits alone.",
        "full_name": "A full name is one line of at most 100 characters.",
        "email": "nowhere is not a mail address.",
    }

    signed_up = visitor.post("/sign-up", **wrong, password="short")
    invited = lin.post("/admin/people", **wrong)
    profile = lin.post("/settings/profile", **wrong)
    org = lin.post("/organizations/new", name="LIN", full_name="x" * 101)
    empty = visitor.post("/sign-up")

    assert beside(signed_up.text) == rules | {"password": "A password has at least 10 characters."}
    assert signed_up.text.count('aria-invalid="true"') == 4
    assert 'aria-describedby="e-email h-email"' in signed_up.text
    assert "Nothing was saved. Please mend what is marked." in signed_up.said
    assert beside(invited.text) == rules
    assert beside(profile.text) == {name: rules[name] for name in ("full_name", "email")}
    assert beside(org.text) == {
        "name": "The name LIN is taken.",
        "full_name": rules["full_name"],
    }
    assert beside(empty.text) == dict.fromkeys(("name", "password"), "Please fill this in.")
    assert [each.status for each in (signed_up, invited, profile, org, empty)] == [400] * 5


def test_what_concerns_no_field_is_said_of_the_form(node, visitor: Visitor) -> None:
    node.gate.settings = Settings(sign_up=SignUp.OPEN)
    draft = {"name": "wu", "email": "nowhere", "password": PASSWORD}

    for _ in range(30):
        page = visitor.post("/sign-up", **draft)
        if page.status == 429:
            break

    assert "Too many attempts." in page.said
    assert beside(page.text) == {"email": "nowhere is not a mail address."}


def test_an_invitation_lets_its_person_choose_a_password(node, visitor: Visitor) -> None:
    made = write(node, invite, OPERATOR, PersonDraft("mei"))
    link = f"/password/{made.link.secret}"

    form = visitor.get(link)
    short = visitor.post(link, password="short")
    done = visitor.post(link, password=f" {PASSWORD} ")

    assert "Welcome. Your user name is mei" in form.said
    assert short.status == 400
    assert done.goes_to == "/"
    assert visitor.get(link).status == 404
    visitor.post("/sign-out")
    visitor.sign_in("mei", f" {PASSWORD} ")


@pytest.mark.usefixtures("mei")
def test_a_reset_link_says_what_it_does_and_is_no_set_up_link(node, visitor: Visitor) -> None:
    secret = write(node, make_link, OPERATOR, "mei").secret

    assert "A new password for mei." in visitor.get(f"/password/{secret}").said
    assert visitor.get(f"/set-up/{secret}").status == 404
    assert visitor.get(f"/password/{write(node, renew_set_up)}").status == 404


def test_sign_up_is_closed(visitor: Visitor) -> None:
    assert visitor.get("/sign-up").status == 403
    assert visitor.post("/sign-up", name="x", password=PASSWORD).status == 403
    assert "/sign-up" not in visitor.get("/sign-in").text


def test_sign_up_lets_everybody_in_where_the_operator_says_so(node, visitor: Visitor) -> None:
    node.gate.settings = Settings(sign_up=SignUp.OPEN)

    form = visitor.get("/sign-up")
    taken = visitor.post("/sign-up", name="not a name", full_name="梅", password=PASSWORD)
    done = visitor.post("/sign-up", name="mei", full_name="梅", password=PASSWORD)

    assert "Make an account" in form.said
    assert (taken.status, 'value="not a name"' in taken.text) == (400, True)
    assert done.goes_to == "/"
    assert visitor.get("/new").status == 200
    assert visitor.get("/admin/people").status == 403


def test_a_profile_is_saved_or_refused(mei: Visitor, visitor: Visitor) -> None:
    bad = mei.post("/settings/profile", full_name="梅", email="not an address")
    done = mei.post("/settings/profile", full_name="梅", email="mei@example.org").goes_to

    assert (bad.status, 'value="not an address"' in bad.text) == (400, True)
    assert "Your profile was saved." in mei.get(done).said
    assert "梅" in visitor.get("/mei").said
    assert "mei@example.org" not in visitor.get("/mei").text
    assert visitor.get("/settings/profile").status == 401
    assert mei.get("/settings").goes_to == "/settings/profile"


def test_a_password_is_changed_by_whoever_knows_it(mei: Visitor, asgi) -> None:
    other = Visitor(asgi).sign_in("mei")
    new = "another kiln at night"

    wrong = mei.post("/settings/password", old="no", new=new)
    done = mei.post("/settings/password", old=PASSWORD, new=new).goes_to

    assert wrong.status == 400
    assert "The password was changed." in mei.get(done).said
    assert other.get("/new").status == 401
    Visitor(asgi).sign_in("mei", new)


def test_a_token_is_shown_once_works_and_is_revoked(mei: Visitor) -> None:
    refused = mei.post("/settings/tokens", name="", role="write")
    made = mei.post("/settings/tokens", name="laptop", role="write")
    secret = re.search(r"hf_\w{20,}", made.text)
    assert secret
    listed = mei.get("/settings/tokens")
    public = re.search(r"/settings/tokens/(\w+)/revoke", listed.text)
    assert public

    assert refused.status == 400
    assert made.headers["cache-control"] == "no-store"
    assert "content-encoding" not in made.headers
    assert secret[0] not in listed.text
    assert "laptop …" in listed.said
    bearer = ("authorization", f"Bearer {secret[0]}")
    assert mei.get("/api/whoami-v2", bearer).status == 200
    done = mei.post(f"/settings/tokens/{public[1]}/revoke").goes_to
    assert mei.get("/api/whoami-v2", bearer).status == 401
    revoked = mei.get(done).said
    assert "The token was revoked." in revoked
    assert "You have none." in revoked
    assert mei.post(f"/settings/tokens/{public[1]}/revoke").status == 404


def test_the_list_of_tokens_says_when_each_was_last_used(node, clock: Clock, mei: Visitor) -> None:
    laptop, _ = (mei.post("/settings/tokens", name=n, role="read") for n in ("laptop", "cluster"))
    secret = re.search(r"hf_\w{20,}", laptop.text)
    assert secret
    clock.forward(3600)
    mei.get("/api/whoami-v2", ("authorization", f"Bearer {secret[0]}"))
    asyncio.run(flush_uses(node.gate))
    write(node, lambda _: None)  # what is written lazily is committed with the next write

    listed = mei.get("/settings/tokens")

    rows = {name: listed.text.partition(f">{name} <code")[2] for name in ("laptop", "cluster")}
    used = {
        name: re.search(r'<td class="dim nowrap">(.*?)</td>', row) for name, row in rows.items()
    }
    assert "Last used" in listed.said
    assert 'datetime="2025-11-01T13:00:00Z"' in used["laptop"][1]
    assert used["cluster"][1] == "never used"


def test_a_program_is_let_in_or_turned_away(node, mei: Visitor, visitor: Visitor) -> None:
    first, second = (write(node, start_device, "hf", address="::1") for _ in range(2))

    ask = mei.get("/device")
    unknown = mei.get("/device?user_code=AAAA-AAAA")
    confirm = mei.get(f"/device?user_code={first.user_code.lower().replace('-', '')}")
    yes = mei.post("/device", user_code=first.user_code, answer="approve", role="read")
    no = mei.post("/device", user_code=second.user_code, answer="deny")
    again = mei.post("/device", user_code=first.user_code, answer="approve", role="read")

    assert "The code that the program shows" in ask.said
    assert unknown.status == 404
    assert first.user_code in confirm.said
    assert "The program is signed in." in yes.said
    assert "The program was turned away." in no.said
    assert again.status == 404
    assert write(node, poll_device, first.device_code, "hf").state is PollState.GRANTED
    assert write(node, poll_device, second.device_code, "hf").state is PollState.DENIED
    assert visitor.get("/device").status == 401


def test_an_organisation_is_started_and_its_members_managed(node, mei, lin, asgi) -> None:
    add(node, "wu")
    taken = mei.post("/organizations/new", name="lin", full_name="x")
    made = mei.post("/organizations/new", name="kiln", full_name="窑", private_by_default="1")
    members = made.goes_to

    assert (taken.status, 'value="lin"' in taken.text) == (409, True)
    assert members == "/organizations/kiln/members"
    missing = mei.post(members, person="nobody", role="read")
    assert (missing.status, 'value="nobody"' in missing.text) == (404, True)
    saved = mei.post(members, person="wu", role="contributor").goes_to
    assert "The role was saved." in mei.get(saved).said
    wu = Visitor(asgi).sign_in("wu")
    assert "kiln" in wu.get("/settings/organizations").said
    assert "<select" not in wu.get(members).text
    assert wu.post(members, person="wu", role="admin").status == 403
    last = mei.post(f"{members}/mei/remove")
    assert (last.status, "the last one to manage" in last.said) == (409, True)
    assert mei.post(f"{members}/wu/remove").goes_to == f"{members}?done=removed"
    assert wu.get("/organizations/kiln/settings").status == 403
    assert lin.get("/organizations/kiln/settings").status == 200
    assert mei.get("/organizations/nothing/members").status == 404


def test_an_organisation_says_how_its_repositories_begin(mei: Visitor, visitor: Visitor) -> None:
    mei.post("/organizations/new", name="kiln", private_by_default="1")
    mei.post("/new", kind="model", owner="kiln", name="a", visibility="")
    done = mei.post("/organizations/kiln/settings", full_name="窑").goes_to
    mei.post("/new", kind="model", owner="kiln", name="b", visibility="")

    assert "The settings were saved." in mei.get(done).said
    assert visitor.get("/kiln/a").status == 404
    assert visitor.get("/kiln/b").status == 200
    long = mei.post("/organizations/kiln/settings", full_name="x" * 200)
    assert long.status == 400


def test_administrators_invite_and_reset(lin: Visitor, mei: Visitor, asgi) -> None:
    made = lin.post("/admin/people", name="wu", full_name="吴", email="", as_admin="")
    link = re.search(r"http://hub\.test(/password/\S+?)</code>", made.text)
    assert link
    taken = lin.post("/admin/people", name="WU", full_name="x", as_admin="1")
    fresh = lin.post("/admin/people/wu/link")

    assert made.headers["cache-control"] == "no-store"
    assert "wu 吴 invited" in made.said
    assert (taken.status, 'value="WU"' in taken.text) == (409, True)
    assert "Send this link to wu." in fresh.said
    assert Visitor(asgi).get(link[1]).status == 404
    assert 'href="/admin/people?lang=zh-Hans"' in fresh.text
    assert lin.post("/admin/people/nobody/link").status == 404
    assert mei.get("/admin/people").status == 403
    assert mei.post("/admin/people", name="x").status == 403
    assert mei.post("/admin/people/lin/link").status == 403


def test_an_account_is_put_out_of_use_and_back(lin: Visitor, mei: Visitor, asgi) -> None:
    done = lin.post("/admin/people/mei/active", active="0").goes_to

    assert done == "/admin/people"
    assert "mei deactivated" in lin.get(done).said
    assert mei.get("/new").status == 401
    out = Visitor(asgi).post("/sign-in", name="mei", password=PASSWORD)
    assert (out.status, "The account mei is deactivated." in out.said) == (403, True)
    assert lin.post("/admin/people/mei/link").status == 403
    own = lin.post("/admin/people/lin/active", active="0")
    assert (own.status, "You cannot deactivate your own account." in own.said) == (409, True)
    lin.post("/admin/people/mei/active", active="1")
    Visitor(asgi).sign_in("mei")


@pytest.mark.usefixtures("lin")
def test_a_member_may_leave(node, mei: Visitor) -> None:
    write(node, set_member, OPERATOR, "longquan", "mei", Role.READ)

    left = mei.post("/organizations/longquan/members/mei/remove")

    assert left.goes_to == "/organizations/longquan/members?done=removed"
    assert mei.post("/organizations/longquan/members/lin/remove").status == 403


def test_an_address_of_another_account_is_refused_at_its_field(
    node, lin: Visitor, mei: Visitor, visitor: Visitor
) -> None:
    node.gate.settings = Settings(sign_up=SignUp.OPEN)
    mei.post("/settings/profile", full_name="", email="mei@example.org")
    same = {"full_name": "", "email": "MEI@example.org"}
    told = {"email": "The address MEI@example.org belongs to another account."}

    profile = lin.post("/settings/profile", **same)
    invited = lin.post("/admin/people", name="wu", **same)
    signed_up = visitor.post("/sign-up", name="wu", **same, password=PASSWORD)

    for answer in (profile, invited, signed_up):
        assert (answer.status, beside(answer.text)) == (409, told)
        assert "Nothing was saved." in answer.said
    again = mei.post("/settings/profile", full_name="", email="MEI@example.org")
    assert again.goes_to == "/settings/profile?done=1"
    assert visitor.post("/sign-in", name="mei@EXAMPLE.org", password=PASSWORD).goes_to == "/"


def test_a_wrong_password_is_marked_where_it_was_typed(mei: Visitor) -> None:
    chinese = ("accept-language", "zh-CN")

    wrong = mei.post("/settings/password", old="no", new="a long enough one")
    short = mei.post("/settings/password", old=PASSWORD, new="short")
    mei.get("/?lang=zh", chinese)
    said = mei.post("/settings/password", old="no", new="a long enough one")

    assert beside(wrong.text) == {"old": "This is not your password so far."}
    assert beside(short.text) == {"new": "A password has at least 10 characters."}
    assert beside(said.text) == {"old": "当前密码错误。"}
    assert "user name or password" not in wrong.said.lower()


def test_what_cannot_be_undone_in_one_click_asks_first(lin: Visitor, mei: Visitor) -> None:
    mei.post("/settings/tokens", name="laptop", role="read")

    tokens, people = mei.get("/settings/tokens").text, lin.get("/admin/people").text

    for page, action in (
        (tokens, r"/settings/tokens/\w+/revoke"),
        (people, "/admin/people/mei/active"),
    ):
        assert re.search(rf'</summary>\s*<form class="sure" method="post" action="{action}">', page)
