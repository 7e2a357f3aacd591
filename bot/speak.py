"""`sahyatri content speak`: voice messages made beforehand, with size and length."""

from __future__ import annotations

from collections.abc import Callable

from bot.clients.speech import Speech, seconds_of
from bot.config import Config, ConfigError
from bot.content.load import load
from bot.content.model import Content
from bot.content.render import said
from bot.domain.messages import Reply
from bot.ports import SpeechFailed

#: What is asked for first, and what may not keep a person waiting.
FIRST = ("distress.", "core.voice_menu", "near.first")
PARTS = ("answer", "steps", "papers", "where")


async def speak(
    config: Config, locale: str, topic: str, line: Callable[[str], None], say: Callable[[str], None]
) -> None:
    """Render what is said most in every locale (or one), or one topic; print a line for each."""
    content = load(config.content)
    if locale and locale not in content.locales:
        raise ConfigError(f"--lang {locale}: not offered; choose one of {', '.join(content.locales)}")
    if topic and topic not in content.topics:
        raise ConfigError(f"--topic {topic}: no such topic; one of {', '.join(content.topics)}")
    speech = Speech(config.data / "speech", config.content / "audio", lambda: content)
    try:
        for code in [locale] if locale else content.locales:
            keys = [key for key in _keys(content, topic) if content.words(code, key) != "-"]
            for number, key in enumerate(keys, 1):
                line(await _one(speech, content, code, key))
                if number % 50 == 0:
                    say(f"{code}: {number} of {len(keys)}")
    finally:
        speech.close()


async def _one(speech: Speech, content: Content, code: str, key: str) -> str:
    text = said(Reply(key), code, content)
    try:
        audio = await speech.say(text, code, key)
    except SpeechFailed as error:
        return f"{code:8} {key:36} cannot be spoken: {error}"
    return f"{code:8} {key:36} {len(audio):7} bytes {seconds_of(audio):6.1f} s Opus"


def _keys(content: Content, topic: str) -> list[str]:
    if topic:
        return [f"{topic}.{part}" for part in PARTS]
    first = [key for key in content.messages["en"] if key.startswith(FIRST) and not key.endswith(".label")]
    return first + [f"{name}.{part}" for name in content.topics for part in PARTS]
