"""Why the machine did something to a case: an id in the history, whose words stand in the content."""

from __future__ import annotations

import re
from enum import StrEnum

from bot.domain.cases import CaseAction, CaseEvent

MARK = "@"


class Why(StrEnum):
    """The reasons that a case's history may give; the words are `console.why.<id>`."""

    RUNG = "rung"
    AGAIN = "again"
    SHIFT = "shift"
    OWNER_GONE = "owner_gone"
    REMIND_OWNER = "remind_owner"
    REMIND_SUPERVISORS = "remind_supervisors"
    NO_ANSWER = "no_answer"
    NOT_READ = "not_read"
    DANGER_NOT_READ = "danger_not_read"
    NOT_OPENED = "not_opened"
    TOO_MANY = "too_many"
    WATCHED = "watched"
    WINDOW_OVER = "window_over"
    KEPT = "kept"
    GREETED = "greeted"

    @property
    def mark(self) -> str:
        """How it stands in the history."""
        return f"{MARK}{self.value}"


#: How the same reasons stood in histories before they had ids.
_ONCE = {
    "its owner may not work on it any more": Why.OWNER_GONE,
    "nobody: more than 3 reports in a day": Why.TOO_MANY,
    "not asked: the phone may be watched, or the person wants no messages": Why.WATCHED,
    "not asked: WhatsApp lets us write within 24 hours only": Why.WINDOW_OVER,
    "WhatsApp takes our words only within 24 hours of the person's last message: kept until they write": Why.KEPT,
    "WhatsApp takes our words only within 24 hours of the person's last message: kept until they write; a hello is "
    "sent, as they had agreed": Why.GREETED,
}
_MARKED = re.compile(rf"{MARK}([a-z_]+)(.*)", re.DOTALL)
_RUNG = re.compile(r"rung( \d.*)", re.DOTALL)
#: What the machine writes down, and nobody else: a person's own words are never taken for a reason.
_MACHINE = frozenset({
    CaseAction.PAGE, CaseAction.ESCALATE, CaseAction.REMIND, CaseAction.RELEASE, CaseAction.PUT_BACK, CaseAction.TELL,
})  # fmt: skip


def reason(event: CaseEvent) -> tuple[Why, str] | None:
    """Return the reason that a line of history gives, and what follows it; None for words of a person."""
    detail = event.detail.reveal()
    if event.action not in _MACHINE or event.who == "person":
        return None
    if (found := _MARKED.fullmatch(detail)) and found[1] in set(Why):
        return Why(found[1]), found[2]
    if detail in _ONCE:
        return _ONCE[detail], ""
    climbed = _RUNG.fullmatch(detail) if event.action is CaseAction.ESCALATE else None
    return (Why.RUNG, climbed[1]) if climbed else None
