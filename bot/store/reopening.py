"""A closed case that goes on: it waits for somebody again, with its history; its person is asked again at its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import FOLLOWED, CaseAction, CaseKind, CaseState, IllegalTransition, after
from bot.domain.private import Private
from bot.store.attending import STOPPED
from bot.store.documents import open_case_of
from bot.store.history import Writer
from bot.store.ladder import Ladder

Doc = dict[str, Any]


def reopened(row: Doc, ladder: Ladder, now: datetime) -> Doc:
    """Return the fields of a case that is opened again: nobody has it, and it waits from now."""
    return {
        "state": after(CaseState(row["state"]), CaseAction.REOPEN).value,
        "open": True,
        "held": CaseKind(row["kind"]) in FOLLOWED,
        "owner": None,
        "acknowledged_at": None,
        "waiting_since": now,
        "alerted_at": now,
        "updated_at": now,
        "closed_at": None,
        "outcome": "",
        "follow_at": None,
        "followed": None,
        "told_reached": False,
        **STOPPED,
        **ladder.foot(),
    }


async def refuse_second(db: AsyncDatabase[Doc], row: Doc, now: datetime, session: AsyncClientSession) -> None:
    """Raise `IllegalTransition` where the person is erased, has another open case, or the case goes on in another.

    The conversation is touched: of this and a turn that opens a case at the same moment, one waits for the other.
    """
    touched = {"$set": {"case_looked_for": now}}
    await db["conversations"].update_one({"_id": row["conversation"]}, touched, session=session)
    other = row["conversation"] and await db["cases"].find_one(
        open_case_of(row["conversation"]), {"_id": 1}, session=session
    )
    if not row["conversation"] or other or row.get("merged_into"):
        raise IllegalTransition(CaseAction.REOPEN, CaseState(row["state"]))


async def still_along(db: AsyncDatabase[Doc], row: Doc, now: datetime, session: AsyncClientSession) -> list[str]:
    """Return which other people the case goes on with: none who has an open case again by now."""
    found: list[str] = []
    for name in row.get("also", ()):
        await db["conversations"].update_one({"_id": name}, {"$set": {"case_looked_for": now}}, session=session)
        if not await db["cases"].find_one(open_case_of(name), {"_id": 1}, session=session):
            found.append(name)
    return found


async def reopen(
    db: AsyncDatabase[Doc], writer: Writer, ladder: Ladder, case_id: str, why: str, now: datetime,
    session: AsyncClientSession,
) -> None:  # fmt: skip
    """Open a case again because its person says that nobody reached them, and page.

    One that was closed as part of another goes on by itself; that other one is over. An erased case stays closed.
    """
    row = await db["cases"].find_one({"_id": case_id, "open": False}, session=session)
    if not row or not row["conversation"]:
        return
    fields = {**reopened(row, ladder, now), "merged_into": "", "also": await still_along(db, row, now, session)}
    if into := row.get("merged_into"):
        apart = {"$pull": {"also": row["conversation"]}}
        await db["cases"].update_one({"_id": into}, apart, session=session)
    await db["cases"].update_one({"_id": case_id}, {"$set": fields, "$inc": {"version": 1}}, session=session)
    event = await writer.event(row, CaseAction.REOPEN, "person", now, session, detail=Private(why))
    await writer.duties({**row, **fields}, now, session)
    await writer.alert({**row, **fields}, event.number, now, session)
