"""Everything `step` may look at besides the conversation and the message: frozen for the length of a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.safety import Guard
from bot.domain.agencies import AgencyList, Check
from bot.domain.places import Directory
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers

Checker = Callable[[str], Check]
Reported = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Content, the compiled danger check, the recruiter check over the lists, the places, the signs in offers.

    lexicon: the words of firms' names. `may_translate`: the operator has switched a translation machine on. `reported`:
    does a text name something of a recruiter of whom a supervisor has signed that many people reported them?
    `directory`: transit points and the posters that hang there.
    """

    content: Content
    guard: Guard
    check_recruiter: Checker
    lists: dict[str, AgencyList]
    gazetteer: Gazetteer
    offers: Offers
    lexicon: Lexicon
    may_translate: bool = False
    reported: Reported = lambda _: False
    directory: Directory = field(default_factory=Directory)
