"""How fast messages may leave: what each platform allows, and what of it is kept for danger."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.messages import ChannelName, Lane

#: Of what may leave at once, the share that only danger may use.
KEPT_FOR_DANGER = 0.4
#: How many people a new account may write to first in a day, and what stands for no limit.
FIRST_TIER = 250
EVERYBODY = 0
#: Of those people, the share that only responders may use.
KEPT_FOR_RESPONDERS = 0.2
_TIER = re.compile(r"TIER_(\d+)(K?)")
#: A second holds at most what a full burst and the steady flow bring together.
BURST_SHARE = 1 / 6


@dataclass(frozen=True, slots=True)
class Limit:
    """One message every *every_ms* milliseconds, *burst* of them at once; the last *kept* of a burst are for danger."""

    every_ms: int
    burst: int
    kept: int = 0

    def ahead_ms(self, lane: Lane) -> int:
        """Return how far ahead of the steady flow this lane may run."""
        return (self.burst - (0 if lane is Lane.DISTRESS else self.kept) - 1) * self.every_ms


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits of one channel: of our whole account there, and of each contact."""

    account: Limit
    contact: Limit


def per_second(most: int) -> Limit:
    """Return a limit under which no second holds more than *most* messages, wherever it begins."""
    burst = max(int(most * BURST_SHARE), 1)
    steady = max(most - burst, 1)
    return Limit(math.ceil(1000 / steady), burst, min(math.ceil(burst * KEPT_FOR_DANGER), burst - 1))


def per_minute(most: int) -> Limit:
    """Return a limit under which no minute holds more than *most*, half of them at once."""
    burst = max(most // 2, 1)
    return Limit(math.ceil(60_000 / max(most - burst, 1)), burst)


def paces(telegram_per_second: int, whatsapp_per_second: int) -> Mapping[ChannelName, Pace]:
    """Return the pace of every channel that has limits.

    Telegram: some 30 messages a second, one a second to each chat with short bursts (Bot FAQ). WhatsApp: 80 a second
    for a number, which what comes in shares, and one in six seconds to each person after 45 at once (error 131056).
    """
    return {
        ChannelName.TELEGRAM: Pace(per_second(telegram_per_second), Limit(1000, 4, 2)),
        ChannelName.WHATSAPP: Pace(per_second(whatsapp_per_second), Limit(6000, 45, 15)),
    }


def people_a_day(tier: str) -> int | None:
    """Read WhatsApp's name of a limit ("TIER_2K"): people a day we may write to first; None if it says nothing."""
    if tier == "TIER_UNLIMITED":
        return EVERYBODY
    found = _TIER.fullmatch(tier)
    return int(found[1]) * (1000 if found[2] else 1) if found else None


def room_for(most: int, *, bot: bool) -> int:
    """Return how many of *most* people a day may be written to: greetings leave some for responders."""
    return most - math.ceil(most * KEPT_FOR_RESPONDERS) if bot else most
