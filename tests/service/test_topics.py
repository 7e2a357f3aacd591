"""Pages and topics of the group: which pages have buttons and are edited, and what a topic that stays does to others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import utc_now
from bot.config import Config
from bot.domain.topics import Topic, TopicState
from bot.ports import Alert
from tests.forum import GROUP
from tests.service.test_presses import at_desk


@pytest.mark.timeout(60)
async def test_only_a_page_that_asks_for_somebody_is_edited(config: Config, mongodb_uri: str) -> None:
    """Not one sent after the claim, not one in a group that is not ours any more, and each is done with once."""
    async with at_desk(config, mongodb_uri) as (service, forum, case):
        group, now = service.group, utc_now()
        assert group.topics
        danger = Alert(f"{case.id}:1:telegram", case.id, "telegram", "distress", "x", "en")
        assert group._buttons(danger) and not group._buttons(replace(danger, kind="break_glass"))
        await group.store.paged(replace(danger, id="elsewhere"), "-77", 5, now)
        await service.respond.claim(case, "asha")
        again = replace(danger, id=f"{case.id}:9:telegram")
        await service.alerts.add([again], utc_now() + timedelta(seconds=1))
        await group.store.paged(again, str(GROUP), 6, now)
        for _ in range(2):
            await group.topics.look()
        first = str(forum.pages[0]["message_id"])
        assert [(edit["chat_id"], edit["message_id"]) for edit in forum.edits] == [(str(GROUP), first)]
        left = [row["_id"] async for row in service.db["group_pages"].find({"shown": False})]
        assert left == [again.id]


@pytest.mark.timeout(60)
async def test_a_topic_that_cannot_be_deleted_rests_alone(config: Config, mongodb_uri: str) -> None:
    """The group is not broken by it; the administrators hear of each once."""
    async with at_desk(config, mongodb_uri) as (service, forum, _):
        group, past = service.group, utc_now() - timedelta(hours=1)
        assert group.topics
        for number in (1, 2):
            await group.store.save(Topic(f"gone{number}", str(GROUP), number, TopicState.CLOSED, delete_at=past))
        forum.denied["deleteForumTopic"] = "Bad Request: not enough rights to delete messages"
        for _ in range(3):
            await group.topics.look()
        tried = [fields["message_thread_id"] for name, fields in forum.calls if name == "deleteForumTopic"]
        assert sorted(tried) == ["1", "2"]
        told = [row["values"]["case"] async for row in service.db["alerts"].find({"kind": "group_broken"})]
        assert sorted(told) == ["gone1", "gone2"]
        await group.place.refresh()
        assert group.place.state.broken == ""
