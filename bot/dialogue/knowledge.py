"""Everything `step` may look at besides the conversation and the message: frozen for the length of a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.safety import Guard
from bot.domain.agencies import AgencyList, Check

Checker = Callable[[str], Check]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Content, the compiled danger check, the recruiter check over the current lists, and the places.

    `may_translate`: the operator has switched a translation machine on.
    """

    content: Content
    guard: Guard
    check_recruiter: Checker
    lists: dict[str, AgencyList]
    gazetteer: Gazetteer
    may_translate: bool = False
