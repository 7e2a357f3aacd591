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


class Killed(BaseException):
    """What ends a process."""


@pytest.mark.timeout(60)
async def test_an_empty_topic_after_a_crash_is_told_of_once(
    config: Config, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after Telegram made it: the next one says that a twin may stand beside it; nothing is said in the twin."""
    async with at_desk(config, mongodb_uri) as (service, forum, case):
        group = service.group
        assert group.topics
        await service.respond.claim(case, "asha")
        save = group.store.save

        async def dies(topic: Topic) -> None:
            if topic.state is TopicState.OPEN:
                raise Killed
            await save(topic)

        monkeypatch.setattr(group.store, "save", dies)
        with pytest.raises(Killed):
            await group.topics.look()
        assert [topic.state for topic in await group.store.all()] == [TopicState.MAKING]
        assert await group.store.of_thread(str(GROUP), 0) is None
        monkeypatch.undo()
        for words in ("", "they are at the door"):
            if words:
                await service.respond.note(case, "asha", words)
            await group.topics.look()
        empty, used = forum.threads.values()
        assert empty.said == [] and empty.name == used.name and case.id in used.name
        assert "they are at the door" in "".join(used.said)
        assert sum("may stand beside this one" in text for text in used.said) == 1
        (topic,) = await group.store.all()
        assert topic.state is TopicState.OPEN and not topic.twin


@pytest.mark.timeout(60)
async def test_a_topic_that_was_refused_has_no_twin(config: Config, mongodb_uri: str) -> None:
    async with at_desk(config, mongodb_uri) as (service, forum, case):
        group = service.group
        assert group.topics
        await service.respond.claim(case, "asha")
        forum.denied["createForumTopic"] = "Bad Request: not enough rights to create a topic"
        await group.topics.look()
        assert list(await group.store.all()) == []
        forum.denied.clear()
        group.topics.try_again()
        await group.topics.look()
        assert "may stand beside" not in "".join(forum.one().said) and forum.one().said


@pytest.mark.timeout(60)
async def test_what_was_being_made_is_let_go_with_its_case(config: Config, mongodb_uri: str) -> None:
    """Nothing is deleted that has no number."""
    async with at_desk(config, mongodb_uri) as (service, forum, case):
        group = service.group
        assert group.topics
        await group.store.save(Topic(case.id, str(GROUP), 0, TopicState.MAKING))
        await group.topics.look()
        assert list(await group.store.all()) == []
        assert not [name for name, _ in forum.calls if name in {"deleteForumTopic", "closeForumTopic"}]


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
