"""A film that a person sends over WhatsApp: kept sealed for people, told by its bytes; the person is told the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.config import Config
from bot.domain.attachments import Attachment
from bot.service.listen import MOST_BYTES
from tests import pictures
from tests.cloud import DISTRESS, Cloud, cloud, until


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri) as found:
        await found.tap("l:en")
        await found.say(DISTRESS)
        found.platform.calls.clear()
        yield found


async def sent(whatsapp: Cloud, name: str, data: bytes, **more: str) -> Attachment:
    """Let the person send a film, and wait until it is settled what becomes of it."""
    whatsapp.platform.files[name] = data
    await whatsapp.take(whatsapp.item("video", {"id": name, "mime_type": "video/mp4", "sha256": "x", **more}))
    case = await whatsapp.case()
    found: list[Attachment] = []

    async def settled() -> bool:
        found[:] = (await whatsapp.service.attachments.of(case.conversation_id)).values()
        return bool(found) and found[-1].copy.value != "fetching"

    await until(settled)
    return found[-1]


@pytest.mark.parametrize("container", ["mp4", "webm"])
async def test_a_short_film_is_kept_sealed_and_can_be_asked_for(whatsapp: Cloud, container: str) -> None:
    """Named by kind and size, no copy, the original with a second person; not a byte of it stands open."""
    data = pictures.sound(container, "aac" if container == "mp4" else "libopus")
    film = await sent(whatsapp, "f1", data)
    assert (film.kind.value, film.size, film.copy.value) == ("film", len(data), "none")
    assert film.may_be_asked_for and not film.shown
    case = await whatsapp.case()
    assert await whatsapp.service.media.get(film.id, case.conversation_id) == ("video/mp4", data)
    pieces: list[Any] = await whatsapp.service.db["media_pieces"].find({"note": film.id}).to_list()
    assert pieces and not any(data[:32] in bytes(value) for piece in pieces for value in _boxes(piece))


def _boxes(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [box for part in parts for box in _boxes(part)]


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"<html><script>", "not_as_claimed"), (b"\x7fELF" + b"\0" * 40, "program")],
)
async def test_what_is_no_film_is_not_kept(whatsapp: Cloud, data: bytes, why: str) -> None:
    film = await sent(whatsapp, "f2", data)
    assert (film.why, film.sealed) == (why, False)
    assert not await whatsapp.service.db["media_pieces"].count_documents({"note": film.id})


async def test_a_long_film_is_not_kept_and_the_case_can_say_that_it_came(whatsapp: Cloud) -> None:
    big = pictures.sound("mp4", "aac") + b"\0" * MOST_BYTES
    film = await sent(whatsapp, "f3", big)
    assert (film.why, film.sealed, film.may_be_asked_for) == ("too_large", False, False)
    assert whatsapp.platform.given["f3"] == 1


async def test_the_person_is_told_that_it_cannot_be_read_and_its_words_count(config: Config, mongodb_uri: str) -> None:
    """Without a case the answer is that of anything we cannot read; a caption is what was said, danger above all."""
    async with cloud(config, mongodb_uri) as found:
        await found.tap("l:en")
        found.platform.calls.clear()
        found.platform.files["f"] = pictures.sound("mp4", "aac")
        await found.take(found.item("video", {"id": "f", "mime_type": "video/mp4"}))
        assert found.service.content.words("en", "media.other").split(".")[0] in found.words()[0]
        await found.take(found.item("video", {"id": "f", "mime_type": "video/mp4", "caption": DISTRESS}))
        assert (await found.case()).waiting_since
