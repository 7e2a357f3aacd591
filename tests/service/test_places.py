"""Transit points over the real database: versions, quarantine, posters, reports, counts, a case that knows the place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.app import Service, open_service
from bot.chat import Chat
from bot.config import Config
from bot.domain.codes import spaced, start
from bot.domain.places import Fault, PlaceList, Point, Purpose, VersionState
from bot.places import name_warning
from bot.ports import StoreUnavailable
from bot.running import running
from bot.service.places import PlacesRefused, Ways
from tests.conftest import NOW

WAYS = Ways("https://sahyatri.example.org", "+91 11111 22222", "SahyatriBot")


def listing(*faults: Fault) -> PlaceList:
    return PlaceList(0, VersionState.KEPT, "places.csv", "0", 0, "asha", NOW, faults)


def stand(number: int) -> Point:
    return Point(f"B{number}", "bus_stand", {"en": f"Stand {number}"}, "BR", "Gaya", 24.8, 85.0 + number / 100, ("hi",))


def code_at(service: Service, place: str, purpose: Purpose = Purpose.POSTER) -> str:
    poster = service.places.directory.newest(place, purpose)
    assert poster
    return poster.code


@pytest_asyncio.fixture
async def chat(service: Service) -> AsyncIterator[Chat]:
    chat = Chat(service)
    async with running(service, chat.on_turn):
        yield chat


async def test_versions_are_kept_and_one_is_in_force(service: Service) -> None:
    """A file puts its points in force, the next one replaces it, the first can come back; names are found in chats."""
    first = await service.places.take(listing(), [stand(1), stand(2)], force=False)
    assert {"B1", "B2", "HWH"} <= set(service.places.directory.points)
    assert (found := service.places.gazetteer.find("B2").station) is None or found.code == "B2"
    changes = await service.places.compare([replace(stand(1), kind="crossing"), stand(3)])
    assert (changes.added, changes.removed, changes.changed) == (("B3",), ("B2",), ("B1",))
    await service.places.take(listing(), [stand(1), stand(3)], force=False)
    assert "B2" not in service.places.directory.points
    await service.places.put_in_force(first.version, "asha", "wrong file")
    assert "B2" in service.places.directory.points and "B3" not in service.places.directory.points


async def test_a_faulty_file_waits_in_quarantine_for_good(service: Service) -> None:
    held = await service.places.take(listing(Fault(2, "kind", "tram", "use …")), [stand(1)], force=True)
    assert held.state is VersionState.QUARANTINED and "B1" not in service.places.directory.points
    with pytest.raises(PlacesRefused, match="mend the file"):
        await service.places.put_in_force(held.version, "asha", "")
    _, lists = await service.places.lists()
    assert lists[0].faults == (Fault(2, "kind", "tram", "use …"),)


async def test_a_file_that_loses_much_is_not_believed(service: Service) -> None:
    """It waits until somebody says that it is right; an empty one too."""
    await service.places.take(listing(), [stand(number) for number in range(10)], force=False)
    held = await service.places.take(listing(), [stand(1), stand(2)], force=False)
    assert held.state is VersionState.QUARANTINED and "8 of 10" in held.doubt
    assert "B9" in service.places.directory.points
    await service.places.put_in_force(held.version, "asha", "stands were closed")
    assert "B9" not in service.places.directory.points
    assert (await service.places.take(listing(), [], force=False)).state is VersionState.QUARANTINED


async def test_a_withdrawn_code_is_unknown_and_never_printed(service: Service) -> None:
    """J6: the others of the place stay; a new series has another code; what was withdrawn stays so after a restart."""
    old, sticker = code_at(service, "HWH"), code_at(service, "HWH", Purpose.STICKER)
    poster = service.places.named(old)
    gone = await service.places.revoke(spaced(old), "root", "copied by a tout")
    assert gone.code == old and service.places.directory.valid(old) is None
    assert service.places.directory.valid(sticker) is not None
    with pytest.raises(PlacesRefused, match="begin a new series"):
        service.places.named("HWH")
    with pytest.raises(PlacesRefused, match="withdrawn"):
        service.places.named(old)
    with pytest.raises(PlacesRefused, match="nothing is printed"):
        service.places.sheet(poster, ["hi"], service.content, WAYS)
    with pytest.raises(PlacesRefused, match="before"):
        await service.places.revoke(old, "root", "again")
    fresh = await service.places.begin_series("HWH", Purpose.POSTER, "root")
    assert fresh.code not in {old, sticker} and service.places.named("hwh") == fresh


async def test_codes_outlive_a_restart(config: Config, mongodb_uri: str) -> None:
    """The key lies in its own file: the posters that hang stay valid, what was withdrawn stays withdrawn."""
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        old, kept = code_at(service, "HWH"), code_at(service, "GAYA")
        await service.places.revoke(old, "root", "copied")
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        assert service.places.directory.valid(old) is None
        assert code_at(service, "GAYA") == kept
        assert (config.data / "keys" / "posters.key").stat().st_mode & 0o077 == 0


async def test_a_sheet_names_what_is_missing(service: Service) -> None:
    poster = service.places.named("HWH")
    for locales, ways, why in (
        (["xx"], WAYS, "xx"),
        ([], WAYS, "name one to 4"),
        (["hi", "bn", "ta", "ur", "en"], WAYS, "one to 4"),
        (["hi"], replace(WAYS, public_url=""), "PUBLIC_URL"),
    ):
        with pytest.raises(PlacesRefused, match=why):
            service.places.sheet(poster, locales, service.content, ways)
    sheet = service.places.sheet(poster, ["hi", "en"], service.content, WAYS)
    assert sheet.link == f"https://{sheet.shown}" == f"https://sahyatri.example.org/q/{poster.code}"
    assert sheet.telegram == "@SahyatriBot" and len(sheet.texts) == 2


async def test_a_poster_is_headed_in_its_languages(service: Service) -> None:
    """In Bengali it says হাওড়া, in Hindi हावड़ा; where no name is known, the English one."""
    sheet = service.places.sheet(service.places.named("HWH"), ["bn", "hi", "ta", "en"], service.content, WAYS)
    assert [text.place for text in sheet.texts] == ["হাওড়া জংশন", "हावड़ा जंक्शन", "Howrah Jn", "Howrah Jn"]


async def test_whoever_prints_learns_which_names_are_missing(service: Service) -> None:
    """Of the languages asked for; one in Latin letters takes the English name."""
    await service.places.take(listing(), [replace(stand(1), names={"en": "Stand 1", "hi": "अड्डा"})], force=False)
    said = name_warning(service, "B1", ["hi", "bn", "ta", "hi-Latn"])
    assert said.startswith("B1 has no name in bn, ta: “Stand 1” stands there") and "name_bn, name_ta" in said
    assert name_warning(service, "B1", ["hi", "en"]) == "" == name_warning(service, "HWH", ["bn", "hi"])


@pytest.mark.parametrize("brought", [False, True])
async def test_a_conversation_names_the_place_in_the_persons_language(
    chat: Chat, service: Service, *, brought: bool
) -> None:
    """After the scan, under "nearest help", and when they write the name; with a file in force as without one."""
    if brought:
        await service.places.take(listing(), [stand(1)], force=False)
    await chat.say("", "l:bn")
    _, said = await chat.say(start(code_at(service, "HWH")))
    assert said[0].message_id == "transit.here" and "হাওড়া জংশন" in said[0].text.reveal()
    for words, choice in (("", "c:near"), ("হাওড়া জংশন", "")):
        _, said = await chat.say(words, choice)
        here = next(message.text.reveal() for message in said if message.message_id == "near.station_here")
        assert here.startswith("হাওড়া জংশন") and "Howrah" not in here


async def test_a_name_that_an_operator_gave_is_said(chat: Chat, service: Service) -> None:
    """Where the file has none in the person's language, the English one."""
    named = replace(stand(1), names={"en": "Stand 1", "bn": "ধর্মতলা"})
    await service.places.take(listing(), [named, stand(2)], force=False)
    await chat.say("", "l:bn")
    for place, name in (("B1", "ধর্মতলা"), ("B2", "Stand 2")):
        _, said = await chat.say(start(code_at(service, place)))
        assert name in said[0].text.reveal()


async def test_a_case_knows_the_place_and_the_district(chat: Chat, service: Service) -> None:
    """Danger in the very message that carries the code comes first, and the responder sees where."""
    turn, said = await chat.say(f"{start(code_at(service, 'HWH'))} please help me, they locked me in a room")
    assert said[0].message_id.startswith("distress.")
    case = await service.cases.get(turn.conversation.open_case)
    assert case is not None and (case.place, case.district) == ("HWH", "WB:Howrah")


async def test_a_poster_that_looks_wrong_reaches_people_and_is_marked(chat: Chat, service: Service) -> None:
    """J8: a report of its own kind; the poster is marked once for each scan; nothing says who."""
    code = code_at(service, "HWH")
    await chat.say("", "l:en")
    await chat.say(start(code))
    turn, said = await chat.say("this poster looks false")
    assert [message.message_id for message in said] == ["slip.given", "transit.reported"]
    await chat.say("fake poster")
    case = await service.cases.get(turn.conversation.open_case)
    assert case is not None and (case.kind.value, case.risk_kind, case.place) == ("report", "report_poster", "HWH")
    await service.places.refresh()
    poster = service.places.directory.posters[code]
    assert poster.flags == 1 and poster.flagged_at is not None
    row = await service.db["place_posters"].find_one({"_id": poster.id})
    assert row is not None and set(row) == {"_id", "place", "purpose", "series", "flags", "flagged_at"}


@pytest.mark.parametrize("payload", ["sy_FAKE99", "sy_" + "A" * 70, "sy_🙂🙂", "sy_", "sy_NDLS", "sy_<b>x</b>"])
async def test_any_other_code_is_an_unknown_poster(chat: Chat, service: Service, payload: str) -> None:
    """J6: the conversation works and the code is counted as unknown."""
    await chat.say("", "l:en")
    _, said = await chat.say(payload)
    assert [message.message_id for message in said] == ["transit.unknown"]
    _, said = await chat.say("menu")
    assert said
    counts = {(one.place, one.what): one.number for one in await service.places.counts(2)}
    assert counts == {("", "start"): 1}


async def test_conversations_are_counted_by_channel(chat: Chat, service: Service) -> None:
    for _ in range(3):
        await chat.say(start(code_at(service, "HWH")))
    counts = [(one.place, one.what, one.channel, one.number) for one in await service.places.counts(2)]
    assert counts == [("HWH", "start", "terminal", 3)]


async def test_a_crowd_at_one_poster_meets_in_no_row(service: Service) -> None:
    """J4: ten thousand scans are one change of the database; a database that is silent loses none of them."""
    for _ in range(10_000):
        service.places.scanned("HWH")
    store = service.places._store
    service.places._store = Silent()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await service.places.flush()
    service.places._store = store
    assert [one.number for one in await service.places.counts(1)] == [10_000]
    assert await service.db["place_counts"].count_documents({}) == 1


class Silent:
    """A database that does not answer."""

    async def count(self, counts: object) -> None:
        raise StoreUnavailable("silent")
