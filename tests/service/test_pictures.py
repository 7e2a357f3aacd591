"""H2 on WhatsApp: whoever wants the chat gone is told honestly that we cannot, and shown in a picture how they can."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.config import Config
from bot.content.model import Content
from bot.domain.messages import Address, ChannelName, Choice, OutboundMessage, Picture
from bot.domain.private import Private
from bot.domain.words import folded_words
from bot.ports import Due
from bot.service.deliver import Deliverer
from bot.store.documents import outbound_in, outbound_out
from tests.cloud import DISTRESS, Cloud, cloud
from tests.conftest import ROOT
from tests.service.test_deliver import OneRow, Unhurried

GUIDE = (ROOT / "content" / "pictures" / "delete_chat.png").read_bytes()
SHOWN = OutboundMessage(Private("x"), (Choice("c:menu", "Menu"),), picture=Picture("delete_chat", "four drawings"))


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri) as found:
        yield found


def pictures(whatsapp: Cloud) -> list[dict[str, Any]]:
    return [call for call in whatsapp.platform.calls if call["type"] == "image"]


async def hide(whatsapp: Cloud, words: str = "quick exit") -> list[dict[str, Any]]:
    """Let the person ask for it; return what left after that."""
    before = len(whatsapp.platform.calls)
    await whatsapp.say(words)
    return whatsapp.platform.calls[before:]


async def test_the_guide_goes_under_the_honest_words_and_nowhere_else(whatsapp: Cloud) -> None:
    """One bubble, in the person's language; the case stays open; nothing else of the conversation had a picture."""
    await whatsapp.say(DISTRESS)
    await whatsapp.say("menu")
    assert pictures(whatsapp) == []
    (call,) = await hide(whatsapp)
    content = whatsapp.service.content
    assert call["type"] == "image"
    assert call["image"]["caption"] == content.words("en", "waiting.hide_phone")
    assert [item["data"] for item in whatsapp.platform.uploads] == [GUIDE]
    assert (await whatsapp.case()).id
    await hide(whatsapp)
    assert len(pictures(whatsapp)) == 2 and len(whatsapp.platform.uploads) == 1


async def test_in_silence_there_is_no_picture_either(whatsapp: Cloud) -> None:
    """Somebody is there: nothing rings, nothing lights the screen up, nothing is even brought to the platform."""
    await whatsapp.say(DISTRESS)
    await whatsapp.say("he is here")
    assert await hide(whatsapp) == []
    assert await hide(whatsapp, "clear chat") == []
    assert whatsapp.platform.uploads == []


async def test_silence_that_comes_before_the_picture_leaves_stops_it(whatsapp: Cloud) -> None:
    """The words were already on their way when he came in."""
    due = {"open": True, "state": "waiting"}
    await whatsapp.say("menu")
    whatsapp.platform.answers.append((500, {"error": {"code": 131016}}))
    assert await whatsapp.post(whatsapp.item("text", {"body": "quick exit"})) == 200
    await whatsapp.settled()
    assert await whatsapp.service.db["outbox"].count_documents(due) == 1
    await whatsapp.say("he is here")
    await whatsapp.service.db["outbox"].update_many(due, {"$unset": {"error": "", "not_before": ""}})
    await whatsapp.settled()
    assert len(pictures(whatsapp)) == 1
    assert "dropped" in await whatsapp.states("bot")


async def test_without_the_picture_the_same_words_come_at_once(whatsapp: Cloud) -> None:
    """The platform takes no files just now: what is said is whole, and promises no picture."""
    whatsapp.platform.upload_answers += [(500, {"error": {"code": 131000}})]
    await whatsapp.say("menu")
    (call,) = await hide(whatsapp)
    assert call["type"] == "text"
    assert call["text"]["body"] == whatsapp.service.content.words("hi", "waiting.hide_phone")


@pytest.mark.parametrize("code", [131052, 131053, 100])
async def test_a_picture_refused_afterwards_is_followed_by_its_words(whatsapp: Cloud, code: int) -> None:
    """Taken, and given up a moment later: the words go once more alone, and the next person's picture is brought anew."""
    await whatsapp.say("menu")
    (call,) = await hide(whatsapp)
    item: dict[str, Any] = {"id": call["wamid"], "status": "failed", "timestamp": str(int(time.time()))}
    item |= {"errors": [{"code": code}], "biz_opaque_callback_data": call["biz_opaque_callback_data"]}
    assert await whatsapp.post(statuses=(item,)) == 200
    await whatsapp.service.db["outbox"].update_many({}, {"$unset": {"error": ""}})
    await whatsapp.settled()
    last = whatsapp.platform.calls[-1]
    assert (last["type"], last["text"]["body"]) == ("text", call["image"]["caption"])
    assert len(pictures(whatsapp)) == 1
    await hide(whatsapp)
    assert len(pictures(whatsapp)) == 2 and len(whatsapp.platform.uploads) == 2


@pytest.mark.parametrize(("doubts", "alone"), [(0, False), (1, True)])
async def test_after_a_try_in_doubt_the_words_go_without_their_picture(doubts: int, alone: bool) -> None:
    """It may have been too much for a bad line. The choices stay."""
    sent: list[OutboundMessage] = []

    class Takes:
        name = ChannelName.WHATSAPP

        async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
            sent.append(message)
            return Private("1")

        async def forget(self, address: Address, message_ids: object) -> None:
            return

    row = OneRow(1)
    row.due = replace(row.due, message=SHOWN, doubts=doubts)
    assert isinstance(row.due, Due)
    assert await Deliverer(row, {ChannelName.WHATSAPP: Takes()}, Unhurried(), "me", lambda: 0.0).work()
    assert row.outcome == "sent"
    assert [(message.picture is None, message.choices) for message in sent] == [(alone, SHOWN.choices)]


def test_a_picture_is_kept_with_its_words() -> None:
    """Also in rows of an earlier version, which knew none."""
    assert outbound_in(outbound_out(SHOWN)) == SHOWN
    former = outbound_out(SHOWN)
    del former["picture"]
    assert outbound_in(former) == replace(SHOWN, picture=None)


def test_what_shows_on_a_lock_screen_is_harmless(content: Content) -> None:
    """What stands under the picture names no helper, no law, no danger in its first 60 characters, in any locale."""
    telling = {
        "sahyatri",
        "police",
        "help",
        "trafficking",
        "rescue",
        "case",
        "112",
        "1098",
        "पुलिस",
        "मदद",
        "पोलीस",
        "পুলিশ",
    }
    for code in content.locales:
        begins = content.words(code, "waiting.hide_phone")[:60]
        assert not telling & (set(folded_words(begins)) | set(begins.casefold().split())), (code, begins)
