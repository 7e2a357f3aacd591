"""Tasks: one row each; its words are sealed under the person's key, its changes stand in the case's chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import CaseAction, CaseState, after
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.tasks import Task, TaskRule, finished
from bot.ports import NotOwner
from bot.store.documents import aware
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
MOST_OPEN = 2000


class MongoTasks:
    """`bot.ports.TaskStore` on MongoDB."""

    def __init__(self, client: AsyncMongoClient[Doc], db: AsyncDatabase[Doc], sealer: Sealer, writer: Writer) -> None:
        """*writer* appends to the case's history in the same transaction."""
        self._client = client
        self._db = db
        self._tasks = db["tasks"]
        self._sealer = sealer
        self._writer = writer

    async def of(self, case_id: str) -> Sequence[Task]:
        """Return the tasks of a case: open ones first, by due time."""
        rows = await self._tasks.find({"case": case_id}).to_list()
        found = [await self._task(row) for row in rows]
        return sorted(found, key=lambda task: (not task.open, task.due is None, task.due or task.made_at, task.id))

    async def open_ones(self) -> Sequence[Task]:
        """Return every open task, without its words, soonest first."""
        rows = self._tasks.find({"open": True}, {"sealed": 0}).sort("due", 1).limit(MOST_OPEN)
        return [_plain(row) async for row in rows]

    async def add(self, task: Task, now: datetime) -> None:
        """Store a task with its line of history; the same id again changes nothing. Raise `LookupError`."""

        async def body(session: AsyncClientSession) -> None:
            if await self._tasks.find_one({"_id": task.id}, {"_id": 1}, session=session):
                return
            case = await self._case(task.case_id, CaseAction.TASK, now, session)
            await self._writer.task(task, case, now, session)

        await in_transaction(self._client, body)

    async def finish(self, task_id: str, who: str, outcome: str, now: datetime, *, for_others: bool = False) -> Task:
        """Finish a task with its outcome. Raise `NotFinished`, `NotOwner`, `LookupError`, `IllegalTransition`.

        *for_others*: also in a case that somebody else has.
        """

        async def body(session: AsyncClientSession) -> Task:
            row = await self._tasks.find_one({"_id": task_id}, session=session)
            if not row:
                raise LookupError(task_id)
            case = await self._case(row["case"], CaseAction.TASK_DONE, now, session, only_open=False)
            if case.get("owner") not in {None, who} and not for_others:
                raise NotOwner(row["case"])
            done = finished(await self._task(row), who, outcome, now)
            sealed = await self._writer.sealed_task(done, case)
            fields = {"open": False, "done_by": who, "done_at": now, "sealed": sealed}
            await self._tasks.update_one({"_id": task_id}, {"$set": fields}, session=session)
            told = f"{done.text.reveal() or done.rule.value}: {done.outcome.reveal()}"
            await self._writer.event(case, CaseAction.TASK_DONE, who, now, session, detail=Private(told))
            return done

        return await in_transaction(self._client, body)

    async def _case(
        self, case_id: str, action: CaseAction, now: datetime, session: AsyncClientSession, *, only_open: bool = True
    ) -> Doc:
        """Return the case's row, touched first: of two who write its history at once, one waits."""
        query: Doc = {"_id": case_id, "open": True} if only_open else {"_id": case_id}
        row: Doc | None = await self._db["cases"].find_one_and_update(
            query, {"$set": {"updated_at": now}, "$inc": {"version": 1}}, session=session
        )
        if not row:
            raise LookupError(case_id)
        after(CaseState(row["state"]), action)
        return row

    async def _task(self, row: Doc) -> Task:
        try:
            doc = await self._sealer.open(f"task:{row['_id']}", row.get("sealed"))
        except Unreadable:
            return _plain(row)
        return _plain(row, Private(doc["text"]), Private(doc["outcome"]))


def _plain(row: Doc, text: Private = NOTHING_SAID, outcome: Private = NOTHING_SAID) -> Task:
    return Task(
        id=row["_id"],
        case_id=row["case"],
        rule=TaskRule(row["rule"]),
        made_by=row["made_by"],
        made_at=aware(row["made_at"]),
        due=aware(row["due"]) if row["due"] else None,
        mandatory=row["mandatory"],
        text=text,
        done_by=row["done_by"],
        done_at=aware(row["done_at"]) if row["done_at"] else None,
        outcome=outcome,
    )
