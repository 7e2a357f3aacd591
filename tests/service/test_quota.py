"""Pictures beyond a person's quota are neither fetched nor read; the person is told once, and danger is never slowed."""

from __future__ import annotations

from dataclasses import replace

from bot.app import Service
from bot.domain.conversation import Turn
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.quota import Quotas, read_quota
from bot.ports import Wanted
from bot.service.listen import Listener
from tests.conftest import NOW
from tests.service.test_listen import Hears
from tests.service.test_look import POSTER, Platform, Reads, Says, ids, person, photo, tap, text

__all__ = ["person"]
TWO = Quotas(read_quota("2/5,4/9"), read_quota("3/5,9/9"), held=3)
DISTRESS = "please help me, they locked me in a room"


def listener_of(
    service: Service, platform: Platform, reader: Reads | None = None, quotas: Quotas = TWO, model: Hears | None = None
) -> Listener:
    fetchers = {ChannelName.TELEGRAM: platform.fetch}
    return Listener(service.media, fetchers, model, lambda: NOW, reader, quotas=quotas)


def voice(number: int) -> InboundMessage:
    return replace(photo(number, mime="audio/ogg"), carrier=Carrier.VOICE)


async def told(service: Service, turn: Turn) -> list[str]:
    """What was said to the person in all."""
    mine = {"conversation": turn.conversation.id}
    rows = [await service.outbox.one(row["conversation"], row["_id"]) async for row in service.db["outbox"].find(mine)]
    return [row["message_id"] for row in rows if row]


async def test_beyond_the_quota_nothing_is_fetched_or_read_and_it_is_said_once(service: Service, person: Says) -> None:
    platform, reader = Platform(), Reads(POSTER)
    listener = listener_of(service, platform, reader)
    turn, _ = await person(tap(1, "l:en"), *(photo(number) for number in range(2, 9)), listener=listener)
    assert platform.asked == len(reader.read_before) == 2
    assert ids(turn) == []
    assert (await told(service, turn)).count("media.enough") == 1
    left = await service.attachments.of(turn.conversation.id)
    assert [item.left for item in left.values()] == [False] * 2 + [True] * 5
    assert {item.why for item in left.values() if item.left} == {"too_many"}
    assert await listener.fetch_wanted() == 0


async def test_every_process_counts_what_all_have_let_in(service: Service, person: Says) -> None:
    """The count is in the database: another process, or the same after a restart, goes on from it."""
    platform = Platform()
    for number in range(1, 5):
        turn, _ = await person(photo(number), listener=listener_of(service, platform, Reads("")))
    assert platform.asked == 2
    assert (await told(service, turn)).count("media.enough") == 1


async def test_a_caption_is_heard_and_answered_though_its_picture_is_left(service: Service, person: Says) -> None:
    listener = listener_of(service, Platform())
    turn, _ = await person(tap(1, "l:en"), photo(2), photo(3), photo(4, "menu"), listener=listener)
    assert ids(turn) == ["core.menu", "media.enough"]
    turn, _ = await person(photo(5, DISTRESS), listener=listener)
    assert turn.conversation.open_case
    assert await service.db["alerts"].count_documents({"case": turn.conversation.open_case})


async def test_while_a_responder_has_the_case_there_is_more_room_and_the_bot_is_silent(
    service: Service, person: Says
) -> None:
    listener = listener_of(service, Platform())
    turn, _ = await person(text(1, DISTRESS), listener=listener)
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    await service.respond.claim(case, "asha")
    turn, said = await person(*(photo(number) for number in range(2, 10)), listener=listener)
    assert said == ()
    found = (await service.attachments.of(turn.conversation.id)).values()
    assert [item.left for item in found].count(False) == 6
    lines = await service.cases.transcript(turn.conversation.id)
    assert sum(line.carrier == Carrier.IMAGE for line in lines) == 8


async def test_voice_notes_have_a_quota_of_their_own(service: Service, person: Says) -> None:
    """Beyond it the note is not heard; it is said, also aloud, to somebody who may not read."""
    model, platform = Hears("menu"), Platform(data=b"OggS" + bytes(900))
    listener = listener_of(service, platform, model=model)
    turn, said = await person(
        tap(1, "l:en"), photo(2), photo(3), photo(4), *(voice(number) for number in range(5, 9)), listener=listener
    )
    assert len(model.heard) == 3
    assert [reply.message for reply in turn.replies] == ["media.enough"] * 2
    assert said[0].speech == "en"


async def test_a_voice_note_after_a_danger_word_opens_a_case_beyond_any_quota(service: Service, person: Says) -> None:
    one = Quotas(TWO.files, read_quota("1/1,1/1"))
    listener = listener_of(service, Platform(), quotas=one)
    turn, _ = await person(voice(1), voice(2), text(3, "dar lag raha hai"), voice(4), listener=listener)
    assert turn.risk
    assert turn.risk.reason == "voice:after_danger"
    assert turn.conversation.open_case


async def test_a_file_that_was_left_can_be_fetched_by_whoever_has_the_case(service: Service, person: Says) -> None:
    platform = Platform()
    listener = listener_of(service, platform)
    await person(*(photo(number) for number in range(1, 4)), listener=listener)
    turn, _ = await person(text(4, DISTRESS), listener=listener)
    await listener.fetch_wanted()
    (left,) = [item for item in (await service.attachments.of(turn.conversation.id)).values() if item.left]
    assert left.elsewhere
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    await service.respond.claim(case, "asha")
    case = await service.cases.get(case.id)
    assert case
    await service.custody.fetch_after_all(case, "asha", left.id)
    assert await listener.fetch_wanted() == 1
    assert await service.media.get(left.id, turn.conversation.id) == ("image/jpeg", platform.data)


async def test_the_web_chats_file_is_not_read_from_the_browser(service: Service) -> None:
    """It stands nowhere else, so it cannot be had later, and the case says that it came."""
    quotas = Quotas(read_quota("1/1,1/1"), TWO.voice)
    listener = listener_of(service, Platform(), quotas=quotas)
    to = Address(ChannelName.WEB, Private("visitor"))
    conversation = service.inbox.conversation_id(to)
    names = [service.media.id_of(f"web:{number}") for number in (1, 2)]
    first, second = (Wanted(name, conversation, ChannelName.WEB, None) for name in names)
    assert await listener.brought(first, held=False)
    await service.media.keep(first.id, conversation, "image/jpeg", Platform().data, NOW)
    assert not await listener.brought(second, held=False)
    assert await listener.brought(first, held=False)
    found = await service.attachments.of(conversation)
    assert (found[second.id].left, found[second.id].elsewhere) == (True, False)
    message = InboundMessage("web:3", to, Carrier.IMAGE, NOTHING_SAID, NOW, NOW)
    assert message.media is None


async def test_cases_closed_as_pranks_never_silence_the_next_cry_for_help(service: Service, person: Says) -> None:
    listener = listener_of(service, Platform())
    for number in range(1, 7):
        turn, _ = await person(text(number, DISTRESS), listener=listener)
        case = await service.cases.get(turn.conversation.open_case)
        assert case
        assert await service.db["alerts"].count_documents({"case": case.id}) == len(service.watch.channels)
        assert case.escalate_at
        await service.respond.claim(case, "asha")
        await service.respond.close(case, "asha", "prank, no need")
