"""What a browser is shown of its own conversation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.ports import StoreUnavailable
from bot.public.visitors import key

CLEARED = "waiting.cleared"
PERSON = "person"
POSTER = "sy_"
#: What whoever asks the database within a time must expect.
SILENT = (StoreUnavailable, TimeoutError)


@dataclass(frozen=True, slots=True)
class Item:
    """One bubble. `choices`: (id, label); `about`: the message id of our words; `topic`: what it is an answer to.

    `picture`: the name of one of ours that goes with the words, and what it shows. `mine`: the person's own, then
    `carrier` says how it came; `human`: a responder wrote it.
    """

    id: str
    at: datetime
    text: Private
    choices: tuple[tuple[str, str], ...] = ()
    human: bool = False
    about: str = ""
    speech: str = ""
    topic: str = ""
    mine: bool = False
    carrier: str = ""
    picture: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the browser reads it."""
        if self.mine:
            return {"mine": True, "text": self.text.reveal(), "carrier": self.carrier}
        return {
            "id": self.id, "text": self.text.reveal(), "choices": self.choices, "human": self.human,
            "about": self.about, "speech": self.speech, "topic": self.topic,
            "picture": self.picture,
        }  # fmt: skip


class Feed:
    """Reads outbox and inbox of one visitor. Each raises `StoreUnavailable` while the database is silent."""

    def __init__(self, service: Any) -> None:  # noqa: ANN401 - `bot.app.Service`, see routes
        """*service*: its outbox, inbox, cases, sealer and content."""
        self._service = service

    def conversation(self, address: Address) -> str:
        """Return the visitor's conversation."""
        return str(self._service.inbox.conversation_id(address))

    async def since(self, conversation: str, after: str) -> Sequence[Item]:
        """Return what was said to them after a message, in order; at most 200."""
        async with self._service.reachable():
            rows = await self._service.outbox.since(conversation, after)
        return [self._ours(*row) for row in rows]

    async def everything(self, conversation: str) -> Sequence[Item]:
        """Return both sides from where the screen was cleared last, oldest first."""
        ours: list[Item] = []
        while rows := await self.since(conversation, ours[-1].id if ours else ""):
            ours += rows
        cleared = max((item.at for item in ours if item.about == CLEARED), default=None)
        labels = {label for item in ours for _, label in item.choices}
        async with self._service.reachable():
            lines = await self._service.cases.transcript(conversation)
        mine = filter(None, (self._mine(line, labels) for line in lines if line.who == PERSON))
        items = sorted([*mine, *ours], key=lambda item: (item.at, not item.mine, item.id))
        return [item for item in items if not cleared or item.at > cleared]

    async def kept(self, address: Address, names: Collection[str]) -> Sequence[str]:
        """Return which of these messages of a browser have arrived."""
        ids = {self._service.sealer.blind("inbox", key(address, name)): name for name in names}
        async with self._service.reachable():
            rows = self._service.db["inbox"].find({"_id": {"$in": list(ids)}}, {"_id": 1})
            return [ids[row["_id"]] async for row in rows]

    async def waits(self, conversation: str) -> bool:
        """Say whether something of theirs is not answered yet."""
        async with self._service.reachable():
            waiting = {"conversation": conversation, "state": "waiting"}
            return await self._service.db["inbox"].find_one(waiting, {"_id": 1}) is not None

    async def has_case(self, conversation: str) -> bool:
        """Say whether a person looks after them, or may."""
        async with self._service.reachable():
            return bool((await self._service.conversations.load(conversation, ChannelName.WEB)).open_case)

    def _ours(self, name: str, at: datetime, doc: dict[str, Any]) -> Item:
        about = doc["message_id"]
        topic = about.partition(".")[0]
        return Item(
            name, at, Private(doc["text"]), tuple((choice[0], choice[1]) for choice in doc["choices"]),
            human=doc["author"] != "bot", about=about, speech=doc.get("speech", ""),
            topic=topic if topic in self._service.content.topics else "",
            picture=_picture(doc),
        )  # fmt: skip

    def _mine(self, line: Any, labels: set[str]) -> Item | None:  # noqa: ANN401 - `bot.ports.Line`
        """Return what the person sent; None for what their page sent by itself when it opened."""
        choice = line.choices[0] if line.choices else ""
        words = Private(choice) if choice else line.text
        if (choice and choice not in labels) or words.reveal().startswith(POSTER):
            return None
        return Item(line.id, line.at, words, mine=True, carrier=line.carrier)


def _picture(doc: dict[str, Any]) -> tuple[str, str] | None:
    found = doc.get("picture")
    return (found[0], found[1]) if found else None
