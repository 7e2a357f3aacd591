"""The web chat's pages and handlers over HTTP: sessions, pace, leaving, the page without scripts, weight, old browsers."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import esprima
import pytest
import pytest_asyncio
import segno
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from bot.app import Service
from bot.dialogue import waiting
from bot.doors import web_app
from bot.ports import StoreUnavailable
from bot.public import visitors
from bot.public.chat import HIDE, MOST_LISTENING
from bot.public.pace import MOST_KEPT, Pace
from bot.running import running
from tests import pictures
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
from tests.platforms import serving
from tests.public.test_landing import code_at
from tests.public.visit import visiting

STATIC = Path(__file__).resolve().parent.parent.parent / "bot" / "public" / "static"
MOST = 100 * 1024
FLOOD = 60


@pytest_asyncio.fixture
async def url(service: Service) -> AsyncIterator[str]:
    async with serving(web_app(service)) as address, running(service):
        yield address


# ---- the page


async def test_a_fresh_visit_loads_less_than_a_hundred_kilobytes(service: Service, url: str) -> None:
    """Everything the page names, unpacked, in the locale with the longest words; and it names nothing elsewhere."""
    heaviest = 0
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        for locale in service.content.locales:
            async with session.get(f"{url}/?lang={locale}") as answer:
                page = await answer.text()
            names = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
            assert len(names) == 2 and not re.search(r'(?:src|action)="https?:|url\(', page)
            total = len(page.encode())
            for name in names:
                async with session.get(url + name) as answer:
                    body = await answer.read()
                    assert b"url(" not in body and b"@import" not in body
                    total += len(body)
            heaviest = max(heaviest, total)
    assert 0 < heaviest < MOST, heaviest
    print(f"\nweb chat, heaviest locale: {heaviest} bytes, {len(gzip.compress(page.encode()))} of HTML packed")


async def test_every_locale_is_read_and_chosen_without_scripts(service: Service, url: str) -> None:
    """Server-rendered: helplines as tel: links in the words of each locale, every language by its own name."""
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/chat/simple"):
            for code, locale in service.content.locales.items():
                async with session.get(f"{url}{path}?lang={code}") as answer:
                    page = await answer.text()
                assert f'<html lang="{code}" dir="{locale.direction}">' in page
                assert all(f'href="tel:{number}"' in page for number in (112, 1098, 181, 139))
                assert service.content.words(code, "helpline.child_1098") in page
                assert all(f">{other.own_name}</a>" in page for other in service.content.locales.values())
                assert "<script>" not in page and "onclick" not in page and " style=" not in page
        async with session.get(url + "/", headers={"Accept-Language": "ta-IN,ta;q=0.9,en;q=0.5"}) as answer:
            assert '<html lang="ta"' in await answer.text()


#: What ECMAScript 5.1 has, as the parser names it; anything newer needs a newer browser.
ES5 = {
    "ArrayExpression", "AssignmentExpression", "BinaryExpression", "BlockStatement", "BreakStatement", "CallExpression",
    "CatchClause", "ConditionalExpression", "ContinueStatement", "DebuggerStatement", "Directive", "DoWhileStatement",
    "EmptyStatement", "ExpressionStatement", "ForInStatement", "ForStatement", "FunctionDeclaration", "FunctionExpression",
    "Identifier", "IfStatement", "LabeledStatement", "Literal", "LogicalExpression", "MemberExpression", "NewExpression",
    "ObjectExpression", "Program", "Property", "RegExpLiteral", "ReturnStatement", "SequenceExpression", "Script",
    "SwitchCase", "SwitchStatement", "ThisExpression", "ThrowStatement", "TryStatement", "UnaryExpression",
    "UpdateExpression", "VariableDeclaration", "VariableDeclarator", "WhileStatement",
    "StaticMemberExpression", "ComputedMemberExpression",
}  # fmt: skip
#: What Chrome 49 or the WebView of Android 5 lacks, by the name under which a script asks for it.
TOO_NEW = {
    "fetch", "Promise", "Symbol", "Map", "Set", "WeakMap", "WeakSet", "Proxy", "Reflect", "URLSearchParams", "URL", "AbortController",
    "Headers", "Request", "Response", "FormData", "TextEncoder", "TextDecoder", "BroadcastChannel", "BigInt", "globalThis",
    "IntersectionObserver", "ResizeObserver", "queueMicrotask", "structuredClone", "requestIdleCallback", "randomUUID",
    "from", "assign", "includes", "startsWith", "endsWith", "repeat", "padStart", "padEnd", "closest", "matches", "append", "prepend", "before",
    "after", "remove", "replaceWith", "replaceChildren", "toggleAttribute", "getAttributeNames", "requestSubmit", "reportValidity",
    "replaceAll", "matchAll", "trimStart", "trimEnd", "flat", "flatMap", "find", "findIndex", "fill", "entries", "values",
    "finally", "at", "scrollTo", "scrollBy", "scrollIntoView", "composedPath", "isConnected", "visualViewport", "showModal",
    "toggle", "forEach", "dataset", "innerText", "key", "code", "permissions", "share", "clipboard", "serviceWorker",
}  # fmt: skip
#: Newer, and asked for only where `window` or `navigator` is looked at first; (name, what guards it in the script).
GUARDED = {
    "MediaRecorder": "window.MediaRecorder && navigator.mediaDevices",
    "getUserMedia": "window.MediaRecorder && navigator.mediaDevices",
    "sendBeacon": "navigator.sendBeacon && navigator.sendBeacon(",
    "WebSocket": "!window.WebSocket",
    "isSecureContext": "window.isSecureContext === false",
    "then": "started && started.then",
}
#: `classList.remove` is old, `Element.remove` is not in the oldest: told apart by what stands before it.
OLD_OF = {"remove": "classList"}
#: What a style may not lean on: grid and gaps in flex boxes, variables, newer units, functions and selectors.
STYLE_TOO_NEW = (
    r"display:\s*grid|grid-|(?<![\w-])(?:row-|column-)?gap:|var\(|--[a-z]|inset:|aspect-ratio|(?:min|max|clamp)\(|[\d.](?:dvh|svh|lvh)"
    r"|:is\(|:where\(|:has\(|margin-inline|padding-inline|margin-block|padding-block|position:\s*sticky|display:\s*contents|env\("
    r"|place-(?:items|content)|accent-color|#[0-9a-f]{8}\b|@(?:supports|layer|container)"
)


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "type" in node:
            yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _newer(node: dict[str, Any], script: str) -> list[str]:
    """Return the newer names that a node asks the browser for, but for those that the script looks for first."""
    names = []
    if node["type"] == "MemberExpression" and not node["computed"]:
        name, of = node["property"]["name"], node["object"]
        if OLD_OF.get(name) != (of.get("property") or {}).get("name", name):
            names.append(name)
    if node["type"] in {"CallExpression", "NewExpression"}:
        names.append(node["callee"].get("name"))
    return [name for name in names if name in TOO_NEW or (name in GUARDED and GUARDED[name] not in script)]


def _faults(script: str) -> list[str]:
    faults = []
    for node in _nodes(esprima.parseScript(script).toDict()):
        kind = node["type"]
        if kind not in ES5:
            faults.append(kind)
        if kind == "VariableDeclaration" and node["kind"] != "var":
            faults.append(node["kind"])
        if kind == "Property" and (node["shorthand"] or node["method"] or node["computed"]):
            faults.append("new kind of property")
        if kind.startswith("Function") and (node["generator"] or node["async"]):
            faults.append("new kind of function")
        faults += _newer(node, script)
    return faults


def test_the_script_is_read_by_old_browsers() -> None:
    """ECMAScript 5 throughout, and no function that a WebView of 2016 lacks; the check itself hears newer things."""
    assert _faults((STATIC / "chat.js").read_text(encoding="utf-8")) == []
    for newer in (
        "let a = 1;",
        "x => x",
        "`a`",
        "var a = {b};",
        "f(...x)",
        "fetch('/')",
        "x.closest('a')",
        "async function f() {}",
        "for (var a of b) {}",
        "class A {}",
        "new URLSearchParams('')",
        "new MediaRecorder(x)",
        "navigator.sendBeacon('/', x)",
        "a.append(b)",
        "a.remove()",
        "a.classList.toggle('x', true)",
        "a.querySelectorAll('b').forEach(f)",
    ):
        assert _faults(newer), newer


@pytest.mark.parametrize("name", ["chat", "code"])
def test_the_style_is_read_by_old_browsers(name: str) -> None:
    """Nothing of it leans on what a WebView of Android 5 lacks; the check itself sees newer things."""
    style = (STATIC / f"{name}.css").read_text(encoding="utf-8")
    assert re.findall(STYLE_TOO_NEW, style) == []
    for newer in (
        "display: grid",
        "gap: 1rem",
        "color: var(--a)",
        "width: min(1px, 2px)",
        "a:has(b)",
        "height: 100dvh",
    ):
        assert re.search(STYLE_TOO_NEW, newer), newer


def test_one_newer_selector_spoils_no_other_rule() -> None:
    """A browser drops the whole list in which it does not know one selector: `:focus-visible` stands alone."""
    for name in ("chat", "code"):
        style = (STATIC / f"{name}.css").read_text(encoding="utf-8")
        heads = re.findall(r"(?:^|[};])\s*([^{};@]+)\{", style)
        newer = [[":focus-visible" in one for one in head.split(",")] for head in heads]
        assert any(map(any, newer)) and not [one for one in newer if any(one) and not all(one)]


def test_nothing_moves_for_those_who_asked_for_stillness() -> None:
    style = (STATIC / "chat.css").read_text(encoding="utf-8")
    calm = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*\}\n", "", style)
    assert calm != style and not re.search(r"animation|transition|scroll-behavior", calm)


# ---- sessions and leaving


def test_hide_is_the_choice_that_the_dialogue_knows() -> None:
    assert HIDE == waiting.HIDE


async def test_leaving_forgets_and_ends_the_session(service: Service, url: str) -> None:
    """What was not sent arrives first; the server forgets as on other channels; the cookie ends; repeats are harmless."""
    async with visiting(url) as visit:
        await visit.open()
        await visit.send(choice="l:en", id="a")
        await visit.heard("core.notice")
        session = {cookie.key: cookie.value for cookie in visit.session.cookie_jar}
        unsent = [
            {"id": "b", "text": "please help me he is beating me"},
            {"id": "no good"},
            "x",
            {"id": "c", "choice": "c:menu"},
        ]
        for _ in range(2):
            async with visit.session.post(url + "/chat/leave", data=json.dumps({"unsent": unsent})) as answer:
                assert answer.status == 204 and answer.headers["Cache-Control"] == "no-store"
                assert '"storage"' in answer.headers["Clear-Site-Data"]
        assert not list(visit.session.cookie_jar)
        async with visit.session.get(url + "/chat/messages") as answer:
            assert answer.status == 401
    async with visiting(url) as still:
        still.session.cookie_jar.update_cookies(session)
        await still.heard("waiting.cleared")
        async with still.session.get(url + "/chat/messages?mine=1&sent=b,zz") as answer:
            found = await answer.json()
        assert found["kept"] == ["b"]
        assert not any("beating" in item["text"] for item in found["messages"])
    assert await service.db["cases"].count_documents({"open": True}) == 1


async def test_a_tab_goes_on_with_its_conversation(url: str) -> None:
    """After a reload both sides are shown in order; without `keep` the next person starts with nothing."""
    async with visiting(url) as visit:
        await visit.open()
        await visit.send(choice="c:menu", id="first")
        await visit.heard("core.choose_language")
        await visit.send(choice="l:en", id="a")
        await visit.heard("core.notice")
        await visit.send(text="<b>my wages</b>", id="b")
        await visit.open(keep=True)
        async with asyncio.timeout(10):
            shown: list[dict[str, Any]] = []
            while not shown or shown[-1].get("mine"):
                async with visit.session.get(url + "/chat/messages?mine=1") as answer:
                    shown = (await answer.json())["messages"]
        mine = [item["text"] for item in shown if item.get("mine")]
        assert mine == ["English", "<b>my wages</b>"]
        assert shown[0]["about"] == "core.choose_language" and shown[1]["mine"]
        await visit.open()
        assert await visit.poll() == visit.seen[:0]


async def test_another_sites_page_reaches_nothing(url: str) -> None:
    async with visiting(url) as visit:
        await visit.open()
        for origin in ("https://evil.example", "null"):
            headers = {"Origin": origin}
            for path in ("/chat/leave", "/chat/left", "/chat/simple", "/chat/messages"):
                async with visit.session.post(url + path, headers=headers) as answer:
                    assert answer.status == 403, path
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await visit.session.ws_connect(url + "/chat/socket", headers=headers)
        assert list(visit.session.cookie_jar)


# ---- pace


async def test_a_flood_is_slowed_and_danger_is_not(service: Service, url: str) -> None:
    """J3, H14: over the pace 429 with a time; a cry for help, the button, and whoever has a case pass at once."""
    async with visiting(url) as visit:
        await visit.open()
        found = [await visit.post({"id": f"f{n}", "text": "hello"}) for n in range(FLOOD)]
        assert found[0] == 200 and found.count(429) > FLOOD / 3
        async with visit.session.post(url + "/chat/messages", json={"id": "slow", "text": "hello"}) as answer:
            assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 5
        for number, danger in enumerate(
            ({"text": "please help me he is beating me"}, {"text": "मुझे बचाओ मालिक ने बंद कर दिया"}, {"choice": "c:help"})
        ):
            assert await visit.post({"id": f"danger{number}", **danger}) == 200
        async with asyncio.timeout(20):
            while not await service.db["cases"].count_documents({"open": True}):
                await asyncio.sleep(0.1)
        assert [await visit.post({"id": f"after{n}", "text": "here"}) for n in range(5)] == [200] * 5
    async with visiting(url) as other:
        await other.open()
        assert await other.post({"id": "x", "text": "hello"}) == 200


async def test_one_visitor_holds_few_connections(url: str) -> None:
    async with visiting(url) as visit:
        await visit.open()
        async with contextlib.AsyncExitStack() as stack:
            sockets = [
                await stack.enter_async_context(visit.session.ws_connect(url + "/chat/socket"))
                for _ in range(MOST_LISTENING)
            ]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await visit.session.ws_connect(url + "/chat/socket")
            await sockets[0].send_str("what a page never sends")
            assert (await sockets[0].receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await asyncio.sleep(0.3)
        async with visit.session.ws_connect(url + "/chat/socket"):
            pass


def test_the_pace_refills_and_forgets() -> None:
    at = [0.0]
    pace = Pace((2, 0.5), lambda: at[0], most_kept=3)
    assert [pace.wait("a") for _ in range(3)] == [0.0, 0.0, 2.0]
    at[0] = 2.0
    assert pace.wait("a") == 0.0 and pace.wait("a") > 0
    for name in "bcde":
        pace.wait(name)
    assert len(pace._buckets) == 3 and MOST_KEPT > 3


@pytest.mark.parametrize(
    ("peer", "claimed", "found"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
    ],
)
def test_only_our_own_proxy_is_believed(peer: str, claimed: str, found: str) -> None:
    """E30: anybody may write X-Forwarded-For; only the hop that our proxy added counts."""

    class Transport:
        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return (peer, 1) if name == "peername" else default

    headers = {"X-Forwarded-For": claimed} if claimed else {}
    request: web.Request = make_mocked_request("GET", "/", headers, transport=Transport())
    assert visitors.remote(request, (ip_network("10.0.0.0/8"),)) == found


# ---- without scripts


def _field(page: str, name: str) -> str:
    found = re.search(rf'<textarea id="text".*?</textarea>|name="{name}" value="([^"]+)"', page)
    assert found
    return str(found.group(1))


async def test_a_person_without_scripts_is_answered_and_heard_once(service: Service, url: str) -> None:
    """The form: language, words, a choice; sent twice by an impatient finger it counts once; danger opens a case."""
    async with visiting(url) as visit:
        session = visit.session
        async with session.get(url + "/chat/simple?lang=hi") as answer:
            name = _field(await answer.text(), "id")
        for _ in range(2):
            data = {"id": name, "lang": "hi", "text": "मुझे मालिक ने कमरे में बंद कर दिया है <i>"}
            async with session.post(url + "/chat/simple", data=data) as answer:
                page = await answer.text()
                assert answer.status == 200 and answer.url.path == "/chat/simple"
        assert page.count("कमरे में बंद") == 1 and "&lt;i&gt;" in page and "<i>" not in page
        assert "/chat/audio/" in page and 'class="choices"' in page
        choice = re.search(r'name="choice" value="(q:safe_yes)"', page)
        assert choice and await service.db["cases"].count_documents({"open": True}) == 1
        async with session.post(
            url + "/chat/simple", data={"id": _field(page, "id"), "lang": "hi", "choice": choice.group(1)}
        ) as answer:
            page = await answer.text()
        assert service.content.words("hi", "waiting.safe_yes.label") in page
        async with session.post(url + "/chat/left") as answer:
            assert "wikipedia" in await answer.text() and "Clear-Site-Data" in answer.headers
        async with session.get(url + "/chat/simple?lang=hi") as answer:
            assert "कमरे" not in await answer.text()


def _form(name: str, *, text: str = "", picture: bytes = b"", voice: bytes = b"") -> aiohttp.FormData:
    """Return the simple page's form as a browser sends it: an input without a file is there, and empty."""
    form = aiohttp.FormData(default_to_multipart=True)
    for field, value in (("id", name), ("lang", "en"), ("place", ""), ("text", text)):
        form.add_field(field, value)
    for field, data in (("picture", picture), ("voice", voice)):
        form.add_field(field, data, filename="x.bin" if data else "", content_type="application/octet-stream")
    return form


async def _carriers(service: Service) -> list[str]:
    names = await service.db["inbox"].distinct("conversation", {"channel": "web"})
    lines = [line for name in names for line in await service.cases.transcript(name)]
    return sorted(line.carrier for line in lines if line.who == "person" and line.carrier in {"image", "voice"})


async def test_files_are_sent_without_scripts_and_once(service: Service, url: str) -> None:
    """Words, a picture and a voice note in one form; pressed again, also before there is a session, nothing doubles."""
    async with visiting(url) as visit:
        async with visit.session.get(url + "/chat/simple?lang=en") as answer:
            page = await answer.text()
        name = _field(page, "id")
        assert 'enctype="multipart/form-data"' in page and 'name="picture"' in page and 'name="voice"' in page
        for _ in range(3):
            visit.session.cookie_jar.clear()
            data = _form(name, text="my card <b>", picture=pictures.picture("png", 60, 40), voice=pictures.sound())
            async with visit.session.post(url + "/chat/simple", data=data, headers={"Origin": url}) as answer:
                page = await answer.text()
                assert answer.status == 200 and answer.url.path == "/chat/simple"
        words = service.content.words
        shown = page.partition("<main")[2].partition("</main>")[0]
        assert [shown.count(one) for one in ("my card &lt;b&gt;", words("en", "web.sent_picture"))] == [1, 1]
        assert shown.count(words("en", "web.sent_voice")) == 1
    kept = await service.db["media"].find({}).to_list()
    assert sorted(row["mime"] for row in kept) == ["audio/ogg", "image/png"]
    assert await _carriers(service) == ["image", "voice"]
    assert len(await service.db["inbox"].distinct("conversation", {"channel": "web"})) == 1


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"picture": b"\xff\xd8\xff" + b"\0" * 6 * 1024 * 1024}, "large"),
        ({"voice": b"OggS" + b"\0" * 6 * 1024 * 1024}, "large"),
        ({"picture": b"<script>alert(1)</script>"}, "kind"),
        ({"voice": b"MZ\0program"}, "kind"),
    ],
)
async def test_a_file_that_is_refused_takes_no_words_along(
    service: Service, url: str, files: dict[str, bytes], why: str
) -> None:
    """Too large or of another kind: said in plain words under the numbers; the cry for help beside it is heard."""
    async with visiting(url) as visit:
        data = _form("a" * 24, text="please help me he is beating me", **files)
        async with visit.session.post(url + "/chat/simple", data=data) as answer:
            page = await answer.text()
            assert answer.status == 413, why
        assert service.content.words("en", "web.refused") in page and 'href="tel:112"' in page
        assert "beating" in page.partition("<main")[2].partition("</main>")[0]
        assert "beating" not in page.partition("<textarea")[2].partition("</textarea>")[0]
    async with asyncio.timeout(10):
        while not await service.db["cases"].count_documents({"open": True}):
            await asyncio.sleep(0.1)
    assert await service.db["media"].count_documents({}) == 0


async def test_words_are_kept_before_the_file_has_arrived(service: Service, url: str) -> None:
    """A line that breaks in the middle of a picture: the cry for help in the same form is answered all the same."""
    head = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in (("id", "b" * 24), ("lang", "en"), ("text", "please help me he is beating me"))
    )
    head += '--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    host = url.partition("//")[2]
    _reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(
        f"POST /chat/simple HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: 400000\r\n\r\n{head}".encode()
        + b"\xff\xd8\xff" * 9000
    )
    await writer.drain()
    async with asyncio.timeout(10):
        while not await service.db["cases"].count_documents({"open": True}):
            await asyncio.sleep(0.1)
    writer.transport.abort()
    assert await service.db["media"].count_documents({}) == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n\r\n", b"no form at all", b'--x\r\nContent-Disposition: form-data; name="picture"\r\n\r\n\xff',
     b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\na\r\n--y--\r\n--x--\r\n",
     b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"a" * 200_000 + b"\r\n--x--\r\n"],
)  # fmt: skip
async def test_what_is_no_form_is_refused(url: str, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with visiting(url) as visit, visit.session.post(url + "/chat/simple", data=body, headers=headers) as answer:
        assert answer.status in {400, 413}, await answer.text()


def test_another_page_does_not_choose_a_session() -> None:
    """Two presses are one visitor only where the browser says that the page was ours."""
    for headers, ours in (
        ({"Origin": "http://here"}, True),
        ({"Referer": "http://here/chat/simple"}, True),
        ({"Origin": "http://evil"}, False),
        ({"Referer": "http://evil/here"}, False),
        ({}, False),
    ):
        request: web.Request = make_mocked_request("POST", "/", {"Host": "here", **headers})
        assert visitors.says_where_from(request) is ours, headers


async def test_a_file_is_not_taken_while_the_database_is_silent(
    service: Service, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the driver's own error: the page says so and whom to call, and the script is told to send it again."""

    async def silent(*_: Any) -> Any:
        raise ServerSelectionTimeoutError("no server")

    async with visiting(url) as visit:
        await visit.open()
        monkeypatch.setattr(service.media, "keep", silent)
        data = _form("c" * 24, picture=pictures.picture("png", 60, 40))
        async with visit.session.post(url + "/chat/simple", data=data) as answer:
            page = await answer.text()
            assert answer.status == 503 and 'href="tel:1098"' in page
        assert service.content.words("en", "web.not_kept") in page
        path = url + "/chat/picture?id=p1"
        async with visit.session.post(path, data=pictures.picture("png", 60, 40)) as answer:
            assert answer.status == 503 and "112" in (await answer.json())["helplines"]


async def test_a_fault_of_ours_is_logged_and_the_numbers_stand(
    service: Service, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is a 500 in the log, not a silent database; the page still says whom to call, and the driver's errors differ."""

    def failing(error: Exception) -> Any:
        async def fail(*_: Any) -> Any:
            raise error

        return fail

    async with visiting(url) as visit:
        await visit.open()
        for error, status in ((KeyError("a bug"), 500), (AutoReconnect("gone"), 200), (TimeoutError(), 200)):
            monkeypatch.setattr(service.outbox, "since", failing(error))
            caplog.clear()
            async with visit.session.get(url + "/chat/simple?lang=en") as answer:
                page = await answer.text()
                assert answer.status == status and 'href="tel:112"' in page
            assert ("a page failed" in caplog.text) is (status == 500)
        monkeypatch.setattr(service.receiver, "receive", failing(KeyError("a bug")))
        caplog.clear()
        async with visit.session.post(url + "/chat/simple", data=_form("d" * 24, text="hello")) as answer:
            page = await answer.text()
            assert answer.status == 500 and 'href="tel:1098"' in page and ">hello<" in page
        assert "a page failed" in caplog.text
        assert all("hello" not in record.getMessage() for record in caplog.records)


def _drawn(address: str) -> bytes:
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", scale=6, border=4)
    return out.getvalue()


async def test_the_square_leads_to_the_topic(service: Service, url: str) -> None:
    """SVG made here; unknown things and the place are left out: it leads to nowhere else, and is read elsewhere."""
    async with aiohttp.ClientSession() as session:
        drawn = []
        for query in ("?lang=hi&t=wages_unpaid&place=NDLS", "?lang=x&t=%3Cscript%3E&place=https://evil.example", ""):
            async with session.get(f"{url}/chat/square.svg{query}") as answer:
                assert answer.content_type == "image/svg+xml" and answer.headers["Cache-Control"] == "no-store"
                drawn.append(await answer.read())
        assert drawn[1] == drawn[2] == _drawn(f"{url}/?")
        assert drawn[0] == _drawn(f"{url}/?lang=hi&t=wages_unpaid")
        code = code_at(service, "NDLS")
        async with session.get(f"{url}/?lang=hi&t=wages_unpaid&place=NDLS&kiosk=1&idle=5") as answer:
            page = await answer.text()
        for part in (
            'data-given="hi"',
            'data-topic="wages_unpaid"',
            f'data-place="{code}"',
            'data-idle="10"',
            'class="kiosk"',
        ):
            assert part in page
        async with session.get(url + "/?t=%22%3E%3Cscript%3E&place=%22%3E%3Cscript%3E&lang=%22") as answer:
            assert "<script>" not in await answer.text()


async def test_with_the_database_silent_words_are_kept_and_the_numbers_stand(
    service: Service, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cry for help through the simple page goes to the spool; the page still says whom to call."""

    async def silent(*_: Any) -> Any:
        raise StoreUnavailable("silent")

    monkeypatch.setattr(service.inbox, "add", silent)
    monkeypatch.setattr(service.outbox, "since", silent)
    async with visiting(url) as visit:
        data = {"id": "a1", "lang": "en", "text": "please help me he is beating me"}
        async with visit.session.post(url + "/chat/simple", data=data, allow_redirects=False) as answer:
            assert answer.status == 303 and answer.headers["Location"] == "/chat/simple?lang=en#end"
        assert service.spool.waiting
        async with visit.session.get(url + "/chat/simple?lang=en") as answer:
            page = await answer.text()
            assert answer.status == 200 and 'href="tel:112"' in page
        assert service.content.words("en", "web.waiting").split(".")[0] in page
