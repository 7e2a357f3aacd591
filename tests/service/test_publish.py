"""Our words as authors change them: proposals, marks, versions that never change, and the way back."""

from __future__ import annotations

import pytest

from bot.app import Service
from bot.domain.wording import MarkKind
from bot.service.publish import Refused, Wording

OTHER = "நன்றி. வேறு ஏதாவது?"


async def test_a_proposal_is_not_in_force_until_published(service: Service) -> None:
    wording = service.wording
    before = wording.content.words("ta", "core.thanks")
    await wording.propose("ta", "core.thanks", OTHER, "author")
    assert wording.content.words("ta", "core.thanks") == before
    version = await wording.publish("author", "thanks in fewer words")
    assert (version.number, version.count, version.current) == (1, 1, True)
    assert service.content.words("ta", "core.thanks") == OTHER
    assert service.knowledge().content.words("ta", "core.thanks") == OTHER


async def test_one_click_goes_back_and_versions_stay(service: Service) -> None:
    wording = service.wording
    before = wording.content.words("ta", "core.thanks")
    await wording.propose("ta", "core.thanks", OTHER, "author")
    await wording.publish("author", "one")
    await wording.propose("hi", "core.thanks", "धन्यवाद।", "author")
    await wording.publish("author", "two")
    await wording.go_back(1)
    assert wording.content.words("hi", "core.thanks") != "धन्यवाद।"
    assert wording.content.words("ta", "core.thanks") == OTHER
    await wording.go_back(0)
    assert wording.content.words("ta", "core.thanks") == before
    await wording.go_back(2)
    assert wording.content.words("hi", "core.thanks") == "धन्यवाद।"
    assert [version.number for version in await service.wording_store.versions()] == [2, 1]


async def test_another_process_sees_it_when_it_looks_again(service: Service) -> None:
    other = Wording(service.wording._base, service.wording_store, service.now)
    await other.refresh()
    await service.wording.propose("ta", "core.thanks", OTHER, "author")
    await service.wording.publish("author", "")
    assert await other.refresh()
    assert other.content.words("ta", "core.thanks") == OTHER
    assert not await other.refresh()


@pytest.mark.parametrize(
    ("message", "words", "why"),
    [
        ("core.yes.label", "x" * 40, "at most 24"),
        ("verify.listed", "nothing", "placeholders"),
        ("distress.first", "தைரியமாக இருங்கள்", "112"),
        ("core.thanks", "   ", "empty"),
        ("core.nonsense", "x", "no such message"),
        ("core.thanks", "call 9876543210", "not in the source"),
    ],
)
async def test_words_that_break_a_rule_are_refused_with_the_reason(
    service: Service, message: str, words: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        await service.wording.propose("ta", message, words, "author")


async def test_nothing_to_publish_and_nothing_to_go_back_to(service: Service) -> None:
    with pytest.raises(Refused, match="nothing is proposed"):
        await service.wording.publish("author", "")
    with pytest.raises(Refused, match="no version 9"):
        await service.wording.go_back(9)


async def test_a_sign_off_names_who_and_when_and_falls_with_the_words(service: Service) -> None:
    wording = service.wording
    await wording.mark("ta", ("core.thanks",), MarkKind.SIGNED, "native")
    standing = await wording.standing("ta", "core.thanks")
    assert standing.signed
    assert (standing.signed.who, standing.signed.at is not None) == ("native", True)
    await wording.propose("ta", "core.thanks", OTHER, "author")
    await wording.publish("author", "")
    assert (await wording.standing("ta", "core.thanks")).signed is None


async def test_a_changed_source_voids_every_sign_off(service: Service) -> None:
    wording = service.wording
    await wording.mark("ta", ("core.thanks",), MarkKind.SIGNED, "native")
    await wording.mark("hi", ("core.thanks",), MarkKind.SIGNED, "native")
    await wording.propose("en", "core.thanks", "Thank you for writing. What else?", "author")
    await wording.publish("author", "")
    for code in ("ta", "hi"):
        assert (await wording.standing(code, "core.thanks")).signed is None


async def test_a_locale_is_released_when_every_message_is_signed(service: Service) -> None:
    wording = service.wording
    keys = tuple(wording.content.messages["ta"])
    await wording.mark("ta", keys[:-1], MarkKind.SIGNED, "native")
    assert wording.content.locales["ta"].status == "draft"
    await wording.mark("ta", keys[-1:], MarkKind.SIGNED, "native")
    assert wording.content.locales["ta"].status == "released"
    await wording.propose("ta", "core.thanks", OTHER, "author")
    await wording.publish("author", "")
    assert wording.content.locales["ta"].status == "draft"


async def test_a_read_mark_is_no_sign_off(service: Service) -> None:
    await service.wording.mark("ta", ("core.thanks",), MarkKind.READ, "someone")
    standing = await service.wording.standing("ta", "core.thanks")
    assert standing.read
    assert standing.signed is None
