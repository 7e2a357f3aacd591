"""The outbox: committed messages on their way, in order per conversation, distress first."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from bot.domain.messages import LANE_ORDER, RECEIPT_ORDER, WINDOW, Address, ChannelName, Lane, Receipt, ReceiptState
from bot.domain.private import Private
from bot.ports import Due, StoreUnavailable
from bot.store.documents import aware, open_case_of, outbound_in
from bot.store.held import SILENCE, heard, unheard
from bot.store.leased import FREE, NEVER, lease, renew
from bot.store.sealed import Sealer, Unreadable
from bot.store.together import CROWDED, JOINED, Together

Doc = dict[str, Any]
#: Renewed while a message is being sent (`bot.service.deliver`).
LEASE_MS = 5_000
UNKNOWN_SECONDS = 60.0
#: A second time in doubt: a receipt may come late.
UNKNOWN_AGAIN_SECONDS = 600.0
CANDIDATES = 50
#: How many times as many are looked at where whole conversations are blocked.
MOST_PAGES = 20
CAMPAIGN_KEEPS = timedelta(hours=48)
#: How often a message may be sent that the channel took and then gave up.
MOST_REFUSED = 5
#: What is kept of a receipt whose message is not known yet.
PARKED = ("at", "error_code", "again", "closed", "alarm", "gone", "plain")


#: Seconds to wait for a person's key while what was sent is not recorded yet.
KEY_PATIENCE = 3.0
#: Marks a row that was sent and whose channel's id is not kept (yet): such a message cannot be deleted in the chat.
UNSEALED = "unsealed"
log = logging.getLogger(__name__)
#: States that a report may still turn into a failure, and those of what is known to have arrived.
TAKEN: Doc = {"state": {"$in": ["waiting", "sending", "sent", "unknown"]}}
ARRIVED = ("delivered", "read")


class MongoOutbox:
    """`bot.ports.Outbox` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, channels: frozenset[str]) -> None:
        """Only rows for *channels* are leased: another process may serve the rest."""
        self._db = db
        self._rows = db["outbox"]
        self._sealer = sealer
        self._together = Together(db, sealer)
        self._channels = sorted(channels)
        self._unsealed: dict[str, tuple[str, Private]] = {}

    def of(self, *channels: ChannelName) -> MongoOutbox:
        """Return the same outbox for these channels alone: what hangs on one holds up no other."""
        return MongoOutbox(self._db, self._sealer, frozenset(channels))

    async def next_due(self, owner: str, resting: frozenset[ChannelName] = frozenset()) -> Due | None:
        """Lease the next row that has no earlier unsent row of its lane, or a graver one, in its conversation."""
        await self.name_late()
        query = self._due(resting)
        blocked: set[str] = set()
        for _ in range(MOST_PAGES):
            rows = await self._page(query, blocked)
            for row in rows:
                if row["conversation"] in blocked:
                    continue
                if await self._has_earlier(row):
                    blocked.add(row["conversation"])
                elif (leased := await self._lease(row, owner)) and (found := await self._open(leased)):
                    return found
            if len(rows) < CANDIDATES:
                break
        return None

    def _due(self, resting: frozenset[ChannelName]) -> Doc:
        """Return the query for what may be leased now; with the index, what is another channel's costs nothing."""
        due = {"$lte": ["$not_before", "$$NOW"]}
        query: Doc = {"open": True, "channel": {"$in": self._channels}, "$expr": {"$and": [FREE, due]}}
        if resting.issuperset(self._channels):
            query["lane"] = LANE_ORDER[Lane.DISTRESS]
        elif resting:
            query["$or"] = [{"lane": LANE_ORDER[Lane.DISTRESS]}, {"channel": {"$nin": sorted(resting)}}]
        return query

    async def _page(self, query: Doc, blocked: set[str]) -> list[Doc]:
        """Return the first that are due of conversations that are not blocked."""
        others = {**query, "conversation": {"$nin": sorted(blocked)}} if blocked else query
        return await self._rows.find(others).sort([("lane", 1), ("created_at", 1), ("_id", 1)]).to_list(CANDIDATES)

    async def _has_earlier(self, row: Doc) -> bool:
        earlier: Doc = {"conversation": row["conversation"], "open": True, "_id": {"$lt": row["_id"]}}
        earlier["lane"] = {"$lte": row["lane"]}
        return await self._rows.find_one(earlier, {"_id": 1}) is not None

    async def _lease(self, row: Doc, owner: str) -> Doc | None:
        leased: Doc | None = await self._rows.find_one_and_update(
            {"_id": row["_id"], "open": True, "$expr": FREE},
            [{"$set": {"lease": lease(owner, LEASE_MS)}}],
            return_document=ReturnDocument.AFTER,
        )
        return leased

    async def renew(self, due: Due, owner: str) -> bool:
        """Hold its lease as long again from now; False, with nothing changed, if it is another's or over."""
        return await renew(self._rows, {"_id": due.id, "open": True, "lease.owner": owner}, LEASE_MS)

    async def _open(self, row: Doc) -> Due | None:
        fields = {"address": 1, "heard_at": 1, "unreachable": 1, "silent": 1}
        conversation = await self._db["conversations"].find_one({"_id": row["conversation"]}, fields)
        if unwanted := await self._unwanted(row, conversation or {}):
            await self._final(row["_id"], "dropped", {"error": unwanted})
            return None
        row = await self._together.with_followers(row)
        try:
            message = outbound_in(await self._sealer.open(f"outbox:{row['_id']}", row["sealed"]))
            message = replace(message, plain=bool(row.get("plain")))
            address = await self._sealer.open(f"address:{row['conversation']}", (conversation or {}).get("address"))
        except Unreadable:
            await self._final(row["_id"], "failed", {"error": "unreadable"})
            return None
        except StoreUnavailable:
            await self._give_back(row["_id"])
            raise
        to = Address(ChannelName(row["channel"]), Private(address["address"]))
        due = Due(
            row["_id"], row["conversation"], to, message, row["attempts"], row["state"], heard(conversation),
            row.get("doubts", 0), row.get(JOINED, 1),
        )  # fmt: skip
        if (conversation or {}).get("unreachable"):
            await self.failed(due, "the person takes no messages")
            return None
        return due

    async def _unwanted(self, row: Doc, conversation: Doc) -> str:
        """Return why a row must not leave: silence; a lesson or note days late, or to somebody in trouble."""
        if row["author"] == "bot" and conversation.get("silent"):
            return SILENCE
        if row["lane"] != LANE_ORDER[Lane.CAMPAIGN]:
            return ""
        if aware(row["created_at"]) < datetime.now(UTC) - CAMPAIGN_KEEPS:  # noqa: TID251 - the edge's own clock
            return "out of date"
        case = await self._db["cases"].find_one(open_case_of(row["conversation"]), {"_id": 1})
        return "a case is open" if case else ""

    async def sending(self, due: Due) -> bool:
        """Written before the first byte leaves, so that a crash after it is known to be in doubt.

        False when a receipt has settled the row since it was leased, when other words were put into it, or when the
        person has asked for silence: it must not leave then. Silence is looked for after writing, so that whoever asks
        for it meanwhile is heard.
        """
        fields = {"state": "sending", "sending_at": datetime.now(UTC)}  # noqa: TID251 - the edge's own clock
        mine = {"_id": due.id, "open": True, JOINED: due.joined if due.joined > 1 else None}
        done = await self._rows.update_one(mine, {"$set": fields, "$inc": {"attempts": 1}})
        if done.matched_count != 1:
            return False
        silent = {"_id": due.conversation_id, "silent": True}
        if due.message.author == "bot" and await self._db["conversations"].find_one(silent, {"_id": 1}):
            await self._final(due.id, "dropped", {"error": SILENCE})
            return False
        return True

    async def sent(self, due: Due, channel_message_id: Private) -> None:
        """Record the channel's id (as a keyed hash, for receipts; sealed, for deleting it later).

        Where the person's key cannot be had just then it is recorded as sent all the same; the sealed id follows.
        """
        receipt = self._receipt_key(due.address.channel, channel_message_id)
        fields: Doc = {"receipt": receipt}
        try:
            fields["channel_id"] = await self._sealed_id(due.id, due.conversation_id, channel_message_id)
        except (StoreUnavailable, PyMongoError):
            log.warning("sent, and its id cannot be sealed now", extra={"row": due.id})
            self._unsealed[due.id] = (due.conversation_id, channel_message_id)
            fields[UNSEALED] = True
        await self._final(due.id, "sent", fields, among=("sending", "unknown"))
        parked = await self._db["parked_receipts"].find_one_and_delete({"_id": receipt})
        if parked:
            found = Receipt(
                due.address.channel, channel_message_id, ReceiptState(parked["state"]), parked["at"],
                error_code=parked.get("error_code"), again=parked.get("again"), closed=bool(parked.get("closed")),
                gone=bool(parked.get("gone")), plain=bool(parked.get("plain")),
            )  # fmt: skip
            await self._apply(due.id, found)

    async def _sealed_id(self, row_id: str, conversation: str, channel_message_id: Private) -> object:
        with pymongo.timeout(KEY_PATIENCE):
            return await self._sealer.seal(conversation, f"channel_id:{row_id}", {"id": channel_message_id.reveal()})

    async def name_late(self) -> None:
        """Add the ids that could not be sealed as their messages left; for a row erased since, no new key is made."""
        for row_id, (conversation, channel_message_id) in list(self._unsealed.items()):
            mine = {"_id": row_id, UNSEALED: True}
            try:
                if await self._rows.find_one(mine, {"_id": 1}):
                    sealed = await self._sealed_id(row_id, conversation, channel_message_id)
                    change = {"$set": {"channel_id": sealed}, "$unset": {UNSEALED: ""}}
                    await self._rows.update_one(mine, change)
            except (StoreUnavailable, PyMongoError):
                return
            self._unsealed.pop(row_id, None)

    async def retry(self, due: Due, seconds: float, reason: str, *, crowded: bool = False) -> None:
        """Put it back for later; later messages of the conversation wait behind it, or leave with it."""
        if crowded:
            await self._rows.update_one({"_id": due.id, "open": True}, {"$set": {CROWDED: True}})
        await self._later(due, "waiting", seconds, reason)

    async def put_back(self, due: Due) -> None:
        """Give up the lease."""
        await self._give_back(due.id)

    async def _give_back(self, row_id: str) -> None:
        await self._rows.update_one({"_id": row_id, "open": True}, {"$unset": {"lease": ""}})

    async def put_off(self, due: Due, seconds: float) -> None:
        """Wait, with all that waits behind it: else its many followers would hide other conversations' rows."""
        await self._push_back(due, seconds)
        await self.put_back(due)

    async def _push_back(self, due: Due, seconds: float) -> None:
        behind: Doc = {"conversation": due.conversation_id, "open": True, "_id": {"$gte": due.id}}
        behind["lane"] = {"$gte": LANE_ORDER[due.message.lane]}
        later = {"$max": ["$not_before", {"$add": ["$$NOW", int(seconds * 1000)]}]}
        await self._rows.update_many(behind, [{"$set": {"not_before": later}}])

    async def _go_on(self, settled: Doc) -> None:
        """A receipt has settled it before its time: what was pushed back behind it need not wait, if never tried."""
        behind: Doc = {"conversation": settled["conversation"], "open": True, "_id": {"$gt": settled["_id"]}}
        behind |= {"lane": {"$gte": settled["lane"]}, "attempts": 0}
        await self._rows.update_many(behind, {"$set": {"not_before": NEVER}})

    async def unknown(self, due: Due, reason: str) -> None:
        """Wait a minute for a receipt before it is tried once more; the second time, ten before it is given up."""
        await self._rows.update_one({"_id": due.id, "open": True}, {"$inc": {"doubts": 1}})
        await self._later(due, "unknown", UNKNOWN_AGAIN_SECONDS if due.doubts else UNKNOWN_SECONDS, reason)

    async def _later(self, due: Due, state: str, seconds: float, reason: str) -> None:
        await self._push_back(due, seconds)
        later = {"$add": ["$$NOW", int(seconds * 1000)]}
        fields = {"state": state, "not_before": later, "error": {"$literal": reason}, "lease": "$$REMOVE"}
        await self._rows.update_one({"_id": due.id, "open": True}, [{"$set": fields}])

    async def failed(self, due: Due, reason: str) -> None:
        """Give it up; an open case counts it, so that its responder sees that the person was not reached."""
        await self._final(due.id, "failed", {"error": reason})
        await self._undelivered(due.conversation_id)

    async def _undelivered(self, conversation: str) -> None:
        await self._db["cases"].update_one(
            open_case_of(conversation),
            {"$inc": {"undelivered": 1, "version": 1}, "$set": {"updated_at": datetime.now(UTC)}},  # noqa: TID251
        )

    async def unreachable(self, due: Due, reason: str) -> None:
        """Give it up, and all that follows until the person writes again."""
        await self._db["conversations"].update_one({"_id": due.conversation_id}, {"$set": {"unreachable": True}})
        await self.failed(due, reason)

    async def dropped(self, due: Due, reason: str) -> None:
        """Leave a message that is not needed any more."""
        await self._final(due.id, "dropped", {"error": reason})

    async def spoken_since(self, due: Due) -> bool:
        """Say whether the person wrote after this row was last being sent."""
        row = await self._rows.find_one({"_id": due.id}, {"sending_at": 1})
        since = row.get("sending_at") if row else None
        newer = {"conversation": due.conversation_id, "received_at": {"$gt": since}}
        return since is not None and await self._db["inbox"].find_one(newer, {"_id": 1}) is not None

    async def receipt(self, receipt: Receipt) -> bool:
        """Move a message forward; one that is not known yet is parked for ten minutes."""
        key = self._receipt_key(receipt.channel, receipt.channel_message_id)
        query: Doc = {"_id": receipt.outbox_id} if receipt.outbox_id else {"receipt": key}
        row = await self._rows.find_one(query, {"_id": 1})
        if row:
            await self._apply(row["_id"], receipt)
            return True
        parked = {name: getattr(receipt, name) for name in PARKED}
        parked["state"] = receipt.state.value
        await self._db["parked_receipts"].update_one({"_id": key}, {"$set": parked}, upsert=True)
        return False

    async def is_template(self, receipt: Receipt) -> bool:
        """Say whether a report is about an approved text, or about a message that nobody can read (any more)."""
        key = self._receipt_key(receipt.channel, receipt.channel_message_id)
        query: Doc = {"_id": receipt.outbox_id} if receipt.outbox_id else {"receipt": key}
        row = await self._rows.find_one(query, {"sealed": 1})
        try:
            return not row or bool(outbound_in(await self._sealer.open(f"outbox:{row['_id']}", row["sealed"])).template)
        except Unreadable:
            return True

    async def _apply(self, row_id: str, receipt: Receipt) -> None:
        """Only ever forward: a late `sent` never hides a `read`; `failed` after `delivered` is kept as a note."""
        state = receipt.state
        if state is ReceiptState.FAILED:
            await self._refused(row_id, receipt)
            return
        below = [name.value for name, rank in RECEIPT_ORDER.items() if rank < RECEIPT_ORDER[state]]
        fields = {"state": state.value, "open": False, f"{state.value}_at": receipt.at}
        allowed = {"$in": ["sending", "unknown", *below]}
        before = await self._rows.find_one_and_update({"_id": row_id, "state": allowed}, {"$set": fields})
        if before and before["open"]:
            await self._go_on(before)

    async def _refused(self, row_id: str, receipt: Receipt) -> None:
        """A message that the channel took and then gave up: sent again where that can help, else failed, and told.

        Where its window is closed it is put back, and the window with it: the deliverer then knows what to do. Where
        its shape or its file was refused it goes once more as plain words, and not a third time.
        """
        if not receipt.closed and receipt.again is None:
            await self._given_up(row_id, receipt)
            return
        later = datetime.now(UTC) + timedelta(seconds=receipt.again or 0)  # noqa: TID251 - the edge's own clock
        again = {**_refusal(receipt), "state": "waiting", "open": True, "not_before": later}
        may: Doc = {"attempts": {"$lt": MOST_REFUSED}}
        if receipt.plain:
            again["plain"], may["plain"] = True, {"$ne": True}
        row = await self._rows.find_one_and_update({"_id": row_id, **TAKEN, **may}, {"$set": again})
        if not row:
            await self._given_up(row_id, receipt)
        elif receipt.closed:
            await self._shut(row, receipt)

    async def _given_up(self, row_id: str, receipt: Receipt) -> None:
        """It failed for good, and the case counts it; of one that has arrived all the same it is only a note."""
        failed = {**_refusal(receipt), "state": "failed", "open": False}
        row = await self._rows.find_one_and_update({"_id": row_id, **TAKEN}, {"$set": failed})
        if not row:
            note = {"late_failure": {"code": receipt.error_code, "at": receipt.at}}
            await self._rows.update_one({"_id": row_id, "state": {"$in": list(ARRIVED)}}, {"$set": note})
            return
        await self._undelivered(row["conversation"])
        if receipt.gone:
            await self._db["conversations"].update_one(unheard(row), {"$set": {"unreachable": True}})

    async def _shut(self, row: Doc, receipt: Receipt) -> None:
        """The window was closed as the message was sent; whoever has written since has opened it."""
        shut = {"$min": {"heard_at": receipt.at - WINDOW}}
        await self._db["conversations"].update_one(unheard(row), shut)

    async def _final(self, row_id: str, state: str, fields: Doc, among: Sequence[str] = ()) -> None:
        """Close a row, if it is in one of these states; one that a receipt has moved meanwhile keeps its state."""
        mine: Doc = {"_id": row_id, "open": True, **({"state": {"$in": list(among)}} if among else {})}
        await self._rows.update_one(mine, {"$set": {"state": state, "open": False}})
        await self._rows.update_one({"_id": row_id}, {"$set": fields, "$unset": {"lease": ""}})

    def _receipt_key(self, channel: ChannelName, channel_message_id: Private) -> str:
        return self._sealer.blind("receipt", f"{channel}:{channel_message_id.reveal()}")

    async def one(self, conversation_id: str, row_id: str) -> Doc | None:
        """Return one message of a conversation, or None."""
        row = await self._rows.find_one({"_id": row_id, "conversation": conversation_id})
        try:
            return await self._sealer.open(f"outbox:{row_id}", row["sealed"]) if row else None
        except Unreadable:
            return None

    async def since(self, conversation_id: str, after: str) -> list[tuple[str, datetime, Doc]]:
        """Return (id, time, message) of a conversation's rows after *after*, oldest first: the web chat's feed."""
        query = {"conversation": conversation_id, "_id": {"$gt": after}}
        found = []
        async for row in self._rows.find(query).sort("_id", 1).limit(200):
            try:
                found.append(
                    (
                        row["_id"],
                        aware(row["created_at"]),
                        await self._sealer.open(f"outbox:{row['_id']}", row["sealed"]),
                    )
                )
            except Unreadable:
                continue
        return found


def _refusal(receipt: Receipt) -> Doc:
    return {"error": f"channel:{receipt.error_code}", f"{receipt.state.value}_at": receipt.at}
