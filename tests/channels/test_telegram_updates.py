"""What comes from Telegram: the secret, each kind of update, what is kept aside, groups."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from telegram import Bot

from bot.channels.telegram_group import GroupDoor, TelegramGroup
from bot.channels.telegram_groups import Groups
from bot.channels.telegram_receiving import Aside, Intake, TelegramWebhook, nobody
from bot.channels.telegram_updates import parse
from bot.domain.messages import Carrier, InboundMessage
from bot.domain.shown import visible
from bot.domain.topics import GroupUpdate
from bot.ports import GroupInbox, StoreUnavailable
from tests.channels.conftest import Taken
from tests.channels.telegram_shapes import GROUP, PERSON, edit, in_group, member, message, tap, update
from tests.platforms import TELEGRAM_SECRET, FakeTelegram, refused, serving

FILE = {"file_id": "f", "file_unique_id": "u"}


def now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def hooked(bot: Bot, taken: Taken, groups: Groups | None = None, aside: Aside = nobody) -> AsyncIterator[str]:
    intake = Intake(bot, taken.receive, taken.quarantine, now, groups, aside)
    hook = TelegramWebhook(intake, (TELEGRAM_SECRET, "former_secret"))
    app = web.Application()
    app.router.add_post("/t", hook.handle)
    async with serving(app) as url:
        yield f"{url}/t"


async def post(url: str, body: Any, secret: str | None = TELEGRAM_SECRET, **headers: str) -> tuple[int, str]:
    given = {**headers, **({"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {})}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=given) as answer:
        return answer.status, await answer.text()


def one(bot: Bot, given: dict[str, Any]) -> InboundMessage:
    found = parse(given, bot, now())
    assert found
    return found


async def test_the_secret_is_needed_and_rotates(bot: Bot, taken: Taken) -> None:
    """E4, E5: 401 and never 500; no secret at all is refused at start."""
    async with hooked(bot, taken) as url:
        for secret, status in (
            (TELEGRAM_SECRET, 200),
            ("former_secret", 200),
            ("older", 401),
            ("é", 401),
            (None, 401),
            ("", 401),
        ):
            assert (await post(url, update(1, text="hi"), secret))[0] == status
    with pytest.raises(ValueError, match="secret"):
        TelegramWebhook(Intake(bot, taken.receive, taken.quarantine, now), ("", ""))


async def test_a_packed_body_is_not_unpacked(bot: Bot, taken: Taken) -> None:
    """E15: Telegram never packs, so a bomb stays closed."""
    async with hooked(bot, taken) as url:
        assert (await post(url, b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"}))[0] in {400, 415}
    assert taken.messages == [] and taken.aside == []


KINDS: dict[str, tuple[dict[str, Any], Carrier, str]] = {
    "text": (update(1, text="namaste"), Carrier.TEXT, "namaste"),
    "a deep link keeps its payload": (update(1, text="/start sy_NDLS"), Carrier.TEXT, "/start sy_NDLS"),
    "edited text": (edit(1, text="bachao"), Carrier.EDITED, "bachao"),
    "edited caption": (edit(1, photo=[{**FILE, "width": 1, "height": 1}], caption="bachao"), Carrier.EDITED, "bachao"),
    "moving location": (edit(1, location={"latitude": 1.0, "longitude": 2.0, "live_period": 900}), Carrier.EDITED, ""),
    "caption": (update(1, photo=[{**FILE, "width": 1, "height": 1}], caption="madad"), Carrier.CAPTION, "madad"),
    "photo": (update(1, photo=[{**FILE, "width": 1, "height": 1}]), Carrier.IMAGE, ""),
    "voice": (update(1, voice={**FILE, "duration": 1}), Carrier.VOICE, ""),
    "video": (update(1, video={**FILE, "duration": 1, "width": 1, "height": 1}), Carrier.VIDEO, ""),
    "video note": (update(1, video_note={**FILE, "duration": 1, "length": 240}), Carrier.VOICE, ""),
    "document": (update(1, document=FILE), Carrier.DOCUMENT, ""),
    "location": (update(1, location={"latitude": 1.0, "longitude": 2.0}), Carrier.LOCATION, ""),
    "venue": (
        update(
            1,
            location={"latitude": 1.0, "longitude": 2.0},
            venue={"location": {"latitude": 1.0, "longitude": 2.0}, "title": "t", "address": "a"},
        ),
        Carrier.LOCATION,
        "",
    ),
    "sticker": (
        update(
            1,
            sticker={
                **FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False,
                "emoji": "🆘",
            },
        ),
        Carrier.UNSUPPORTED,
        "🆘",
    ),
    "somebody's number": (
        update(1, contact={"first_name": "Ravi", "phone_number": "+911234567890"}),
        Carrier.TEXT,
        "Ravi +911234567890",
    ),
    "their own number": (
        update(1, contact={"first_name": "x", "phone_number": "+911234567890", "user_id": PERSON}),
        Carrier.CONTACT,
        "x +911234567890",
    ),
    "forwarded": (
        update(1, text="bachao", forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "y"}),
        Carrier.TEXT,
        "bachao",
    ),
    "poll": (
        update(
            1,
            poll={
                "id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False,
                "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
            },
        ),
        Carrier.UNSUPPORTED,
        "",
    ),
    "a kind that nobody knows": (update(1, hologram={"depth": 3}), Carrier.UNSUPPORTED, ""),
    "an answer to something that nobody can read": (
        update(1, text="bachao", reply_to_message={"poll": {"question": 5}}), Carrier.TEXT, "bachao"
    ),
    "without a sender": ({"update_id": 1, "message": {**message(1, text="hi"), "from": None}}, Carrier.TEXT, "hi"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "carrier", "text"), KINDS.values(), ids=KINDS.keys())
async def test_each_kind_of_message(bot: Bot, given: dict[str, Any], carrier: Carrier, text: str) -> None:
    """E22, E25: each becomes one message of the person's conversation."""
    found = one(bot, given)
    assert (found.carrier, found.text.reveal(), found.address.value.reveal()) == (carrier, text, str(PERSON))
    assert found.key == "telegram:424242:1"
    assert found.id.reveal() == "1"


class Kept:
    """The group's inbox; may fail."""

    def __init__(self) -> None:
        self.updates: list[GroupUpdate] = []
        self.down = False

    async def add(self, update: GroupUpdate) -> bool:
        if self.down:
            raise ConnectionError("down")
        self.updates.append(update)
        return True


def door(bot: Bot, kept: Kept) -> GroupDoor:
    return GroupDoor(bot, lambda: str(GROUP), cast("GroupInbox", kept), TelegramGroup(bot), lambda: None, lambda: "")


@pytest.mark.parametrize(("given", "carrier", "text"), KINDS.values(), ids=KINDS.keys())
async def test_a_group_makes_nobody_unheard(
    bot: Bot, taken: Taken, given: dict[str, Any], carrier: Carrier, text: str
) -> None:
    """What a person says is heard as without a group, in whatever shape it comes."""
    kept = Kept()
    async with hooked(bot, taken, aside=door(bot, kept).take) as url:
        assert (await post(url, given))[0] == 200
    assert [(found.carrier, found.text.reveal()) for found in taken.messages] == [(carrier, text)]
    assert taken.aside == [] and kept.updates == []


async def test_what_only_the_door_cannot_read_is_a_persons(bot: Bot, taken: Taken) -> None:
    """A fault of the door's own reading sets nobody aside."""

    def nowhere() -> str:
        raise LookupError

    broken = GroupDoor(bot, nowhere, cast("GroupInbox", Kept()), TelegramGroup(bot), lambda: None, lambda: "")
    async with hooked(bot, taken, aside=broken.take) as url:
        assert (await post(url, update(1, text="bachao")))[0] == 200
    assert [found.text.reveal() for found in taken.messages] == ["bachao"] and taken.aside == []


async def test_what_the_door_cannot_keep_is_sent_again(bot: Bot, taken: Taken) -> None:
    """An error of its store is not set aside and not taken for a person's: the platform hears that it failed."""
    kept = Kept()
    kept.down = True
    said = in_group(1, text="/note hello", message_thread_id=9, is_topic_message=True)
    async with hooked(bot, taken, aside=door(bot, kept).take) as url:
        assert (await post(url, said))[0] == 500
        kept.down = False
        assert (await post(url, said))[0] == 200
    assert len(kept.updates) == 1 and taken.messages == [] and taken.aside == []


OURS = {"type": "user", "date": 1, "sender_user": {"id": 424242, "is_bot": True, "first_name": "s"}}
IGNORED: dict[str, dict[str, Any]] = {
    "group": in_group(1, text="bachao"),
    "group, anonymous admin": in_group(1, text="x", sender_chat={"id": GROUP, "type": "supergroup", "title": "g"}),
    "channel": {"update_id": 1, "channel_post": {**message(1, text="x"), "chat": {"id": -5, "type": "channel"}}},
    "another bot": update(1, text="x", **{"from": {"id": 5, "is_bot": True, "first_name": "b"}}),
    "through a bot": update(1, text="x", via_bot={"id": 5, "is_bot": True, "first_name": "b"}),
    "our own words passed back": update(1, text="In danger call 112", forward_origin=OURS),
    "unblocked": member(1, "member"),
    "pinned": update(1, pinned_message=message(2, text="x")),
    "timer": update(1, message_auto_delete_timer_changed={"message_auto_delete_time": 86400}),
    "tap in a group": {
        "update_id": 1,
        "callback_query": {**tap(1, "c:menu")["callback_query"], "message": in_group(1, text="x")["message"]},
    },
    "nothing": {"update_id": 1},
}


@pytest.mark.parametrize("given", IGNORED.values(), ids=IGNORED.keys())
async def test_what_is_no_message_to_us(bot: Bot, given: dict[str, Any], taken: Taken) -> None:
    """E24: ignored with 200; nothing is kept of what is said in groups."""
    async with hooked(bot, taken) as url:
        assert (await post(url, given))[0] == 200
    assert taken.messages == [] and taken.aside == []


async def test_a_tap_is_answered_at_once_and_its_id_kept_short(bot: Bot, taken: Taken) -> None:
    async with hooked(bot, taken) as url:
        status, answer = await post(url, tap(8, "c:help"))
        await post(url, tap(9, "x" * 300))
    assert status == 200
    assert json.loads(answer) == {"method": "answerCallbackQuery", "callback_query_id": "q8"}
    assert [item.choice for item in taken.messages] == ["c:help", "x" * 64]
    assert {item.carrier for item in taken.messages} == {Carrier.CHOICE}


def test_blocking_us_is_heard(bot: Bot) -> None:
    """D6: it says that nothing may be sent any more."""
    found = one(bot, member(7, "kicked"))
    assert found.blocked and not found.text and found.address.value.reveal() == str(PERSON)


MALFORMED: dict[str, Any] = {
    "empty": b"",
    "list": b"[]",
    "null": b"null",
    "word": b'"x"',
    "open": b"{",
    "no number": b'{"update_id": "x"}',
    "deep": b"[" * 50_000,
    "nan": b'{"update_id": NaN}',
    "digits": b'{"update_id": ' + b"1" * 5000 + b"}",
    "chat is a number": b'{"update_id": 1, "message": {"chat": 5}}',
    "id of 65 bits": update(1, text="x", chat={"id": 2**64, "type": "private"}),
    "id is a fraction": update(1, text="x", chat={"id": 1.5, "type": "private"}),
    "id is a query": update(1, text="x", chat={"id": {"$gt": ""}, "type": "private"}),
    "id is a word": update(1, text="x", chat={"id": "1", "type": "private"}),
    "update id too large": {**update(1, text="x"), "update_id": 2**64},
    "message id": {"update_id": 1, "message": {**message(1, text="x"), "message_id": "1"}},
    "text is an object": update(1, text={"$where": "1"}),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_cannot_be_read_is_kept_aside(bot: Bot, taken: Taken, raw: Any) -> None:
    """E16, E17, E18: 200 and kept for a human; never a crash, never a query."""
    async with hooked(bot, taken) as url:
        assert (await post(url, raw))[0] == 200
    assert len(taken.aside) == 1 and taken.messages == []


def test_half_characters_are_replaced(bot: Bot) -> None:
    """E19: a lone surrogate would break the database."""
    assert one(bot, update(1, text="a\ud800b")).text.reveal() == "a\ufffdb"
    assert one(bot, tap(1, "c:\ud800")).choice == "c:\ufffd"


@pytest.mark.parametrize(
    "odd", ["a\x00b", "a\x07b", "\u202e211\u202c", "\u2066x\u2069", "a\u200d" * 400, "a" + "\u0301" * 10_000]
)
def test_odd_characters_are_kept(bot: Bot, odd: str) -> None:
    """E20: nothing that a person wrote is changed; the console shows what hides as marks."""
    assert one(bot, update(1, text=odd)).text.reveal() == odd
    hiding = set(visible(odd)) & set("\x00\x07\u202e\u202c\u2066\u2069")
    assert not hiding


@pytest.mark.parametrize("date", [-5, 4_000_000_000, 1_764_000_000_000])
async def test_an_odd_time_is_the_time_of_arrival(bot: Bot, taken: Taken, date: int) -> None:
    """E21: what cannot be a date at all is kept aside, what is no recent one is clamped."""
    async with hooked(bot, taken) as url:
        assert (await post(url, update(1, text="x", date=date)))[0] == 200
    assert len(taken.aside) + len(taken.messages) == 1
    assert all(item.sent_at == item.received_at for item in taken.messages)


def test_repeats_and_random_ids_have_keys_of_their_own(bot: Bot) -> None:
    """E7, E11, E27: the key is the update's; three times "yes" are three messages."""
    given = [update(number, text="yes") for number in (5, 3, 4, 900, 2, 5)]
    assert [one(bot, item).key.rpartition(":")[2] for item in given] == ["5", "3", "4", "900", "2", "5"]


async def test_a_store_that_is_down_means_send_it_again(bot: Bot, taken: Taken) -> None:
    """No 200 for what was not kept."""
    taken.down = True
    async with hooked(bot, taken) as url:
        assert (await post(url, update(1, text="hi")))[0] >= 500


async def test_pictures_are_to_be_fetched(bot: Bot) -> None:
    """Of a photo the largest size; papers and films too, to be kept sealed, but no animation; an album has one name."""
    sizes = [
        {"file_id": f"f{side}", "file_unique_id": f"u{side}", "width": side, "height": side} for side in (90, 1280, 320)
    ]
    paper = {"file_id": "d", "file_unique_id": "ud", "file_size": 700}
    film = {**paper, "width": 1, "height": 1, "duration": 1}
    found = [
        one(bot, update(1, photo=[{**size, "file_size": 5} for size in sizes], media_group_id="13")),
        one(bot, update(2, photo=sizes, caption="kya ye sahi hai")),
        one(bot, update(3, document={**paper, "mime_type": "image/png"})),
        one(bot, update(4, document={**paper, "mime_type": "application/pdf"})),
        one(bot, update(5, video={**film, "mime_type": "video/3gpp"}, media_group_id="13")),
        one(bot, update(6, animation={**film, "mime_type": "video/mp4"}, document={**paper, "mime_type": "video/mp4"})),
    ]
    media = [item.media and (item.media.id.reveal(), item.media.mime, item.media.size) for item in found]
    papers = [("d", "image/png", 700), ("d", "application/pdf", 700), ("d", "video/3gpp", 700), None]
    assert media == [("f1280", "image/jpeg", 5), ("f1280", "image/jpeg", 0), *papers]
    assert [item.album for item in found] == ["13", "", "", "", "13", ""]


def test_a_voice_note_and_a_location_keep_what_is_needed(bot: Bot) -> None:
    """E25, H: the note can be fetched; the place is not in a log."""
    note = one(bot, update(1, voice={**FILE, "duration": 3, "mime_type": "audio/ogg", "file_size": 900}))
    assert note.media
    assert (note.media.id.reveal(), note.media.mime, note.media.size) == ("f", "audio/ogg", 900)
    film = one(bot, update(1, video_note={**FILE, "duration": 3, "length": 240, "file_size": 900}))
    assert film.media and film.media.mime == "audio/mp4"
    place = one(bot, update(2, location={"latitude": 25.6, "longitude": 85.1}))
    assert place.point.reveal() == "25.60000,85.10000"
    assert "25.6" not in repr(place)


class Marks:
    """What was done once."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.down = False

    async def once(self, name: str) -> bool:
        if self.down:
            raise StoreUnavailable("down")
        fresh = name not in self.names
        self.names.add(name)
        return fresh


async def _settled(platform: FakeTelegram, count: int) -> None:
    async with asyncio.timeout(5):
        while len(platform.sent) < count:
            await asyncio.sleep(0.01)


async def test_a_group_is_told_once_where_to_write(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """E24: whatever is said there, one sentence; not in the responders' group; nothing is kept."""
    marks = Marks()
    groups = Groups(bot, marks.once, lambda language: f"in {language}", "-100777")
    async with hooked(bot, taken, groups) as url:
        own = in_group(1, text="x", chat={"id": -100777, "type": "supergroup", "title": "r"})
        hindi = {"id": 5, "is_bot": False, "first_name": "x", "language_code": "hi"}
        await post(url, own)
        await post(url, member(2, "member", {"id": GROUP, "type": "supergroup", "title": "g"}))
        await _settled(platform, 1)
        for number in (3, 4):
            await post(url, in_group(number, text="malik ne band kiya, bachao", **{"from": hindi}))
        await post(url, in_group(5, text="hello", chat={"id": -5, "type": "group", "title": "h"}, **{"from": hindi}))
        await _settled(platform, 2)
        await asyncio.sleep(0.1)
    assert [(fields["chat_id"], fields["text"]) for fields in platform.sent] == [(str(GROUP), "in "), ("-5", "in hi")]
    assert taken.messages == []


async def test_a_group_that_moves_is_not_told_again(platform: FakeTelegram, bot: Bot) -> None:
    """migrate_to_chat_id: the same people in a group with another id. A group that refuses us is left alone."""
    marks = Marks()
    groups = Groups(bot, marks.once, lambda _: "write to me", "")
    await groups.answer(in_group(1, text="x", chat={"id": -5, "type": "group", "title": "g"}))
    await groups.answer(in_group(2, migrate_to_chat_id=GROUP, chat={"id": -5, "type": "group", "title": "g"}))
    await groups.answer(in_group(3, text="x"))
    platform.refusals["sendMessage"] = refused(403, "Forbidden: bot was kicked from the group chat")
    await groups.answer(in_group(4, text="x", chat={"id": -6, "type": "group", "title": "g"}))
    marks.down = True
    await groups.answer(in_group(5, text="x", chat={"id": -7, "type": "group", "title": "g"}))
    assert len(platform.sent) == 1
