"""Writing to somebody who is not writing just now: how long a channel takes free words, and whether it is safe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cases import Told
from bot.domain.messages import WINDOW, ChannelName

#: Answers after which the person may be written to, and those that take it back.
SAFE = {"follow_up": frozenset({"yes"})}
UNSAFE = {"safe_to_talk": frozenset({"no", "watched"}), "follow_up": frozenset({"no"}), "wish": frozenset({"stop"})}
SAFE_CONTACT = "safe_contact"


@dataclass(frozen=True, slots=True)
class Template:
    """Words that the platform has approved beforehand: their name there, and their locale."""

    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Override:
    """Leave to write once to somebody although no record says that it is safe.

    request: what was asked for with a reason; second: who approved it, never the one who asked. Both "" for no leave.
    """

    request: str = ""
    second: str = ""

    @property
    def holds(self) -> bool:
        """True when it may stand for a record: a second person has agreed."""
        return bool(self.request and self.second)


class NotSafe(Exception):
    """The person has not said that they can be written to."""


class Watched(Exception):
    """Somebody may be looking at the person's screen, and whoever writes has not said that they know."""


class WindowClosed(Exception):
    """The channel takes no words of our own any more, only an approved template."""


def closes_at(channel: ChannelName, heard_at: datetime | None) -> datetime | None:
    """Return until when the channel takes words of our own; None where it always does."""
    if channel is not ChannelName.WHATSAPP or heard_at is None:
        return None
    return heard_at + WINDOW


def is_open(channel: ChannelName, heard_at: datetime | None, now: datetime) -> bool:
    """Say whether the channel takes words of our own now."""
    end = closes_at(channel, heard_at)
    return channel is not ChannelName.WHATSAPP or (end is not None and now < end)


def is_first(heard_at: datetime | None, now: datetime) -> bool:
    """Say whether whoever writes now begins: the person has been silent for as long as the window."""
    return heard_at is None or now - heard_at >= WINDOW


def record_of(told: Iterable[Told]) -> Told | None:
    """Return the newest record that the person may be written to, unless a newer answer takes it back."""
    found: Told | None = None
    for answer in sorted(told, key=lambda item: item.at):
        value = answer.value.reveal()
        if answer.slot == SAFE_CONTACT or value in SAFE.get(answer.slot, ()):
            found = answer
        elif value in UNSAFE.get(answer.slot, ()):
            found = None
    return found


def read_templates(text: str) -> Sequence[Template]:
    """Read "hello:hi,hello:en"; raise `ValueError` for anything else."""
    found = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, colon, locale = part.partition(":")
        if not colon or not locale or not name.replace("_", "").isalnum() or name != name.lower():
            raise ValueError(f"{part}: write it as name:locale, the name as it is approved")
        found.append(Template(name, locale))
    return tuple(found)
