"""Urgent notes: what was written, who asked for notes about which place, and to whom each went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.conversation import Conversation
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.notices import LASTS, Left, NotConfirmable, Notice, NoticeState, Reach, Where, WhereKind, note_tag
from bot.ports import NoteDue
from bot.store.conversations import MongoConversations
from bot.store.documents import aware
from bot.store.drafts import Drafts
from bot.store.held import HELD, heard
from bot.store.mongo import in_transaction

Doc = dict[str, Any]
AT_ONCE = 200
#: The state of a note whose two days were over before its person could be told.
LATE = "late"


class MongoNotices:
    """`bot.ports.Notices` on MongoDB."""

    def __init__(
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        conversations: MongoConversations,
        channels: frozenset[str],
    ) -> None:
        """Notes are sent over *channels* only: another process may serve the rest."""
        self._client = client
        self._db = db
        self._drafts = Drafts(db["notices"])
        self._conversations = conversations
        self._channels = sorted(channels)

    async def write(self, where: Where, texts: Mapping[str, str], who: str, now: datetime) -> Notice:
        """Keep a draft under the next number."""
        fields = {"kind": where.kind.value, "name": where.name, "in_state": where.state, "texts": dict(texts)}
        return _notice(await self._drafts.write(fields, who, now))

    async def get(self, number: int) -> Notice | None:
        """Return one."""
        row = await self._db["notices"].find_one({"_id": number})
        return _notice(row) if row else None

    async def latest(self, limit: int = 50) -> Sequence[Notice]:
        """Return the newest."""
        return [_notice(row) for row in await self._drafts.latest(limit)]

    async def confirm(self, number: int, who: str, now: datetime) -> Notice:
        """Let it be sent: by somebody else than its writer, once. Raise `NotConfirmable`."""
        return _notice(await self._drafts.confirm(number, who, now))

    async def again(self, number: int, who: str, now: datetime) -> None:
        """See the port. What was given up before it left counts as not reached; what may have arrived does not."""
        mine = {"_id": number, "state": NoticeState.CONFIRMED.value, "made_by": {"$ne": who}}
        fields = {"again_at": now}

        async def body(session: AsyncClientSession) -> None:
            done = await self._db["notices"].update_one(mine, {"$set": fields}, session=session)
            if not done.matched_count:
                raise NotConfirmable(str(number))
            await self._again(number, now, session)

        await in_transaction(self._client, body)

    async def _again(self, number: int, now: datetime, session: AsyncClientSession) -> None:
        unsent = {"lesson": _lesson(number), "state": {"$in": ["failed", "dropped"]}, "doubts": None}
        people = await self._db["outbox"].distinct("conversation", unsent, session=session)
        await self._db["outbox"].update_many(unsent, {"$unset": {"lesson": ""}}, session=session)
        given_up = [f"{number}:{name}" for name in people]
        unreached = {"notice": number, "$or": [{"state": LATE}, {"_id": {"$in": given_up}, "state": "sent"}]}
        again = {"$set": {"state": "waiting", "not_before": now}}
        await self._db["note_sends"].update_many(unreached, again, session=session)

    async def left(self) -> Mapping[int, Left]:
        """See the port."""
        states = {"$match": {"state": {"$in": ["waiting", LATE]}}}
        group = {"$group": {"_id": {"notice": "$notice", "state": "$state"}, "n": {"$sum": 1}}}
        found: dict[int, Left] = {}
        async for row in await self._db["note_sends"].aggregate([states, group]):
            number, name = row["_id"]["notice"], row["_id"]["state"]
            found[number] = replace(found.get(number, Left()), **{name: row["n"]})
        return found

    async def cancel(self, number: int) -> None:
        """Send it to nobody more: who is listed is not, and what is queued and has not left never leaves."""
        await self._drafts.cancel(number)
        await self._db["note_sends"].delete_many({"notice": number, "state": "waiting"})
        queued = {"lesson": _lesson(number), "state": {"$in": ["waiting", HELD]}}
        fields: Doc = {"state": "dropped", "open": False, "error": "the note was cancelled"}
        await self._db["outbox"].update_many(queued, [{"$set": {**fields, "updated_at": "$$NOW"}}])

    async def reach(self, notice: Notice, fresh_since: datetime) -> Reach:
        """Count whom it would reach now; on WhatsApp only those who wrote since *fresh_since* hear of it at once."""
        now: dict[str, int] = {}
        later: dict[str, int] = {}
        other = 0
        async for wish in self._db["note_wishes"].find(_asked_about(notice.where)):
            if wish["locale"] not in notice.texts:
                other += 1
                continue
            found = later if await self._is_late(wish, fresh_since) else now
            found[wish["channel"]] = found.get(wish["channel"], 0) + 1
        return Reach(now, later, other)

    async def _is_late(self, wish: Doc, fresh_since: datetime) -> bool:
        if wish["channel"] != ChannelName.WHATSAPP.value:
            return False
        fresh = {"_id": wish["_id"], "updated_at": {"$gt": fresh_since}}
        return await self._db["conversations"].find_one(fresh, {"_id": 1}) is None

    async def due(self, now: datetime) -> Sequence[NoteDue]:
        """Return to whom which confirmed note is to go now."""
        await self._list(now)
        query = {"state": "waiting", "not_before": {"$lte": now}, "channel": {"$in": self._channels}}
        rows = await self._db["note_sends"].find(query).sort("not_before", 1).limit(AT_ONCE).to_list()
        found = [await self._due(row, now) for row in rows]
        return [item for item in found if item]

    async def _list(self, now: datetime) -> None:
        """Make a row for everybody whom a confirmed note is for; whoever does it twice changes nothing."""
        for row in await self._drafts.unlisted():
            notice = _notice(row)
            sends = [
                {"_id": f"{notice.number}:{wish['_id']}", "notice": notice.number, "conversation": wish["_id"],
                 "channel": wish["channel"], "state": "waiting", "not_before": now}
                async for wish in self._db["note_wishes"].find(_asked_about(notice.where))
            ]  # fmt: skip
            await self._drafts.listed(notice.number, self._db["note_sends"], sends)

    async def _due(self, row: Doc, now: datetime) -> NoteDue | None:
        notice = await self.get(row["notice"])
        since = notice.sent_since if notice and notice.state is NoticeState.CONFIRMED else None
        wished = await self._db["note_wishes"].find_one({"_id": row["conversation"]}, {"_id": 1})
        if not since or not wished or now - since > LASTS:
            state = LATE if since and wished else "dropped"
            mine = {"_id": row["_id"], "state": "waiting", "not_before": row["not_before"]}
            await self._db["note_sends"].update_one(mine, {"$set": {"state": state}})
            return None
        conversation = await self._conversations.load(row["conversation"], ChannelName(row["channel"]))
        kept = await self._db["conversations"].find_one({"_id": row["conversation"]}, {"heard_at": 1})
        return NoteDue(notice, conversation, heard(kept)) if notice else None

    async def send(
        self, item: NoteDue, after: Conversation, messages: Sequence[OutboundMessage], now: datetime
    ) -> bool:
        """Queue the note; False if something changed meanwhile."""
        sealed = await self._conversations.sealed(after)

        async def body(session: AsyncClientSession) -> bool:
            send = {"_id": f"{item.notice.number}:{after.id}", "state": "waiting"}
            taken = await self._db["note_sends"].update_one(send, {"$set": {"state": "sent"}}, session=session)
            if not taken.matched_count or not await self._stands(item.notice.number, session):
                await session.abort_transaction()
                return False
            tag = note_tag(item.notice.number, after.locale)
            return await self._conversations.speak(after, sealed, messages, tag, now, session)

        return await in_transaction(self._client, body)

    async def _stands(self, number: int, session: AsyncClientSession) -> bool:
        """Say whether it is confirmed still, and touch it: who cancels it meanwhile comes before this, or after."""
        mine = {"_id": number, "state": NoticeState.CONFIRMED.value}
        done = await self._db["notices"].update_one(mine, {"$inc": {"sends": 1}}, session=session)
        return done.matched_count == 1

    async def put_off(self, item: NoteDue, seconds: float, now: datetime) -> None:
        """Look again later."""
        row = {"_id": f"{item.notice.number}:{item.conversation.id}", "state": "waiting"}
        await self._db["note_sends"].update_one(row, {"$set": {"not_before": now + timedelta(seconds=seconds)}})

    async def drop(self, item: NoteDue) -> None:
        """Do not send it to this person."""
        row = {"_id": f"{item.notice.number}:{item.conversation.id}", "state": "waiting"}
        await self._db["note_sends"].update_one(row, {"$set": {"state": "dropped"}})


def _lesson(number: int) -> Doc:
    return {"$regex": f"^{note_tag(number, '')}"}


def _asked_about(where: Where) -> Doc:
    field = {WhereKind.PLACE: "places", WhereKind.DISTRICT: "districts", WhereKind.STATE: "states"}[where.kind]
    return {field: f"{where.state}:{where.name}" if where.kind is WhereKind.DISTRICT else where.name}


def _notice(row: Doc) -> Notice:
    return Notice(
        row["_id"],
        Where(WhereKind(row["kind"]), row["name"], row["in_state"]),
        row["texts"],
        row["made_by"],
        aware(row["made_at"]),
        NoticeState(row["state"]),
        row.get("confirmed_by", ""),
        aware(row["confirmed_at"]) if row.get("confirmed_at") else None,
        aware(row["again_at"]) if row.get("again_at") else None,
    )
