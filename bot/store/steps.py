"""What an action changes on a case: who has it, where it stands, which clocks run; and who may do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.cases import FOLLOWED, REACHED_AFTER, CaseAction, CaseKind, CaseState, IllegalTransition, Outcome, after
from bot.ports import NotOwner
from bot.store.attending import Attending
from bot.store.documents import aware
from bot.store.ladder import Ladder
from bot.store.reopening import reopened

Doc = dict[str, Any]
OWNERS_ONLY = frozenset({
    CaseAction.REPLY, CaseAction.RELEASE, CaseAction.REFER, CaseAction.HAND_BACK, CaseAction.TRANSFER,
    CaseAction.ASK_CONSENT, CaseAction.CONTACT,
})  # fmt: skip
#: What is done to somebody else's case: by a supervisor, or by the clock.
FROM_OUTSIDE = frozenset({CaseAction.PUT_BACK, CaseAction.TAKE_OVER, CaseAction.REMIND})
ENDING = frozenset({CaseAction.HAND_BACK, CaseAction.CLOSE})
#: Actions after which nobody has a case that somebody had.
BACK = frozenset({CaseAction.RELEASE, CaseAction.PUT_BACK})
#: Actions that page somebody.
PAGING = (
    frozenset({CaseAction.ESCALATE, CaseAction.PAGE, CaseAction.REMIND, CaseAction.TRANSFER, CaseAction.REOPEN}) | BACK
)


@dataclass(frozen=True, slots=True)
class Wish:
    """One action. owner: whose case it is believed to be; new_owner: to whom it goes; due: when the clock rang."""

    action: CaseAction
    who: str
    now: datetime
    owner: str | None = None
    new_owner: str | None = None
    due: datetime | None = None
    labels: Sequence[str] = ()
    district: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """*ladder*: the clock of a case that nobody has; *attending*: that of one that somebody has."""

    ladder: Ladder
    attending: Attending

    def fields(self, row: Doc, wish: Wish) -> Doc:
        """Return what changes. Raise `IllegalTransition`, `NotOwner`."""
        state = after(CaseState(row["state"]), wish.action)
        _allow(row, wish)
        fields: Doc = {"state": state.value, "updated_at": wish.now}
        fields |= self._changed(row, wish) | _view(row, wish)
        return fields | self.attending.after(row, wish.action, wish.who)

    def _changed(self, row: Doc, wish: Wish) -> Doc:
        action, now = wish.action, wish.now
        if action is CaseAction.CLAIM:
            before = {"held_before": row.get("held", False)}
            return {**_taken(wish.who, now), **before, "held": True, "escalate_at": None, "unread": 0}
        if action is CaseAction.TAKE_OVER:
            return _taken(wish.who, now)
        if action is CaseAction.TRANSFER:
            return {"owner": wish.new_owner}
        if action in BACK:
            return {"owner": None, "held": held_alone(row), "waiting_since": now, **self.ladder.foot()}
        if action is CaseAction.ESCALATE:
            return self.ladder.above(row)
        if action is CaseAction.PAGE:
            return {"pages": row.get("pages", 0) + 1, **self.ladder.again(row)}
        if action in {CaseAction.REPLY, CaseAction.CONTACT}:
            return {"unread": 0}
        if action in {CaseAction.HOLD, CaseAction.LIFT}:
            kept = {"kept_at": now, "kept_by": wish.who} if action is CaseAction.HOLD else {"kept_at": None}
            return {**kept, "ends_at": None, "ends_for": None}
        if action in ENDING:
            return {**_ended(row, now), "outcome": wish.outcome.value if wish.outcome else ""}
        return {**reopened(row, self.ladder, now), "unasked": True} if action is CaseAction.REOPEN else {}


def _allow(row: Doc, wish: Wish) -> None:
    action, owner = wish.action, row.get("owner")
    if action in OWNERS_ONLY and owner != (wish.owner or wish.who):
        raise NotOwner(str(row["_id"]))
    if action is CaseAction.CLOSE and owner not in {None, wish.owner or wish.who}:
        raise NotOwner(str(row["_id"]))
    if action in FROM_OUTSIDE and (owner is None or owner != wish.owner):
        raise NotOwner(str(row["_id"]))
    if action is CaseAction.TAKE_OVER and owner == wish.who:
        raise IllegalTransition(action, CaseState(row["state"]))
    if action is CaseAction.HOLD and (row.get("kept_at") or not row["conversation"]):
        raise IllegalTransition(action, CaseState(row["state"]))
    if action is CaseAction.LIFT and not row.get("kept_at"):
        raise IllegalTransition(action, CaseState(row["state"]))
    if wish.due and (not row.get("duty_at") or aware(row["duty_at"]) != wish.due):
        raise IllegalTransition(action, CaseState(row["state"]))  # the owner was quicker than the clock


def _taken(who: str, now: datetime) -> Doc:
    return {"owner": who, "acknowledged_at": now}


def held_alone(row: Doc) -> bool:
    """Say whether the bot stays silent on other matters while nobody has it: as before, and always in danger."""
    return bool(row.get("held_before", True)) or CaseKind(row["kind"]) in FOLLOWED


def _ended(row: Doc, now: datetime) -> Doc:
    followed = CaseKind(row["kind"]) in FOLLOWED and not row.get("silent") and not row.get("erase_requested")
    due = now + REACHED_AFTER if followed and not row.get("followed") else None
    return {"open": False, "held": False, "escalate_at": None, "closed_at": now, "follow_at": due}


def _view(row: Doc, wish: Wish) -> Doc:
    """Return what changes in who may see the case."""
    had = set(row.get("labels", ()))
    if wish.action is CaseAction.SHARE:
        return {"labels": sorted(had | set(wish.labels)), "district": wish.district}
    return {"labels": sorted(had - set(wish.labels))} if wish.action is CaseAction.UNSHARE else {}
