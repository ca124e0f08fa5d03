"""Who may look at the pages: a login by key, kept by a cookie that opens nothing but pages."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web

from encoder.api.auth import KeyGate
from encoder.dashboard.routes import PAGES
from encoder.dashboard.session import COOKIE, GOOD_S, RENEW_S, Sessions
from encoder.model.key import Scope, digest, new_key
from encoder.signer import Signer
from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running
from tests.lab.keyed import key_in

PUBLIC = {"/ui/login", "/ui/login/kept", "/ui/logout", "/ui/preferences"}
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    """A server that asks for keys. Its sessions are signed as `Sessions(Signer(b"lab"))` would."""
    async with running(store, tmp_path, gate=KeyGate(store), loopback_only=False) as up:
        yield up


async def login(api: Api, key: str, *, after: str = "/", **headers: str) -> ClientResponse:
    form = {"key": key, "next": after}
    response: ClientResponse = await api.ask(
        "POST", "/ui/login", data=form, allow_redirects=False, headers=OURS | headers
    )
    return response


def cookie_of(response: ClientResponse) -> dict[str, str]:
    return {COOKIE: response.cookies[COOKIE].value}


async def test_a_key_that_may_read_opens_and_logout_shuts(api: Api, store: PostgresStore) -> None:
    async with api.ask("GET", "/ui/jobs?status=failed", allow_redirects=False) as closed:
        assert closed.status == 303
        assert closed.headers["Location"] == "/ui/login?next=/ui/jobs%3Fstatus%3Dfailed"
    entered = await login(api, await key_in(store, Scope.READ), after="/ui/jobs?status=failed")
    kept = entered.cookies[COOKIE]
    assert (entered.status, kept["secure"], kept["httponly"], kept["samesite"]) == (303, True, True, "Lax")
    cookies = cookie_of(entered)
    async with api.ask("GET", entered.headers["Location"], cookies=cookies, allow_redirects=False) as went:
        assert went.headers["Location"] == "/ui/jobs?status=failed"
    async with api.ask("GET", "/", cookies=cookies) as page:
        text = await page.text()
    assert (page.status, "Log out" in text, ">ann<" in text) == (200, True, True)
    assert "/ui/fleet" not in text, "this key is not an admin's"
    async with api.ask("POST", "/ui/logout", cookies=cookies, headers=OURS, allow_redirects=False) as left:
        assert left.cookies[COOKIE].value == ""


@pytest.mark.parametrize("key", ["", "enc_live_nothing", new_key()], ids=["none", "no key", "unknown"])
async def test_what_is_no_key_does_not_open(api: Api, key: str) -> None:
    refused = await login(api, key)
    text = await refused.text()
    assert (refused.status, COOKIE in refused.cookies, "opens nothing here" in text) == (401, False, True)
    assert not key or key not in text


async def test_a_key_that_may_not_read_does_not_open(api: Api, store: PostgresStore) -> None:
    refused = await login(api, await key_in(store, Scope.WRITE))
    assert (refused.status, COOKIE in refused.cookies) == (403, False)
    assert "lacks the scope read" in await refused.text()


async def test_a_login_ends_with_its_key(api: Api, store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.api.auth.KNOWN_S", 0)
    cookies = cookie_of(await login(api, await key_in(store, Scope.READ)))
    (row,) = await store.keys()
    await store.revoke_key(row.id)
    async with api.ask("GET", "/", cookies=cookies, allow_redirects=False) as page:
        assert page.status == 303


async def test_the_api_takes_no_cookie_and_pages_no_header(api: Api, store: PostgresStore) -> None:
    key = await key_in(store, *Scope)
    cookies = cookie_of(await login(api, key))
    async with api.ask("GET", "/jobs", cookies=cookies) as refused:
        assert refused.status == 401
    async with api.ask("GET", "/", headers={"Authorization": f"Bearer {key}"}, allow_redirects=False) as page:
        assert page.status == 303


async def test_every_page_but_the_door_asks_for_a_login(api: Api) -> None:
    """B1: whoever looks is sent to the door, scripts and forms are refused."""
    for page in PAGES:
        if page.scope is None:
            assert page.path in PUBLIC, page.path
            continue
        address = re.sub(r"{\w+(:.+)?}", "1", page.path)
        async with api.ask(page.method, address, headers=OURS, allow_redirects=False) as refused:
            if page.method == "GET" and not page.fragment:
                assert refused.status == 303, page.path
                assert refused.headers["Location"].startswith("/ui/login?next="), page.path
            else:
                assert refused.status == 401, page.path


async def test_each_tenant_sees_its_own(api: Api, store: PostgresStore) -> None:
    """B4: the job of another tenant is absent from every page."""
    body = {"source": {"kind": "inline", "data": "QUJD", "fileName": "mine.mp4"}, "outputs": [{"preset": "h264"}]}
    key = await key_in(store, Scope.WRITE)
    async with api.ask("POST", "/jobs", json=body, headers={"Authorization": f"Bearer {key}"}) as accepted:
        job = (await accepted.json())["id"]
    cookies = cookie_of(await login(api, await key_in(store, Scope.READ, tenant=2)))
    async with api.ask("GET", f"/ui/jobs/{job}", cookies=cookies) as page:
        assert (page.status, page.content_type) == (404, "text/html")
    async with api.ask("GET", "/", cookies=cookies) as page:
        assert "mine.mp4" not in await page.text()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {},
    ],
    ids=["cross-site", "same-site", "foreign origin", "of a sandbox", "no origin", "neither"],
)
async def test_a_form_of_another_page_does_nothing(api: Api, store: PostgresStore, headers: dict[str, str]) -> None:
    """H3: with the cookie, and from a page of somebody else or of nobody knows whom."""
    cookies = cookie_of(await login(api, await key_in(store, *Scope)))
    for path in {path for method, path in api.routes if method == "POST" and path.startswith("/ui/")}:
        address = re.sub(r"{\w+}", "1", path)
        async with api.ask("POST", address, cookies=cookies, headers=headers, allow_redirects=False) as refused:
            assert refused.status == 403, path
            assert COOKIE not in refused.cookies, path


async def test_a_form_of_our_own_page_is_known_by_its_origin_where_that_is_all(api: Api, store: PostgresStore) -> None:
    """H3: browsers that send no `Sec-Fetch-Site`."""
    key = await key_in(store, Scope.READ)
    origin = {"Origin": api.url}
    async with api.ask("POST", "/ui/login", data={"key": key}, headers=origin, allow_redirects=False) as entered:
        assert entered.status == 303


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%0d%0aX: y\r\nX: y", "", "x",
     "/\t/evil.example", "/a\\b"],
)  # fmt: skip
async def test_the_door_leads_nowhere_but_to_our_pages(api: Api, store: PostgresStore, address: str) -> None:
    """H4: whatever stands in `next`, in the form's field or in the address."""
    entered = await login(api, await key_in(store, Scope.READ), after=address)
    assert entered.headers["Location"] == "/ui/login/kept?next=/"
    query = {"next": address}
    cookies = cookie_of(entered)
    async with api.ask("GET", "/ui/login/kept", params=query, cookies=cookies, allow_redirects=False) as went:
        assert went.headers["Location"] == "/"
    async with api.ask("GET", "/ui/login", params=query) as door:
        assert 'name="next" value="/"' in await door.text()


async def test_a_browser_that_keeps_no_login_is_told_why(api: Api) -> None:
    async with api.ask("GET", "/ui/login/kept?next=/") as told:
        assert told.status == 403
        assert "Use HTTPS or an SSH tunnel" in await told.text()


@pytest.mark.parametrize("change", ["signature", "hash", "time", "short", "not base64"])
async def test_a_cookie_that_was_changed_or_has_ended_opens_nothing(
    api: Api, store: PostgresStore, change: str
) -> None:
    (cookie,) = cookie_of(await login(api, await key_in(store, Scope.READ))).values()
    places = {"signature": 80, "hash": 10, "time": 48}
    if change in places:
        at = places[change]
        cookie = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
    else:
        cookie = {"short": cookie[:20], "not base64": "!" * 40}[change]
    async with api.ask("GET", "/", cookies={COOKIE: cookie}, allow_redirects=False) as page:
        assert page.status == 303


async def test_a_login_is_renewed_by_use_and_ends_without(api: Api, store: PostgresStore) -> None:
    hashed, now = digest(await key_in(store, Scope.READ)), time.time()
    for old_s, lives, renewed in ((0, True, False), (RENEW_S + 60, True, True), (GOOD_S + 1, False, False)):
        response, then = web.Response(), now - old_s
        Sessions(Signer(b"lab"), clock=partial(float, then)).begin(response, hashed)
        cookies = {COOKIE: response.cookies[COOKIE].value}
        async with api.ask("GET", "/", cookies=cookies, allow_redirects=False) as page:
            assert (page.status == 200, COOKIE in page.cookies) == (lives, renewed), old_s


async def test_a_form_that_comes_when_the_login_has_ended_leads_back_to_where_it_stood(api: Api) -> None:
    headers = OURS | {"Referer": f"{api.url}/ui/dead?since=1h"}
    async with api.ask("POST", "/ui/dead/redrive", data={"confirm": "1"}, headers=headers) as refused:
        page = await refused.text()
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Cookie")
    assert "Your login has ended, and nothing was done." in page
    assert 'name="next" value="/ui/dead?since=1h"' in page


async def test_what_is_no_address_leads_to_the_list(api: Api) -> None:
    headers = OURS | {"Referer": "http://[/ui/fleet"}
    async with api.ask("POST", "/ui/preferences", data={"theme": "dark"}, headers=headers, allow_redirects=False) as to:
        assert (to.status, to.headers["Location"]) == (303, "/")
