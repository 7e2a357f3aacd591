"""The authors' pages: propose, read, sign off, publish, go back; and the voice notes that responders hear."""

from __future__ import annotations

import asyncio

import aiohttp

from bot.domain.wording import MarkKind
from tests import pictures
from tests.console.conftest import Site

MESSAGE = "/console/words/ta/message/core.thanks"
NEW = "நன்றி. வேறு என்ன?"


async def test_a_message_stands_beside_its_source_and_its_facts(site: Site) -> None:
    vani = await site.login("vani")
    status, page = await vani.get("/console/words/ur/message/wages_unpaid.answer")
    assert status == 200
    assert 'dir="rtl"' in page
    assert "By law a daily wage is due" in page
    assert "B-62" in page
    assert "Code on Wages 2019, section 17" in page
    await vani.session.close()


async def test_from_proposal_to_version_and_back(site: Site) -> None:
    """What an author proposes is published by a click, seen by the next person, and taken back by another click."""
    vani = await site.login("vani")
    before = site.service.content.words("ta", "core.thanks")
    token = await vani.token()
    await vani.post(f"{MESSAGE}/propose", csrf=token, words=NEW)
    assert NEW in (await vani.get("/console/versions"))[1]
    await vani.post("/console/versions/publish", csrf=token, note="shorter thanks")
    assert site.service.content.words("ta", "core.thanks") == NEW
    assert "shorter thanks" in (await vani.get("/console/versions"))[1]
    await vani.post("/console/versions/0/restore", csrf=token)
    assert site.service.content.words("ta", "core.thanks") == before
    await vani.post("/console/versions/1/restore", csrf=token)
    assert site.service.content.words("ta", "core.thanks") == NEW
    lines = await site.service.audit.latest()
    assert {"words proposed", "words published", "words restored"} <= {line["action"] for line in lines}
    await vani.session.close()


async def test_words_that_break_a_rule_come_back_with_the_reason(site: Site) -> None:
    vani = await site.login("vani")
    long = "x" * 40
    status, page = await vani.post(
        "/console/words/ta/message/core.yes.label/propose", csrf=await vani.token(), words=long
    )
    assert status == 400
    assert "at most 24 fit" in page
    assert long in page
    await vani.session.close()


async def test_a_sign_off_needs_the_tick_and_names_the_reader(site: Site) -> None:
    vani = await site.login("vani")
    token = await vani.token()
    assert (await vani.post(f"{MESSAGE}/mark", csrf=token, kind="signed"))[0] == 400
    await vani.post(f"{MESSAGE}/mark", csrf=token, kind="signed", native="yes")
    assert "vani" in (await vani.get(MESSAGE))[1]
    standing = await site.service.wording.standing("ta", "core.thanks")
    assert standing.signed
    assert standing.signed.kind is MarkKind.SIGNED
    await vani.session.close()


async def test_signing_every_area_releases_the_locale(site: Site) -> None:
    """Then nobody is told any more that the words are a draft."""
    vani = await site.login("vani")
    token = await vani.token()
    for area in site.service.wording.areas():
        await vani.post(f"/console/words/or/{area}/mark", csrf=token, kind="signed", native="yes")
    assert site.service.content.locales["or"].status == "released"
    assert (await vani.get("/console/words"))[0] == 200
    turn, _ = await site.chat.say("", "l:or")
    assert "core.draft_note" not in [reply.message for reply in turn.replies]
    await vani.session.close()


async def test_a_voice_note_is_heard_by_its_responder_and_the_hearing_is_recorded(site: Site) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as web:
        await web.post(site.url + "/chat/session")
        await web.post(site.url + "/chat/messages", json={"id": "a1", "text": "please help me he is beating me"})
        async with asyncio.timeout(10):
            while not (cases := await site.service.cases.queue()):
                await asyncio.sleep(0.05)
        sound = {"Content-Type": "audio/ogg"}
        async with web.post(site.url + "/chat/voice?id=v1", data=pictures.sound(), headers=sound) as answer:
            assert answer.status == 200
        for bad in ("/chat/voice", "/chat/voice?id=v2"):
            kind = {"Content-Type": "text/html"} if "id" in bad else sound
            async with web.post(site.url + bad, data=b"x", headers=kind) as answer:
                assert answer.status == 400, bad
    asha = await site.login("asha")
    case = cases[0]
    async with asyncio.timeout(10):
        while not (
            voices := [x for x in await site.service.cases.transcript(case.conversation_id) if x.carrier == "voice"]
        ):
            await asyncio.sleep(0.05)
    path = f"/console/cases/{case.id}/media/{voices[0].id}"
    async with asyncio.timeout(20):
        while f'src="{path}"' not in (await asha.get(f"/console/cases/{case.id}"))[1]:
            await asyncio.sleep(0.1)
    async with asha.session.get(site.url + path) as answer:
        assert (answer.status, answer.content_type, (await answer.read())[:4]) == (200, "audio/ogg", b"OggS")
    assert (await asha.get(f"/console/cases/{case.id}/media/none"))[0] == 404
    assert "voice note heard" in {line["action"] for line in await site.service.audit.latest()}
    await asha.session.close()


async def test_a_picture_is_seen_by_its_responder_and_the_look_is_recorded(site: Site) -> None:
    """Taken for what its bytes are, whatever its header says; what is no picture, has no name or is too large is not."""
    shown = pictures.picture("png", 60, 40)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as web:
        async with web.post(site.url + "/chat/picture?id=p0", data=shown) as answer:
            assert answer.status == 401
        await web.post(site.url + "/chat/session")
        await web.post(site.url + "/chat/messages", json={"id": "a1", "text": "please help me he is beating me"})
        async with asyncio.timeout(10):
            while not (cases := await site.service.cases.queue()):
                await asyncio.sleep(0.05)
        kind = {"Content-Type": "text/html"}
        for path, data, status in (
            ("/chat/picture?id=p1", shown, 200),
            ("/chat/picture?id=p1", shown, 200),
            ("/chat/picture", shown, 400),
            ("/chat/picture?id=p2", b"<script>alert(1)</script>", 400),
            ("/chat/picture?id=p3", shown + b"\0" * 5 * 1024 * 1024, 413),
        ):
            async with web.post(site.url + path, data=data, headers=kind) as answer:
                assert answer.status == status, path
    asha = await site.login("asha")
    case = cases[0]
    async with asyncio.timeout(10):
        while not (
            found := [x for x in await site.service.cases.transcript(case.conversation_id) if x.carrier == "image"]
        ):
            await asyncio.sleep(0.05)
    assert len(found) == 1
    path = f"/console/cases/{case.id}/media/{found[0].id}"
    async with asyncio.timeout(20):
        while f'href="{path}"' not in (await asha.get(f"/console/cases/{case.id}"))[1]:
            await asyncio.sleep(0.1)
    async with asha.session.get(site.url + path) as answer:
        assert (answer.status, answer.content_type, (await answer.read())[:2]) == (200, "image/jpeg", b"\xff\xd8")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "picture seen" in {line["action"] for line in await site.service.audit.latest()}
    await asha.session.close()


async def test_every_answer_of_the_web_chat_can_be_heard_by_its_own_person_only(site: Site) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as web:
        await web.post(site.url + "/chat/session")
        await web.post(site.url + "/chat/messages", json={"id": "a1", "choice": "l:ta"})
        async with asyncio.timeout(10):
            found: list[dict[str, str]] = []
            while not found:
                async with web.get(site.url + "/chat/messages") as answer:
                    found = (await answer.json())["messages"]
        path = f"{site.url}/chat/audio/{found[0]['id']}?lang=ta"
        async with web.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, "audio/ogg")
            assert (await answer.read())[:4] == b"OggS"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as stranger:
        async with stranger.get(path) as answer:
            assert answer.status == 401
        await stranger.post(site.url + "/chat/session")
        async with stranger.get(path) as answer:
            assert answer.status == 404


async def test_a_location_of_the_web_chat_is_answered(site: Site) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as web:
        await web.post(site.url + "/chat/session")
        for bad in ([1], ["a", "b"], [95, 10], "x"):
            async with web.post(site.url + "/chat/messages", json={"id": "b", "point": bad}) as answer:
                assert answer.status == 400, bad
        async with web.post(site.url + "/chat/messages", json={"id": "p1", "point": [25.60, 85.13]}) as answer:
            assert answer.status == 200
        async with asyncio.timeout(10):
            found: list[dict[str, str]] = []
            while not found:
                async with web.get(site.url + "/chat/messages") as answer:
                    found = (await answer.json())["messages"]
        assert found[0]["about"] == "near.first"
        assert "112" in found[0]["text"]
