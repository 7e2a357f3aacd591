"""Words to voice: real espeak-ng, real Opus, a cache, and human recordings first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.clients.speech import VOICES, Speech, encode, seconds_of
from bot.content.model import Content
from bot.content.speakable import speakable
from bot.ports import SpeechFailed

NUMBERS = frozenset({"112", "1098", "15100"})


@pytest_asyncio.fixture
async def speech(tmp_path: Path, content: Content) -> AsyncIterator[Speech]:
    opened = Speech(tmp_path / "speech", tmp_path / "audio", lambda: content)
    yield opened
    opened.close()


def test_every_offered_locale_has_a_voice(content: Content) -> None:
    assert set(content.locales) <= set(VOICES)


async def test_one_topic_is_spoken_in_every_locale_as_opus(speech: Speech, content: Content) -> None:
    """The answer on unpaid wages is Opus that decodes, between 8 and 60 seconds, under 160 KB."""
    for code in content.locales:
        audio = await speech.say(content.words(code, "wages_unpaid.answer"), code, "wages_unpaid.answer")
        assert audio[:4] == b"OggS"
        assert b"OpusHead" in audio[:200]
        assert 8 < seconds_of(audio) < 60, code
        assert len(audio) < 160_000, code


async def test_no_voice_spells_its_letters_out(speech: Speech, content: Content) -> None:
    """A second of speech takes about as many letters in Assamese as in Bengali."""
    pace = {}
    for code in ("as", "bn"):
        words = content.words(code, "wages_unpaid.answer")
        pace[code] = len(words) / seconds_of(await speech.say(words, code, ""))
    assert pace["as"] > 0.8 * pace["bn"]


async def test_hindi_in_latin_letters_is_spoken_from_the_hindi_words(speech: Speech, content: Content) -> None:
    latin, own = content.words("hi-Latn", "core.thanks"), content.words("hi", "core.thanks")
    assert await speech.say(latin, "hi-Latn", "core.thanks") == await speech.say(own, "hi", "core.thanks")
    assert await speech.say("something else", "hi-Latn", "core.thanks")


async def test_what_was_said_once_is_not_made_again(speech: Speech) -> None:
    first = await speech.say("Namaste", "en", "x")
    path = speech.path(speech.words("Namaste", "en"), "en")
    assert path.read_bytes() == first
    path.write_bytes(b"kept")
    assert await speech.say("Namaste", "en", "x") == b"kept"


async def test_other_words_get_another_file(speech: Speech) -> None:
    assert speech.path("a", "en") != speech.path("b", "en")
    assert speech.path("a", "hi") != speech.path("a", "ur")


async def test_a_human_recording_goes_first(speech: Speech, tmp_path: Path) -> None:
    file = tmp_path / "audio" / "ta" / "wages_unpaid.answer.ogg"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a human voice")
    assert await speech.say("whatever", "ta", "wages_unpaid.answer") == b"a human voice"
    assert await speech.say("whatever", "ta", "wages_unpaid.steps") != b"a human voice"


async def test_an_id_never_leaves_its_folder(speech: Speech, tmp_path: Path) -> None:
    (tmp_path / "secret.ogg").write_bytes(b"secret")
    assert await speech.say("word", "en", "../../secret") != b"secret"


async def test_a_child_process_that_dies_is_replaced(speech: Speech) -> None:
    """A crash in the C library fails one message, not the next."""
    await speech.say("first", "en", "")
    assert speech._pool
    for process in speech._pool._processes.values():
        process.kill()
    with pytest.raises(SpeechFailed):
        await speech.say("second", "en", "")
    assert (await speech.say("third", "en", ""))[:4] == b"OggS"


async def test_a_locale_without_a_voice_is_refused(speech: Speech, content: Content) -> None:
    with pytest.raises((SpeechFailed, KeyError)):
        await speech.say("x", "zz", "")


def test_seconds_of_refuses_what_is_not_opus() -> None:
    with pytest.raises(ValueError, match="not"):
        seconds_of(b"nothing of the kind")


def test_a_second_of_silence_lasts_a_second() -> None:
    assert seconds_of(encode(bytes(2 * 22050), 22050)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Call 112.", "Call 1 1 2."),
        ("Free legal help: 15100.", "Free legal help: 1 5 1 0 0."),
        ("1800-345-6703", "1 8 0 0, 3 4 5, 6 7 0 3"),
        ("Rs 30,000 and 112 days", "Rs 30,000 and 1 1 2 days"),
        ("up to Rs 1 lakh in 2026", "up to Rs 1 lakh in 2026"),
        ("see eshram.gov.in today", "see eshram dot gov dot in today"),
        ("• one\n• two", "one\ntwo"),
        ("🆘 help", "help"),
        ("a CSC", "a C S C"),
        ("1. first", "1. first"),
    ],
)
def test_what_a_voice_says(text: str, spoken: str) -> None:
    assert speakable(text, "dot", NUMBERS) == spoken
