"""H13: a file that names another phone number than an administrator has signed tells it to nobody, and somebody hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.app import Service, open_service
from bot.config import Config
from bot.content.model import Content
from bot.content.phones import Change, held, numbers, phones_of
from bot.ports import PHONES_UNSIGNED
from bot.service.phones import FORGED, hold_phones, sign_phones, unsigned_phones
from bot.store.phones import MongoPhones

KEY = "core.trouble"
HI = "distress.escalated"


def telling(content: Content, **words: str) -> Content:
    """The content with other words for `KEY` in some locales."""
    return content.with_words({code: {KEY: text} for code, text in words.items()})


def changed(content: Content, key: str, before: str, after: str, locale: str = "hi") -> Content:
    words = content.messages[locale][key]
    assert before in words
    return content.with_words({locale: {key: words.replace(before, after)}})


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("call 112, for a child 1098", ("1098", "112")),
        ("११२ पर फ़ोन करें", ("112",)),
        ("Rs 30,000 within 45 days, in 2026", ()),
        ("1800-102-7222 or 98765 43210", ("18001027222", "9876543210")),
        ("1089", ()),
        ("112112", ()),
    ],
)
def test_which_digits_are_phone_numbers(words: str, found: tuple[str, ...]) -> None:
    assert numbers(words, {"112", "1098", "18001027222"}) == found


def test_the_shipped_content_names_every_helpline(content: Content) -> None:
    signed = phones_of(content)
    assert signed.helplines["child_1098"] == "1098"
    assert all(KEY in words for words in signed.words.values())
    assert held(content, signed) == (content, ())


@pytest.mark.parametrize("after", ["1089", "112", "98765 43210", ""])
def test_a_changed_number_keeps_its_signed_words(content: Content, after: str) -> None:
    other = changed(content, KEY, "1098", after)
    safe, (change,) = held(other, phones_of(content))
    assert safe.messages["hi"][KEY] == content.messages["hi"][KEY]
    assert change.place == f"hi {KEY}" and "1098" in change.before


def test_a_number_beside_the_signed_ones_is_a_change(content: Content) -> None:
    words = content.messages["ta"][KEY] + " 98765 43210"
    safe, (change,) = held(telling(content, ta=words), phones_of(content))
    assert safe.messages["ta"][KEY] == content.messages["ta"][KEY]
    assert "9876543210" in change.after


def test_a_helpline_keeps_its_signed_number(content: Content) -> None:
    lines = {**content.helplines, "child_1098": replace(content.helplines["child_1098"], number="1089")}
    safe, changes = held(replace(content, helplines=lines), phones_of(content))
    assert safe.helplines["child_1098"].number == "1098"
    assert changes == (Change("helpline child_1098", ("1098",), ("1089",)),)


def test_other_words_around_the_same_numbers_are_no_change(content: Content) -> None:
    other = telling(content, en="Something broke. 1098 for a child, 112 for all.")
    safe, changes = held(other, phones_of(content))
    assert (safe, changes) == (other, ())


def test_a_new_message_may_name_signed_numbers_only(content: Content) -> None:
    signed = phones_of(content)
    fine = content.with_words({"en": {"new.one": "call 112"}})
    assert held(fine, signed)[1] == ()
    strange = content.with_words({"en": {"new.one": "call 98765 43210"}})
    assert held(strange, signed)[1] == (Change("en new.one", (), ("9876543210",)),)


async def test_the_first_content_is_signed_and_later_ones_are_held_to_it(service: Service, content: Content) -> None:
    store = MongoPhones(service.db, service.sealer)
    assert await hold_phones(content, store) == (content, ())
    other = changed(content, KEY, "1098", "1089")
    safe, changes = await hold_phones(other, store)
    assert safe.messages["hi"][KEY] == content.messages["hi"][KEY] and len(changes) == 1
    assert await unsigned_phones(other, store) == changes
    await sign_phones(other, store)
    assert await hold_phones(other, store) == (other, ())
    assert len((await hold_phones(content, store))[1]) == 1


async def test_what_only_adds_signed_numbers_is_signed_along(service: Service, content: Content) -> None:
    """So that a later change of the new message is seen as well."""
    store = MongoPhones(service.db, service.sealer)
    await hold_phones(content, store)
    more = content.with_words({"en": {"new.one": "call 112"}})
    assert await hold_phones(more, store) == (more, ())
    worse = content.with_words({"en": {"new.one": "call nobody"}})
    assert [change.place for change in (await hold_phones(worse, store))[1]] == ["en new.one"]


async def test_who_changes_the_signed_row_is_found_out(service: Service, content: Content) -> None:
    store = MongoPhones(service.db, service.sealer)
    await hold_phones(content, store)
    row = await service.db["meta"].find_one({"_id": "phones"})
    assert row
    forged = row["phones"].replace("1098", "1089")
    await service.db["meta"].update_one({"_id": "phones"}, {"$set": {"phones": forged}})
    assert await hold_phones(content, store) == (content, (FORGED,))
    await sign_phones(content, store)
    assert await hold_phones(content, store) == (content, ())


@asynccontextmanager
async def started(config: Config, uri: str) -> AsyncIterator[Service]:
    async with open_service(config, mongodb_uri=uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
        yield service


async def test_the_service_tells_the_signed_number_and_pages(
    config: Config, mongodb_uri: str, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start, a file that changes, start again twice on a day: the old number, and one page for each alert channel."""
    monkeypatch.setattr("bot.app.hold_phones", hold_phones)
    paging = config.model_copy(update={"alert_webhook_url": "http://127.0.0.1:9/page"})
    async with started(paging, mongodb_uri) as service:
        assert await service.db["alerts"].count_documents({"kind": PHONES_UNSIGNED}) == 0
    monkeypatch.setattr("bot.app.load_content", lambda _: changed(content, HI, "112", "113"))
    for _ in range(2):
        async with started(paging, mongodb_uri) as service:
            assert service.content.words("hi", HI) == content.words("hi", HI)
            pages = await service.db["alerts"].find({"kind": PHONES_UNSIGNED}).to_list()
            assert [(page["channel"], page["values"]) for page in pages] == [("webhook", {"count": "1"})]
