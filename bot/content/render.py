"""Replies become outbound messages: words in the locale, choices and lengths fitted to the channel."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.content.model import Content
from bot.domain.messages import ChannelName, Choice, ChoiceRef, OutboundMessage, Reply
from bot.domain.private import Private


@dataclass(frozen=True, slots=True)
class Limits:
    """What one bubble may hold on a channel, in UTF-16 units for text and in code points for labels.

    Source: WhatsApp Cloud API v23.0 (text 4096, interactive body 1024, 10 rows in all, row title 24) and Telegram Bot
    API 10.1 (text 4096, 100 buttons).
    """

    text: int
    text_with_choices: int
    choices: int
    label: int


LIMITS: Mapping[ChannelName, Limits] = {
    ChannelName.WHATSAPP: Limits(4096, 1024, 10, 24),
    ChannelName.TELEGRAM: Limits(4096, 4096, 100, 64),
    ChannelName.WEB: Limits(4096, 4096, 100, 64),
    ChannelName.TERMINAL: Limits(4096, 4096, 100, 64),
}


def render(
    replies: Iterable[Reply], locale: str, channel: ChannelName, content: Content
) -> tuple[OutboundMessage, ...]:
    """Return the bubbles for *replies*, in order, each within the channel's limits."""
    return tuple(bubble for reply in replies for bubble in _bubbles(reply, locale, LIMITS[channel], content))


def fill(words: str, values: Mapping[str, str]) -> str:
    """Put *values* into the `{placeholders}` of *words*; a value is never read as a placeholder itself."""
    parts: list[str] = []
    rest = words
    while True:
        before, opened, after = rest.partition("{")
        name, closed, tail = after.partition("}")
        if not (opened and closed):
            return "".join([*parts, rest])
        parts += [before, values.get(name, "{" + name + "}")]
        rest = tail


def split(text: str, limit: int) -> list[str]:
    """Cut *text* into parts of at most *limit* UTF-16 units: at a paragraph, line, sentence, space, else a grapheme."""
    parts = []
    while _units(text) > limit:
        cut = _cut(text, limit)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text] if text or not parts else parts


def said(reply: Reply, locale: str, content: Content) -> str:
    """Return the words of *reply* in *locale*, with the words of the replies inside it; its choices are not in them."""
    joiner = content.words(locale, "core.joiner") + " "
    inner = {name: joiner.join(said(part, locale, content) for part in parts) for name, parts in reply.within.items()}
    words = fill(content.words(locale, reply.message), {**reply.values, **inner}).strip() if reply.message else ""
    return "\n".join([words, *(said(item, locale, content) for item in reply.items)]).strip("\n")


def isolated(text: str) -> str:
    """Return right-to-left *text* with phone numbers and addresses kept in their own order.

    Without the isolates (U+2066, U+2069) a number such as 1800-345-6703 is shown with its groups turned round.
    """
    return _LEFT_TO_RIGHT.sub("\u2066\\g<0>\u2069", text)


def _voice(reply: Reply, locale: str, content: Content) -> list[OutboundMessage]:
    """One voice message: the words, then the choices by number, so that a digit answers.

    Words in Latin letters of an Indian language are spoken from the same words in its own script.
    """
    locale = content.locales[locale].fallback if locale.endswith("-Latn") else locale
    labels = [f"{n}. {_choice(ref, locale, content).label}." for n, ref in enumerate(reply.choices, 1)]
    text = "\n".join([said(reply, locale, content), *labels])
    return [OutboundMessage(Private(text), (), reply.lane, "bot", reply.message, speech=locale)]


def _bubbles(reply: Reply, locale: str, limits: Limits, content: Content) -> list[OutboundMessage]:
    if reply.spoken:
        return _voice(reply, locale, content)
    text = said(reply, locale, content)
    if content.locales[locale].direction == "rtl":
        text = isolated(text)
    choices = tuple(_choice(ref, locale, content) for ref in reply.choices)
    if len(choices) > limits.choices or any(len(choice.label) > limits.label for choice in choices):
        text = "\n".join([text, "", *(f"{n}. {choice.label}" for n, choice in enumerate(choices, 1))])
        choices = ()
    *first, last = split(text, limits.text if not choices else limits.text_with_choices)
    button = content.words(locale, "core.choose") if choices else ""
    bubbles = [OutboundMessage(Private(part), (), reply.lane, "bot", reply.message) for part in first]
    located = reply.asks_location
    return [
        *bubbles,
        OutboundMessage(Private(last), choices, reply.lane, "bot", reply.message, button, asks_location=located),
    ]


def _choice(ref: ChoiceRef, locale: str, content: Content) -> Choice:
    return Choice(ref.id, ref.text.reveal() or content.words(locale, ref.label))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def _cut(text: str, limit: int) -> int:
    window = _window(text, limit)
    for mark in ("\n\n", "\n", "। ", ". ", "۔ ", "? ", "! ", " "):
        at = window.rfind(mark)
        if at > len(window) // 3:
            return at + len(mark)
    return _grapheme_border(text, len(window))


def _window(text: str, limit: int) -> str:
    units = 0
    for at, char in enumerate(text):
        units += 2 if ord(char) > LAST_SINGLE_UNIT else 1
        if units > limit:
            return text[:at]
    return text


#: Numbers in groups, and web addresses.
_LEFT_TO_RIGHT = re.compile(r"\d+(?:[-–.,/]\d+)+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)
#: Code points above this one take two UTF-16 units.
LAST_SINGLE_UNIT = 0xFFFF
_JOINERS = frozenset("\u200c\u200d\ufe0f")
_VIRAMAS = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d")


def _grapheme_border(text: str, at: int) -> int:
    """Move *at* back to where no cluster is cut; a cluster longer than the window is cut all the same."""
    for border in range(at, max(at - 64, 0), -1):
        if not _joins(text[border - 1], text[border : border + 1]):
            return border
    return at


def _joins(left: str, right: str) -> bool:
    if not right:
        return False
    attached = (
        unicodedata.category(right) in {"Mn", "Mc", "Me"} or right in _JOINERS or "\U0001f3fb" <= right <= "\U0001f3ff"
    )
    return attached or left in _JOINERS or left in _VIRAMAS
