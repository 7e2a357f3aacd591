"""The group's rows over the real database: redelivered once, in order, words gone when done; one process writes."""

from __future__ import annotations

from bot.app import Service
from bot.domain.private import Private
from bot.domain.topics import GroupKind, GroupUpdate


def said(number: int, text: str, thread: int = 9) -> GroupUpdate:
    return GroupUpdate(f"group:1:{number}", number, GroupKind.MESSAGE, "-1", Private("7"), thread, 5, Private(text))


async def test_messages_of_a_topic_come_in_order(service: Service) -> None:
    """The second waits while the first is leased or waits for its next try; another topic does not."""
    inbox = service.group.inbox
    for update in (said(2, "second"), said(1, "first"), said(3, "elsewhere", thread=8)):
        assert await inbox.add(update)
    assert not await inbox.add(said(1, "first"))
    first = await inbox.next_due("a")
    other = await inbox.next_due("b")
    assert first and other and (first.text.reveal(), other.text.reveal()) == ("first", "elsewhere")
    assert await inbox.next_due("c") is None
    assert await inbox.retry(first, 60) == 1
    assert await inbox.next_due("c") is None
    await inbox.done(first)
    second = await inbox.next_due("c")
    assert second and second.text.reveal() == "second"


async def test_words_are_sealed_and_go_when_done(service: Service) -> None:
    inbox, rows = service.group.inbox, service.db["group_inbox"]
    await inbox.add(said(1, "words for her"))
    assert "words for her" not in str(await rows.find({}).to_list())
    update = await inbox.next_due("a")
    assert update
    await inbox.done(update)
    (row,) = await rows.find({}).to_list()
    assert "sealed" not in row and row["state"] == "done" and row["expires_at"]
    assert not await inbox.add(said(1, "words for her"))


async def test_one_process_writes_topics(service: Service) -> None:
    store = service.group.store
    assert await store.hold("a") and await store.hold("a")
    assert not await store.hold("b")
    await service.db["group_state"].update_one({"_id": "lease"}, {"$unset": {"lease.until": ""}})
    assert await store.hold("b") and not await store.hold("a")
