"""The owner's clock in the database: started where something is owed, stopped where it was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from bot.domain.attending import READ_IS_ENOUGH, Duty, Patience
from bot.domain.cases import Case, CaseAction, CaseKind, CaseState
from bot.store.clock import SteadyClock

Doc = dict[str, Any]
STOPPED: Doc = {"duty": None, "duty_step": 0, "duty_at": None}
#: After these nobody has the case any more.
FREED = frozenset({
    CaseAction.RELEASE, CaseAction.PUT_BACK, CaseAction.HAND_BACK, CaseAction.CLOSE, CaseAction.MERGE,
})  # fmt: skip
#: After these nothing of what the person wrote is unread.
ANSWERED = frozenset({CaseAction.CLAIM, CaseAction.REPLY, CaseAction.CONTACT})
OWNED: Doc = {"open": True, "owner": {"$ne": None}, "canary": {"$ne": True}}
#: What must be as it was when a clock is started: whoever changed one of these has changed what is owed.
SAME = ("owner", "state", "duty", "unread", "raised")


@dataclass(frozen=True, slots=True)
class Attending:
    """*clock*: the steady time of the ladder (see `bot.store.clock`), which sets `duty_at`.

    `seen_unread` and `seen_raised` are what the owner has read: how many messages, and how often danger was told.
    """

    patience: Patience
    clock: SteadyClock

    def begun(self, duty: Duty) -> Doc:
        """Return the fields of a duty that begins now."""
        ring = self.clock() + timedelta(seconds=self.patience.first[duty])
        return {"duty": duty.value, "duty_step": 0, "duty_at": ring}

    def after(self, row: Doc, action: CaseAction, who: str) -> Doc:
        """Return what an action does to the clock: the owner's own stops it, another's leaves it alone."""
        if action in FREED:
            return STOPPED
        if action is CaseAction.TRANSFER:
            return {**_seen(row), "seen_unread": 0, **self.begun(Duty.GIVEN)}
        if action is CaseAction.REMIND:
            ring = self.clock() + timedelta(seconds=self.patience.step)
            once = row["state"] == CaseState.REFERRED  # it never goes back by itself
            return {"duty_step": row.get("duty_step", 0) + 1, "duty_at": None if once else ring}
        if action in {CaseAction.CLAIM, CaseAction.TAKE_OVER} or who == row.get("owner"):
            return {**STOPPED, **_seen(row), **({"seen_unread": 0} if action in ANSWERED else {})}
        return {}

    async def start(self, cases: AsyncCollection[Doc]) -> None:
        """Start the clock of each case in which something is owed; every process may."""
        async for row in cases.find(OWNED):
            if fields := self._starting(row):
                same = {name: row.get(name) for name in SAME}
                await cases.update_one({"_id": row["_id"], **same}, {"$set": fields})

    def _starting(self, row: Doc) -> Doc:
        running, wanted = row.get("duty"), owed(row)
        if "seen_raised" not in row:  # claimed before there was such a clock
            return {"seen_raised": row.get("raised", 0)}
        if wanted is Duty.DANGER and running != Duty.DANGER:
            return self.begun(wanted)
        if running in {Duty.FIRST, Duty.SAID} and wanted is None:
            return STOPPED
        return self.begun(wanted) if wanted and not running else {}

    async def read(self, cases: AsyncCollection[Doc], case_id: str, who: str, as_of: Case | None = None) -> None:
        """Note that the owner has opened their case; for anybody else nothing changes, nor where more was said since.

        *as_of*: the case as they have read it.
        """
        said = {"unread": as_of.unread, "raised": as_of.raised} if as_of else {}
        row = await cases.find_one({"_id": case_id, "open": True, "owner": who, **said})
        if not row:
            return
        fields = _seen(row) | (STOPPED if row.get("duty") in READ_IS_ENOUGH else {})
        if any(row.get(name) != value for name, value in fields.items()):
            same = {name: row.get(name) for name in SAME}
            await cases.update_one({"_id": case_id, **same}, {"$set": fields})


def _seen(row: Doc) -> Doc:
    return {"seen_unread": row.get("unread", 0), "seen_raised": row.get("raised", 0)}


def owed(row: Doc) -> Duty | None:
    """Return what the owner of a case owes now.

    A first answer is owed to whoever waits for one: not to a watched phone, nor for a report about a recruiter.
    """
    if row.get("raised", 0) > row.get("seen_raised", 0):
        return Duty.DANGER
    if row["state"] not in {CaseState.ACKNOWLEDGED, CaseState.ACTIVE}:
        return None
    hushed = row.get("silent") or row.get("stranger")
    if row["state"] == CaseState.ACKNOWLEDGED and not hushed and row["kind"] != CaseKind.REPORT:
        return Duty.FIRST
    return Duty.SAID if row.get("unread", 0) > row.get("seen_unread", 0) else None
