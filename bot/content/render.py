"""Replies become outbound messages: words in the locale, choices and lengths fitted to the channel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import regex

from bot.content.model import Content, alt_of
from bot.domain.messages import ChannelName, Choice, ChoiceRef, OutboundMessage, Picture, Reply
from bot.domain.private import Private


@dataclass(frozen=True, slots=True)
class Limits:
    """What one bubble may hold on a channel, in UTF-16 units for text and in code points for labels.

    Source: WhatsApp Cloud API v23.0 (text 4096, interactive body 1024, 10 rows in all, row title 24) and Telegram Bot
    API 10.1 (text 4096, 100 buttons). `location_key`: a key that shares the location needs words of ours. `caption`:
    what both take under a picture.
    """

    text: int
    text_with_choices: int
    choices: int
    label: int
    location_key: bool = False
    caption: int = 1024


LIMITS: Mapping[ChannelName, Limits] = {
    ChannelName.WHATSAPP: Limits(4096, 1024, 10, 24),
    ChannelName.TELEGRAM: Limits(4096, 4096, 100, 64, location_key=True),
    ChannelName.WEB: Limits(4096, 4096, 100, 64),
    ChannelName.TERMINAL: Limits(4096, 4096, 100, 64),
}


def render(
    replies: Iterable[Reply], locale: str, channel: ChannelName, content: Content
) -> tuple[OutboundMessage, ...]:
    """Return the bubbles for *replies*, in order, each within the channel's limits."""
    return _keeping([bubble for reply in replies for bubble in _bubbles(reply, locale, LIMITS[channel], content)])


def _keeping(bubbles: list[OutboundMessage]) -> tuple[OutboundMessage, ...]:
    """Mark what follows a bubble with keys in the same turn: it must not take them away again."""
    shows = [bool(bubble.digits or bubble.asks_location) for bubble in bubbles]
    return tuple(replace(bubble, keeps_keyboard=any(shows[:at])) for at, bubble in enumerate(bubbles))


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
    digits = _digits(len(labels))
    protected = _protected(reply)
    return [
        OutboundMessage(
            Private(text), (), reply.lane, "bot", reply.message, speech=locale, protected=protected, digits=digits
        )
    ]


def _digits(count: int) -> int:
    """Return for how many numbered choices keys are shown: more than that many help nobody."""
    return count if count <= MOST_KEYS else 0


def _protected(reply: Reply) -> bool:
    """Say whether what is said belongs to a matter of the person's own; numbers to call may always be passed on."""
    return reply.message.startswith(OWN_MATTERS)


def _bubbles(reply: Reply, locale: str, limits: Limits, content: Content) -> list[OutboundMessage]:
    if reply.spoken:
        return _voice(reply, locale, content)
    text = said(reply, locale, content)
    if content.locales[locale].direction == "rtl":
        text = isolated(text)
    choices, digits = tuple(_choice(ref, locale, content) for ref in reply.choices), 0
    if len(choices) > limits.choices or any(len(choice.label) > limits.label for choice in choices):
        text = "\n".join([text, "", *(f"{n}. {choice.label}" for n, choice in enumerate(choices, 1))])
        choices, digits = (), _digits(len(choices))
    picture = _picture(reply, locale, content)
    most = limits.text if not choices else limits.text_with_choices
    *first, last = split(text, min(most, limits.caption) if picture else most)
    button = content.words(locale, "core.choose") if choices else ""
    if reply.asks_location and limits.location_key:
        button = content.words(locale, "telegram.location.label")
    part = OutboundMessage(Private(""), (), reply.lane, "bot", reply.message, protected=_protected(reply))
    full = replace(
        part, choices=choices, list_button=button, asks_location=reply.asks_location, digits=digits, picture=picture
    )
    return [*(replace(part, text=Private(words)) for words in first), replace(full, text=Private(last))]


def _picture(reply: Reply, locale: str, content: Content) -> Picture | None:
    """Return the picture that the content shows with these words; none is better than one that nobody describes."""
    name = content.shown_with.get(reply.message, "")
    try:
        return Picture(name, content.words(locale, alt_of(name))) if name else None
    except KeyError:
        return None


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
    return window.rfind(" ") + 1 or _grapheme_border(text, len(window))


def _window(text: str, limit: int) -> str:
    units = 0
    for at, char in enumerate(text):
        units += 2 if ord(char) > LAST_SINGLE_UNIT else 1
        if units > limit:
            return text[:at]
    return text


#: More keys than these do not fit above a keyboard.
MOST_KEYS = 20
#: The beginnings of what belongs to a person's own case or report.
OWN_MATTERS = ("case.", "person.", "report.", "waiting.")
#: Numbers in groups, and web addresses.
_LEFT_TO_RIGHT = re.compile(r"\d+(?:[-–.,/]\d+)+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)
#: Code points above this one take two UTF-16 units.
LAST_SINGLE_UNIT = 0xFFFF
_GRAPHEME = regex.compile(r"\X")
#: Signs that join two consonants into one letter, which a grapheme of the standard does not always reach across.
_JOINING = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u200c\u200d"


def _grapheme_border(text: str, at: int) -> int:
    """Move *at* back to where no cluster is cut; a cluster longer than the window is cut all the same."""
    borders = (found.start() for found in _GRAPHEME.finditer(text[: at + 1]))
    return max((border for border in borders if border and text[border - 1] not in _JOINING), default=at)
