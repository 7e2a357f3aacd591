"""The group over HTTP: what is taken of its updates, what is sent, and what each refusal means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from telegram import Bot

from bot.channels import telegram
from bot.channels.telegram_group import TelegramGroup, parse_group
from bot.domain.private import Private
from bot.domain.topics import GroupKind
from bot.ports import ChannelError, GroupBroken, GroupMoved, TopicGone
from tests.forum import GROUP, FakeForum, forum_server, in_group, person, press, private, written
from tests.platforms import TELEGRAM_TOKEN

CHAT = str(GROUP)


@pytest_asyncio.fixture
async def forum() -> AsyncIterator[FakeForum]:
    async with forum_server() as fake:
        yield fake
        assert fake.faults == []


@pytest_asyncio.fixture
async def bot(forum: FakeForum) -> AsyncIterator[Bot]:
    made = telegram.make_bot(TELEGRAM_TOKEN, forum.url)
    await telegram.open_requests(made)
    yield made
    await telegram.close_requests(made)


async def test_each_kind_of_update(bot: Bot) -> None:
    edited = written(3, 7, 9, "changed")
    edited["edited_message"] = edited.pop("message")
    voice = {"update_id": 4, "message": {**in_group(9, 4), "from": person(7), "voice": {"file_id": "f",
             "file_unique_id": "u", "duration": 1}}}  # fmt: skip
    hidden = written(5, 1087968824, 9, "x", sender_chat={"id": GROUP, "type": "supergroup", "title": "t"})
    moved = {"update_id": 6, "message": {**in_group(), "from": person(7), "migrate_to_chat_id": -5}}
    member = {"user": person(424242), "status": "left"}
    out = {"update_id": 7, "my_chat_member": {"chat": in_group()["chat"], "from": person(7), "date": 1,
           "old_chat_member": {**member, "status": "member"}, "new_chat_member": member}}  # fmt: skip
    found = [
        parse_group(update, bot, CHAT)
        for update in (press(1, 7, "g:c:x"), written(2, 7, 9, "words"), edited, voice, hidden, moved, out,
                       private(8, 7, "/link ABCD2345"))
    ]  # fmt: skip
    kinds = [update.kind for update in found if update]
    assert kinds == [
        GroupKind.PRESS, GroupKind.MESSAGE, GroupKind.EDIT, GroupKind.FILE, GroupKind.MESSAGE, GroupKind.MOVED,
        GroupKind.REMOVED, GroupKind.LINK,
    ]  # fmt: skip
    assert found[4] and not found[4].sender
    assert found[1] and (found[1].thread, found[1].sender.reveal(), found[1].text.reveal()) == (9, "7", "words")
    assert found[7] and found[7].chat == ""


def other(update: dict[str, Any], chat: int) -> dict[str, Any]:
    message = update.get("message") or update["callback_query"]["message"]
    message["chat"]["id"] = chat
    return update


async def test_what_is_not_the_groups_is_left_alone(bot: Bot) -> None:
    """Other groups, the general topic, service messages, persons' own messages and taps."""
    general = {"update_id": 1, "message": {**in_group(), "from": person(7), "text": "hello"}}
    service = {"update_id": 2, "message": {**in_group(9), "from": person(7), "forum_topic_closed": {}}}
    for update in (
        general, service, other(written(3, 7, 9, "x"), -77), other(press(4, 7, "g:c:x"), -77),
        private(5, 7, "help me"), private(6, 7, "/link help"),
    ):  # fmt: skip
        assert parse_group(update, bot, CHAT) is None


REFUSALS: list[tuple[str, type[ChannelError], str]] = [
    ("Bad Request: the chat is not a forum", GroupBroken, "no_forum"),
    ("Bad Request: not enough rights to create a topic", GroupBroken, "no_rights"),
    ("Bad Request: chat not found", GroupBroken, "removed"),
    ("Bad Request: message thread not found", TopicGone, "group:topic_gone"),
    ("Bad Request: something else", ChannelError, "telegram:400"),
]


@pytest.mark.parametrize(("says", "kind", "reason"), REFUSALS, ids=[says for says, _, _ in REFUSALS])
async def test_each_refusal_has_its_meaning(
    forum: FakeForum, bot: Bot, says: str, kind: type[ChannelError], reason: str
) -> None:
    forum.denied["createForumTopic"] = says
    with pytest.raises(kind) as caught:
        await TelegramGroup(bot).create(CHAT, "x")
    assert caught.value.reason == reason and not caught.value.retryable


async def test_removed_and_moved(forum: FakeForum, bot: Bot) -> None:
    group = TelegramGroup(bot)
    forum.denied["removed"] = ""
    with pytest.raises(GroupBroken):
        await group.post(CHAT, 0, "x")
    forum.denied.clear()
    forum.group = -42
    with pytest.raises(GroupMoved) as caught:
        await group.post(CHAT, 0, "x")
    assert caught.value.chat == "-42"


async def test_words_leave_as_plain_text_and_stay_in_the_topic(forum: FakeForum, bot: Bot) -> None:
    """No markup, no link preview, not to be forwarded; closing twice and late answers are no fault."""
    group = TelegramGroup(bot)
    thread = await group.create(CHAT, "x" * 300)
    await group.post(CHAT, thread, "<b>*_[a](b)", (("g:y:1", "Yes"),), answers=5)
    (sent,) = forum.sent
    assert sent["text"] == "<b>*_[a](b)" and "parse_mode" not in sent and sent["protect_content"] == "true"
    assert len(forum.one().name) == 128
    await group.close(CHAT, thread)
    await group.close(CHAT, thread)
    forum.denied["answerCallbackQuery"] = "Bad Request: query is too old and response timeout expired"
    await group.answer("q", "x" * 500, alert=True)
    forum.answers = [(403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})]
    await group.whisper(Private("7"), "x")
