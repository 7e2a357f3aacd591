"""Files in the console: clean copies for those who work on the case, the sealed original only with a second person."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import aiohttp
import pytest

from bot.domain.attachments import Attachment, CopyState
from bot.domain.cases import Case, MergedFor
from bot.domain.messages import ChannelName, Media
from bot.domain.private import Private
from bot.ports import Wanted
from tests import pictures
from tests.clients.test_copies import CANARY, THUMBNAIL, told, traces
from tests.console.conftest import Browser, Site

PDF = b"%PDF-1.7\n" + CANARY


class Found:
    """A case with one picture in it, sent through the web chat, and those who work on it."""

    def __init__(self, site: Site, case: Case, data: bytes) -> None:
        self.site = site
        self.case = case
        self.data = data

    async def files(self) -> list[Attachment]:
        return list((await self.site.service.attachments.of(self.case.conversation_id)).values())

    async def file(self, number: int = 0) -> Attachment:
        """One file, once it is settled whether there is a copy."""
        async with asyncio.timeout(20):
            while (item := (await self.files())[number]).copy in {CopyState.WAITING, CopyState.FETCHING}:
                await asyncio.sleep(0.05)
        return item

    async def page(self, browser: Browser) -> str:
        return (await browser.get(f"/console/cases/{self.case.id}"))[1]

    async def fetched(self, browser: Browser, item: Attachment) -> tuple[int, str, bytes]:
        path = f"{self.site.url}/console/cases/{self.case.id}/media/{item.id}"
        async with browser.session.get(path) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def ask(self, browser: Browser, item: Attachment, reason: str = "the face is not clear") -> str:
        return (await browser.act(self.case.id, f"media/{item.id}/ask", text=reason))[1]

    async def hide(self, browser: Browser, item: Attachment, **fields: str) -> str:
        return (await browser.act(self.case.id, f"media/{item.id}/hide", **fields))[1]

    async def download(self, browser: Browser, request: str) -> tuple[int, str, bytes, str]:
        path = f"{self.site.url}/console/cases/{self.case.id}/originals/{request}"
        async with browser.session.post(path, data={"csrf": await browser.token()}) as answer:
            named = answer.headers.get("Content-Disposition", "")
            return answer.status, answer.content_type, await answer.read(), named

    async def request(self) -> str:
        return (await self.site.service.approvals.of_case(self.case.id))[0].id

    async def actions(self) -> list[str]:
        return [event.action.value for event in await self.site.service.cases.history(self.case.id)]

    async def audit(self) -> list[str]:
        lines = await self.site.service.audit.latest()
        return [line["action"] for line in reversed(lines) if line["about"] == self.case.id]

    async def add(self, mime: str, data: bytes) -> None:
        """Another file, fetched from a channel."""
        media = self.site.service.media
        name = media.id_of(f"more:{mime}:{len(data)}")
        await media.keep(name, self.case.conversation_id, mime, data, self.site.service.now())


async def opened(site: Site) -> Found:
    data = told("JPEG")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as web:
        await web.post(site.url + "/chat/session")
        await web.post(site.url + "/chat/messages", json={"id": "a1", "text": "please help me he is beating me"})
        async with asyncio.timeout(10):
            while not (cases := await site.service.cases.queue()):
                await asyncio.sleep(0.05)
        async with web.post(site.url + "/chat/picture?id=p1", data=data) as answer:
            assert answer.status == 200
        async with web.post(site.url + "/chat/picture?id=p1", data=pictures.picture()) as answer:
            assert answer.status == 200  # the same id again: what was kept stays as it is
    return Found(site, cases[0], data)


async def approve(browser: Browser, request: str, verb: str = "approve") -> tuple[int, str]:
    return await browser.post(f"/console/requests/{request}/{verb}", csrf=await browser.token(), text="")


async def test_a_responder_sees_a_copy_without_place_device_or_thumbnail(site: Site) -> None:
    """G3: a byte scan of what the console hands out; in the database neither is readable; the original is untouched."""
    found = await opened(site)
    asha = await site.login("asha")
    item = await found.file()
    status, mime, seen = await found.fetched(asha, item)
    assert (status, mime) == (200, "image/jpeg") and traces(seen) == []
    assert {"canary", "exif", "thumbnail"} <= set(traces(found.data))
    assert await site.service.media.get(item.id, found.case.conversation_id) == ("image/jpeg", found.data)
    rows = str(await site.service.db["media_pieces"].find({}).to_list()).encode()
    assert CANARY not in rows and THUMBNAIL[200:260] not in rows and rows.count(b":copy:0") == 1
    page = await found.page(asha)
    assert f"/media/{item.id}" in page and "clean copies" in page
    assert "picture seen" in await found.audit()
    assert (await asha.get(f"/console/cases/{'0' * 12}/media/{item.id}"))[0] == 404


async def test_the_original_takes_two_people_and_leaves_once(site: Site) -> None:
    """Only whoever has the case asks; nobody else approves their own; once, as a download with a neutral name."""
    found = await opened(site)
    asha, bina, sudha, root = [await site.login(name) for name in ("asha", "bina", "sudha", "root")]
    item = await found.file()
    assert "Somebody else" in await found.ask(asha, item)
    await asha.act(found.case.id, "claim")
    assert "reason is needed" in await found.ask(asha, item, "  ")
    assert "waits for a supervisor" in await found.ask(asha, item)
    assert "asked for this already" in await found.ask(asha, item)
    request = await found.request()
    assert (await found.download(asha, request))[1] == "text/html"
    for browser in (asha, bina, root):
        assert (await approve(browser, request))[0] == 403
    assert "the face is not clear" in (await sudha.get("/console/requests"))[1]
    assert "the face is not clear" not in (await bina.get("/console/requests"))[1]
    await approve(sudha, request)
    assert "decided already" in (await approve(sudha, request, "refuse"))[1]
    for browser in (bina, sudha):
        assert (await found.download(browser, request))[1] == "text/html"
    status, mime, data, named = await found.download(asha, request)
    assert (status, mime, data) == (200, "application/octet-stream", found.data)
    assert named == f'attachment; filename="original-{found.case.id}-1.jpg"'
    assert (await found.download(asha, request))[1] == "text/html"
    assert [action for action in await found.actions() if action in {"ask", "grant", "hand_out"}] == [
        "ask", "grant", "hand_out",
    ]  # fmt: skip
    assert {"original asked for", "original approved", "original handed out", "original refused"} <= set(
        await found.audit()
    )
    assert await site.service.cases.broken_at(found.case.id) is None and await site.service.audit.verify()
    assert "face is not clear" not in str(await site.service.db["approvals"].find({}).to_list())
    assert "face is not clear" not in str(await site.service.audit.latest())


async def test_two_who_download_at_once_get_one_original(site: Site) -> None:
    found = await opened(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    item = await found.file()
    await asha.act(found.case.id, "claim")
    await found.ask(asha, item)
    await approve(sudha, await found.request())
    request = await found.request()
    got = await asyncio.gather(*(found.download(asha, request) for _ in range(4)))
    assert sorted(data == found.data for _, _, data, _ in got) == [False, False, False, True]


@pytest.mark.parametrize(("step", "minutes", "state"), [("asked", 15, "lapsed"), ("approved", 60, "ended")])
async def test_what_is_not_done_in_time_is_over(site: Site, step: str, minutes: int, state: str) -> None:
    """F19: 15 minutes for the second person, 60 to use it; the end is in the history and in the audit."""
    found = await opened(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    item = await found.file()
    await asha.act(found.case.id, "claim")
    await found.ask(asha, item)
    request = await found.request()
    if step == "approved":
        await approve(sudha, request)
    past = site.service.now() - timedelta(minutes=minutes)
    fields = {"asked_at": past, "until": site.service.now()} | ({"decided_at": past} if step == "approved" else {})
    await site.service.db["approvals"].update_one({"_id": request}, {"$set": fields})
    assert "<html" in (await found.download(asha, request))[2].decode("utf-8", "replace")
    await approve(sudha, request)
    async with asyncio.timeout(10):
        while (await site.service.approvals.of_case(found.case.id))[0].state.value != state:
            await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        while f"original {state}" not in await found.audit():
            await asyncio.sleep(0.1)
    assert (await found.actions()).count("lapse") == 1 and "hand_out" not in await found.actions()


async def test_a_refusal_stands_and_another_may_be_asked_for(site: Site) -> None:
    found = await opened(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    item = await found.file()
    await asha.act(found.case.id, "claim")
    await found.ask(asha, item)
    first = await found.request()
    await approve(sudha, first, "refuse")
    assert (await found.download(asha, first))[1] == "text/html"
    assert "deny" in await found.actions() and "original refused" in await found.audit()
    await found.ask(asha, item, "again: the number plate")
    assert await found.request() != first


async def test_what_may_show_the_abuse_of_a_child_is_never_shown_again(site: Site) -> None:
    """G8: no copy, no original, not even what was approved; a task that the case cannot end without; once though said twice."""
    found = await opened(site)
    asha, bina, sudha = [await site.login(name) for name in ("asha", "bina", "sudha")]
    item = await found.file()
    await asha.act(found.case.id, "claim")
    await found.ask(asha, item)
    request = await found.request()
    await approve(sudha, request)
    assert "tick that you are sure" in await found.hide(bina, item, text="a child")
    assert "reason is needed" in await found.hide(bina, item, text=" ", sure="yes")
    for _ in range(2):
        await found.hide(bina, item, text="a child", sure="yes")
    for browser in (asha, bina, sudha):
        assert (await found.fetched(browser, item))[0] == 404
        page = await found.page(browser)
        assert f"/media/{item.id}" not in page and "not to be shown again" in page
    assert (await found.download(asha, request))[1] == "text/html"
    assert "may not be opened" in await found.ask(asha, item)
    assert not await site.service.db["media_pieces"].count_documents({"note": f"{item.id}:copy"})
    assert await site.service.media.get(item.id, found.case.conversation_id)
    (task,) = await site.service.task_store.of(found.case.id)
    assert task.mandatory and task.rule.value == "child_image" and task.due
    assert "still open" in (await asha.act(found.case.id, "close", text="done"))[1]
    await asha.act(found.case.id, "tasks/finish", task=task.id, text="SJPU told at 10:40")
    await asha.act(found.case.id, "close", text="done")
    closed = await site.service.cases.get(found.case.id)
    assert closed and closed.state.value == "closed"
    assert (await found.actions()).count("hide") == 1 and "file hidden for good" in await found.audit()


async def test_the_duty_can_be_done_after_the_case_was_closed(site: Site) -> None:
    found = await opened(site)
    asha = await site.login("asha")
    item = await found.file()
    await asha.act(found.case.id, "claim")
    await asha.act(found.case.id, "close", text="done")
    await found.hide(asha, item, text="a child", sure="yes")
    (task,) = await site.service.task_store.of(found.case.id)
    assert task.open and task.id in await found.page(asha)
    await asha.act(found.case.id, "tasks/finish", task=task.id, text="SJPU told at 10:40")
    assert not (await site.service.task_store.of(found.case.id))[0].open


async def test_other_files_are_named_and_never_shown(site: Site) -> None:
    """A paper by kind and size; bombs and damaged ones by why; no name, type or byte of the person's reaches the page."""
    found = await opened(site)
    asha = await site.login("asha")
    await found.file()
    await found.add("text/html", PDF)
    await found.add("image/png", pictures.png(20000, 20000, 40))
    await found.add("audio/ogg", b"OggS" + CANARY)
    paper, bomb, broken = [await found.file(number) for number in (1, 2, 3)]
    assert (paper.kind.value, paper.copy.value) == ("pdf", "none")
    assert (bomb.why, broken.why) == ("too_many_pixels", "unreadable")
    for item in (paper, bomb, broken):
        assert (await found.fetched(asha, item))[0] == 404
    page = await found.page(asha)
    assert "PDF" in page and "kept sealed" in page.lower() and "too large to be opened" in page and "damaged" in page
    assert CANARY.decode() not in page


async def test_a_file_that_is_not_as_claimed_is_refused_and_the_case_says_so(site: Site) -> None:
    """G2, G7: HTML, ZIP and ELF sent as a picture through a channel: not a byte is kept."""
    found = await opened(site)
    service = site.service
    for number, data in enumerate((b"<html><script>", b"PK\x03\x04" + b"\0" * 40, b"\x7fELF" + b"\0" * 40)):
        wanted = Wanted(
            f"bad{number}", found.case.conversation_id, ChannelName.TELEGRAM, Media(Private("x"), "image/jpeg")
        )
        await service.media.want(wanted, service.now())

        async def fetch(media: Media, most_bytes: int, data: bytes = data) -> bytes:
            return data

        service.listener._fetchers = {ChannelName.TELEGRAM: fetch}
        await service.listener.fetch_wanted()
    page = await found.page(await site.login("asha"))
    assert page.count("not what it says it is") == 2 and page.count("it is a program") == 1
    assert not await service.db["media_pieces"].count_documents({"note": {"$regex": "^bad"}})


async def test_erasing_takes_the_copy_too(site: Site) -> None:
    """The copy has the time of its original: whatever removes one removes the other."""
    found = await opened(site)
    item = await found.file()
    rows = await site.service.db["media_pieces"].find({}).to_list()
    kept = await site.service.db["media"].find_one({"_id": item.id})
    assert kept and {row["conversation"] for row in rows} == {found.case.conversation_id}
    assert {row["at"] for row in rows if row["note"].endswith(":copy")} == {kept["at"]}
    await site.service.sealer.set_aside(found.case.conversation_id)
    await site.service.sealer.shred_aside(found.case.conversation_id)
    await asyncio.sleep(1.2)
    assert await site.service.attachments.copy_of(item.id, found.case.conversation_id) is None


async def test_a_partner_sees_clean_copies_of_what_came_with_the_case_and_nothing_more(site: Site) -> None:
    """No original, not even as the owner; no way to hide a file from us; nothing that was sent before the case."""
    found = await opened(site)
    pari, omar = await site.login("pari"), await site.login("omar")
    item, case = await found.file(), found.case.id
    assert (await found.fetched(pari, item))[0] == 404
    shown = {"labels": ["child"], "district": "BR:Patna"}
    await site.service.db["cases"].update_one({"_id": case}, {"$set": shown})
    await pari.act(case, "claim")
    page = await found.page(pari)
    assert f"/media/{item.id}" in page and 'id="contact"' not in page
    assert not any(f'{way}"' in page for way in (f"{item.id}/ask", f"{item.id}/hide", "/reveal"))
    assert (await found.fetched(pari, item))[0] == 200 and (await found.fetched(omar, item))[0] == 404
    for way in (f"media/{item.id}/ask", f"media/{item.id}/hide", f"media/{item.id}/fetch", "originals/x", "reveal"):
        assert (await pari.act(case, way, text="we need it", sure="yes"))[0] == 403
    past = site.service.now() - timedelta(hours=3)
    await site.service.db["inbox"].update_one({"_id": item.id}, {"$set": {"received_at": past}})
    assert (await found.fetched(pari, item))[0] == 404 and f"/media/{item.id}" not in await found.page(pari)
    assert (await found.fetched(await site.login("sudha"), item))[0] == 200


async def test_a_file_of_a_merged_person_stands_on_the_case_that_goes_on(site: Site) -> None:
    """Clean copy, original and the duty of a picture of a child: all as for the case's own person."""
    found = await opened(site)
    item, gone = await found.file(), found.case
    turn, _ = await site.chat.say("please help me, they locked me in a room")
    kept = await site.service.cases.get(turn.conversation.open_case)
    assert kept
    found.case = await site.service.merging.merge(gone, kept, "sudha", MergedFor.EVENT, "one house", "m")
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await asha.act(kept.id, "claim")
    page = await found.page(asha)
    assert f"/console/cases/{kept.id}/media/{item.id}" in page and f"File 1 ({gone.id})" in page
    assert (await found.fetched(asha, item))[0] == 200
    await found.ask(asha, item)
    await approve(sudha, await found.request())
    assert (await found.download(asha, await found.request()))[2] == found.data
    await found.hide(asha, item, text="a child", sure="yes")
    assert (await found.fetched(asha, item))[0] == 404
    assert "child_image" in {task.rule.value for task in await site.service.task_store.of(kept.id)}


async def test_the_live_page_names_files_without_their_bytes(site: Site) -> None:
    found = await opened(site)
    asha = await site.login("asha")
    await found.file()
    _, page = await asha.get(f"/console/cases/{found.case.id}/live.json")
    assert '"file": "picture"' in page
    assert re.search(r'"file": ""', page)


async def test_files_that_were_left_are_named_apart_and_the_owner_can_have_them_fetched(site: Site) -> None:
    """Fifty of them bury nothing: one line until it is opened. What came by the web page is gone."""
    found = await opened(site)
    service, conversation = site.service, found.case.conversation_id
    for number in range(50):
        media = Media(Private(f"x{number}"), "image/jpeg", 900)
        wanted = Wanted(f"left{number}", conversation, ChannelName.TELEGRAM, media)
        await service.media.leave(wanted, service.now(), "too_many")
    await service.media.leave(Wanted("gone", conversation, ChannelName.WEB, None), service.now(), "crowded")
    asha, bela = await site.login("asha"), await site.login("bela")
    page = await found.page(asha)
    assert "Files that were not fetched (51)" in page
    assert page.count("had sent very many files") == 50
    assert page.count("cannot be had any more") == 1
    assert "/fetch" not in page
    await asha.act(found.case.id, "claim")
    assert (await found.page(asha)).count("/fetch") == 50
    await bela.act(found.case.id, "media/left1/fetch")
    assert await service.db["media"].find_one({"_id": "left1", "state": "left"})
    await asha.act(found.case.id, "media/gone/fetch")
    await asha.act(found.case.id, "media/left1/fetch")
    states = {row["_id"]: row["state"] async for row in service.db["media"].find({"_id": {"$in": ["gone", "left1"]}})}
    assert states == {"gone": "left", "left1": "wanted"}
    assert "file fetched after all" in await found.audit()
