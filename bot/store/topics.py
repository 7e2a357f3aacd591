"""Topics of cases in the responders' group: what stands there is told from what was said and done, never by hand.

Nothing is queued: an entry is due as long as its inbox, outbox or history row has no row in `topic_posts`. So a crash
loses nothing, and may repeat an entry in the topic at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.messages import Carrier
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.topics import Ask, Entry, EntryKind, Followed, GroupState, Page, Topic, TopicState
from bot.ports import Alert
from bot.store.documents import aware
from bot.store.leased import FREE, NEVER, lease
from bot.store.mongo import reachable
from bot.store.sealed import Sealer, Unreadable
from bot.store.slips import hidden
from bot.store.together import own

Doc = dict[str, Any]
LEASE_MS = 30_000
GROUP = "group"
#: Keys of what was written in a topic begin so.
HERE = "group:"
PERSON = "person"
#: Buttons of older pages are left as they are.
PAGES_KEPT = timedelta(days=7)
#: What the history says and the conversation shows already, or what the page said.
NOT_TOLD = ["reply", "open", "page"]


class MongoTopics:
    """`bot.ports.Topics` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, patience: float = 0.4) -> None:
        """*patience*: seconds for `paged`, which must not hold up a page."""
        self._db = db
        self._topics = db["topics"]
        self._posts = db["topic_posts"]
        self._pages = db["group_pages"]
        self._asks = db["topic_asks"]
        self._state = db["group_state"]
        self._sealer = sealer
        self._patience = patience

    # --- the group

    async def hold(self, owner: str) -> bool:
        """Take or keep the right, timed by the server's clock."""
        mine = {"$eq": ["$lease.owner", owner]}
        taken = {"$set": {"lease": {"$cond": [{"$or": [FREE, mine]}, lease(owner, LEASE_MS), "$lease"]}}}
        try:
            row = await self._state.find_one_and_update(
                {"_id": "lease"}, [taken], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            return False
        return row is not None and row["lease"]["owner"] == owner

    async def group(self, configured: str) -> GroupState:
        """Return what is known of the configured group; what was known of another one does not count."""
        row = await self._state.find_one({"_id": GROUP, "configured": configured}) or {}
        since = aware(row["since"]) if row.get("since") else None
        return GroupState(row.get("chat", configured), row.get("broken", ""), since)

    async def moved(self, configured: str, chat: str) -> None:
        """Remember the new id, for the pages and topics of every process; what was wrong may be over."""
        fields = {"configured": configured, "chat": chat, "broken": "", "since": None}
        await self._state.update_one({"_id": GROUP}, {"$set": fields}, upsert=True)

    async def broken(self, configured: str, reason: str, now: datetime) -> datetime:
        """Keep the first time at which this was found."""
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        known = await self.group(configured)
        if known.broken == reason and known.since:
            return known.since
        fields = {"configured": configured, "chat": known.chat, "broken": reason, "since": now}
        await self._state.update_one({"_id": GROUP}, {"$set": fields}, upsert=True)
        return now

    async def well(self) -> None:
        """Forget what was wrong."""
        await self._state.update_one({"_id": GROUP}, {"$set": {"broken": "", "since": None}})

    # --- topics

    async def followed(self, logins: frozenset[str]) -> Sequence[Followed]:
        """Return the open cases of these owners, canaries aside, each with a stamp of case and conversation."""
        query = {"open": True, "owner": {"$in": sorted(logins)}, "canary": {"$ne": True}}
        rows = await self._db["cases"].find(query).sort("opened_at", 1).to_list()
        names = [name for row in rows for name in (row["conversation"], *row.get("also", ()))]
        versions = {
            row["_id"]: row.get("version", 0)
            async for row in self._db["conversations"].find({"_id": {"$in": names}}, {"version": 1})
        }
        return [
            Followed(
                row["_id"], row["conversation"], row["owner"], row["kind"],
                ":".join(str(version) for version in _versions(row, versions)), tuple(row.get("also", ())),
            )
            for row in rows
        ]  # fmt: skip

    async def ended(self, case_ids: Sequence[str]) -> Sequence[str]:
        """Return those that were erased."""
        here = self._db["cases"].find({"_id": {"$in": list(case_ids)}, "conversation": {"$ne": ""}}, {"_id": 1})
        known = {row["_id"] async for row in here}
        return [name for name in case_ids if name not in known]

    async def all(self) -> Sequence[Topic]:
        """Return every topic."""
        return [_topic(row) async for row in self._topics.find({})]

    async def of_thread(self, chat: str, thread: int) -> Topic | None:
        """Return the topic with this number."""
        stands = {"$ne": TopicState.MAKING.value}  # one that is being made has no number: 0 is the general topic
        row = await self._topics.find_one({"chat": chat, "thread": thread, "state": stands})
        return _topic(row) if row else None

    async def save(self, topic: Topic) -> None:
        """Insert or replace."""
        fields = {
            "chat": topic.chat, "thread": topic.thread, "state": topic.state.value, "seen": topic.seen,
            "delete_at": topic.delete_at, "twin": topic.twin,
        }  # fmt: skip
        await self._topics.update_one({"_id": topic.case_id}, {"$set": fields}, upsert=True)

    async def forget(self, topic: Topic) -> None:
        """Drop the posts first: after a crash between the two the topic is deleted once more, which is harmless."""
        await self._posts.delete_many({"case": topic.case_id})
        await self._topics.delete_one({"_id": topic.case_id})

    # --- what stands in them

    async def untold(self, case_id: str, conversations: Sequence[str]) -> Sequence[Entry]:
        """Return what has no row in `topic_posts`, oldest first; erased words are left out."""
        told = {row["entry"] async for row in self._posts.find({"case": case_id}, {"entry": 1})}
        here = {
            (row["who"], aware(row["at"]))
            async for row in self._db["case_events"].find({"case": case_id, "key": {"$gt": HERE, "$lt": "group;"}})
        }
        found: list[Entry | None] = []
        for number, name in enumerate(conversations, 1):
            said = await self._conversation(name, told, here)
            found += [replace(entry, person=number if len(conversations) > 1 else 0) for entry in said]
        query = {"case": case_id, "_id": {"$nin": sorted(told)}, "action": {"$nin": NOT_TOLD}}
        found += [await self._event(row) async for row in self._db["case_events"].find(query)]
        return sorted(
            (entry for entry in found if entry), key=lambda entry: (entry.at, entry.who != "person", entry.id)
        )

    async def _conversation(self, name: str, told: set[str], here: set[tuple[str, datetime]]) -> list[Entry]:
        """Return what was said in one conversation and is not told."""
        found = [await self._heard(row) async for row in self._new("inbox", name, told, state="answered")]
        found += [await self._said(row, here) async for row in self._new("outbox", name, told)]
        lost = {"conversation": name, "state": "failed", "author": "responder"}
        found += [
            Entry(f"lost:{row['_id']}", aware(row["created_at"]), "", EntryKind.LOST)
            async for row in self._db["outbox"].find(lost, {"created_at": 1})
            if f"lost:{row['_id']}" not in told
        ]
        return [entry for entry in found if entry]

    def _new(self, name: str, conversation_id: str, told: set[str], **more: str) -> Any:  # noqa: ANN401 - the driver's
        return self._db[name].find({"conversation": conversation_id, "_id": {"$nin": sorted(told)}, **more})

    async def _heard(self, row: Doc) -> Entry | None:
        try:
            doc = await self._sealer.open(f"inbox:{row['_id']}", row.get("sealed"))
        except Unreadable:
            return None
        words = await hidden(self._db, self._sealer, doc["text"]) or doc.get("point", "") or doc["choice"] or ""
        return Entry(
            row["_id"], aware(row["received_at"]), "person", EntryKind.SAID, Private(words), str(doc["carrier"])
        )

    async def _said(self, row: Doc, here: set[tuple[str, datetime]]) -> Entry | None:
        try:
            doc = await self._sealer.open(f"outbox:{row['_id']}", own(row))
        except Unreadable:
            return None
        at = aware(row["created_at"])
        already = (doc["author"], at) in here
        words = Private(await hidden(self._db, self._sealer, doc["text"]))
        return Entry(row["_id"], at, doc["author"], EntryKind.SAID, words, Carrier.TEXT.value, here=already)

    async def _event(self, row: Doc) -> Entry:
        detail = NOTHING_SAID
        if "sealed" in row:
            try:
                detail = Private((await self._sealer.open(f"case_event:{row['_id']}", row["sealed"]))["detail"])
            except Unreadable:
                detail = NOTHING_SAID
        noted = row["action"] == "note" and str(row.get("key", "")).startswith(HERE)
        return Entry(row["_id"], aware(row["at"]), row["who"], EntryKind.DONE, detail, action=row["action"], here=noted)

    async def told(self, case_id: str, entries: Sequence[Entry], now: datetime, posts: Sequence[int] = ()) -> None:
        """Remember the entries; those that are remembered already stay as they are."""
        where: Doc = {"case": case_id, "at": now, "posts": list(posts)}
        rows = [
            pymongo.UpdateOne(
                {"_id": f"{case_id}:{entry.id}"},
                {"$setOnInsert": {**where, "entry": entry.id, "theirs": entry.who == PERSON}},
                upsert=True,
            )
            for entry in entries
        ]
        if rows:
            await self._posts.bulk_write(rows)

    async def of_post(self, chat: str, message: int) -> Topic | None:
        """Return the topic by what is remembered of our messages in it."""
        async for post in self._posts.find({"posts": message}, {"case": 1}):
            row = await self._topics.find_one({"_id": post["case"], "chat": chat})
            if row:
                return _topic(row)
        return None

    async def all_above(self, case_id: str, conversations: Sequence[str], message: int) -> bool:
        """Look for words that are not told yet, and for those that were told after *message*."""
        if await self._posts.find_one({"case": case_id, "theirs": True, "posts": {"$gt": message}}, {"_id": 1}):
            return False
        told = {row["entry"] async for row in self._posts.find({"case": case_id}, {"entry": 1})}
        query = {"conversation": {"$in": list(conversations)}, "_id": {"$nin": sorted(told)}, "state": "answered"}
        return not await self._db["inbox"].find_one(query, {"_id": 1})

    async def last_heard(self, conversation_id: str) -> datetime | None:
        """Return when the person wrote last."""
        row = await self._db["inbox"].find_one(
            {"conversation": conversation_id}, {"received_at": 1}, sort=[("received_at", -1)]
        )
        return aware(row["received_at"]) if row else None

    # --- pages and questions

    async def paged(self, alert: Alert, chat: str, message: int, now: datetime) -> None:
        """Remember where a page with buttons stands."""
        row: Doc = {"case": alert.case_id, "chat": chat, "message": message, "kind": alert.kind}
        row |= {"shown": False, "expires_at": now + PAGES_KEPT}
        async with reachable():
            with pymongo.timeout(self._patience):
                await self._pages.update_one({"_id": alert.id}, {"$set": row}, upsert=True)

    async def stale_pages(self) -> Sequence[Page]:
        """Return pages with buttons whose case somebody has taken since, or that is closed, or gone."""
        rows = await self._pages.find({"shown": False}).sort("_id", 1).to_list()
        names = sorted({row["case"] for row in rows})
        cases = {row["_id"]: row async for row in self._db["cases"].find({"_id": {"$in": names}})}
        query = {"_id": {"$in": [row["_id"] for row in rows]}}
        since = {
            row["_id"]: aware(row["created_at"]) async for row in self._db["alerts"].find(query, {"created_at": 1})
        }
        pages = [_page(row, cases.get(row["case"], {}), since.get(row["_id"], NEVER)) for row in rows]
        return [page for page in pages if page.owner or page.closed]

    async def settled(self, page: Page) -> None:
        """Remember that a page shows how things are."""
        await self._pages.update_one({"_id": page.id}, {"$set": {"shown": True}})

    async def ask(self, ask: Ask, until: datetime) -> None:
        """Keep words, sealed under the person's key, until their writer says yes."""
        sealed = await self._sealer.seal(ask.conversation_id, f"topic_ask:{ask.id}", {"text": ask.text.reveal()})
        row = {"case": ask.case_id, "conversation": ask.conversation_id, "who": ask.who, "key": ask.key}
        fields = {**row, "sealed": sealed, "expires_at": until}
        await self._asks.update_one({"_id": ask.id}, {"$setOnInsert": fields}, upsert=True)

    async def asked(self, ask_id: str, now: datetime) -> Ask | None:
        """Return them while they may still be sent."""
        row = await self._asks.find_one({"_id": ask_id, "expires_at": {"$gt": now}})
        try:
            text = (await self._sealer.open(f"topic_ask:{ask_id}", row["sealed"]))["text"] if row else ""
        except Unreadable:
            return None
        return Ask(ask_id, row["case"], row["conversation"], row["who"], row["key"], Private(text)) if row else None

    async def answered(self, ask_id: str) -> None:
        """Drop them."""
        await self._asks.delete_one({"_id": ask_id})


def _versions(case: Doc, conversations: dict[str, int]) -> list[int]:
    """Return what changes when anything is said or done in a case or by anybody in it."""
    people = (case["conversation"], *case.get("also", ()))
    return [case.get("version", 0), *(conversations.get(name, 0) for name in people)]


def _topic(row: Doc) -> Topic:
    until, state = aware(row["delete_at"]) if row.get("delete_at") else None, TopicState(row["state"])
    return Topic(row["_id"], row["chat"], row["thread"], state, row["seen"], until, row.get("twin", False))


def _page(row: Doc, case: Doc, since: datetime) -> Page:
    """Read a page. Whoever had the case before *since*, when it was paged, is asked to look at it again."""
    owner = case.get("owner") or ""
    if owner and case.get("acknowledged_at") and aware(case["acknowledged_at"]) <= since:
        owner = ""
    return Page(row["_id"], row["case"], row["chat"], row["message"], row["kind"], owner, not case.get("open"))
