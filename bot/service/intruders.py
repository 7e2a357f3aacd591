"""Somebody guesses or has stolen a way into the console: a line in the audit, and a page that names nobody."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.ports import GUESS_MANY, GUESS_ONE, SESSION_STOLEN, Audit, Stamp
from bot.service.operator import Operator

AGAIN: Final = timedelta(hours=1)
MOST_TOLD: Final = 1000
#: What a page is about, in place of a channel.
CONSOLE: Final = "console"
#: Stands in the id of a page for all names that nobody has: guessers of such names page once a day together.
NOBODY: Final = "nobody"


class Intruders:
    """Each kind of page goes out once a day for one account, and once an hour for very many."""

    def __init__(
        self, operator: Operator, audit: Audit, blind: Callable[[str], str], now: Callable[[], datetime]
    ) -> None:
        """*blind* makes of a login what says nothing of it and is always the same: it stands in the ids of pages."""
        self._operator = operator
        self._audit = audit
        self._blind = blind
        self._now = now
        self._told: OrderedDict[str, datetime] = OrderedDict()

    async def guessed(self, door: str, key: str, login: str) -> None:
        """Tell that tries were so many that they are not looked at any more.

        *door*: `login`, `code` or `proof`; *key*: what was tried; *login*: whose way in it is, "" if it is nobody's.
        Both cost the same, so that the time an answer takes does not say which names exist.
        """
        if self._again(f"{door}:{key}"):
            await self._audit.record(Stamp("?", f"{door} tries stopped", login), self._now())
            await self._page(GUESS_ONE, login)

    async def crowded(self, peer: str) -> None:
        """Note that one address tries too often; the page about very many wrong tries has gone out before that."""
        if self._again(f"peer:{peer}"):
            await self._audit.record(Stamp("?", "address tries stopped"), self._now())

    async def many(self, most: int) -> None:
        """Tell that within an hour more than *most* tries were wrong, whichever accounts they were about."""
        if self._again(GUESS_MANY):
            await self._audit.record(Stamp("?", "very many wrong tries"), self._now())
            await self._operator.warn(GUESS_MANY, CONSOLE, f"{self._now():%Y-%m-%dT%H}", {"most": str(most)})

    async def stolen(self, login: str) -> None:
        """Tell that the session of this person came from another browser than the one that opened it."""
        await self._audit.record(Stamp(login, "session stopped: another browser"), self._now())
        await self._page(SESSION_STOLEN, login)

    async def _page(self, kind: str, login: str) -> None:
        about = self._blind(login)[:16] if login else NOBODY
        await self._operator.warn(kind, CONSOLE, f"{about}:{self._now().date()}", {})

    def _again(self, name: str) -> bool:
        """Say whether an hour has passed since this was told; with several processes each tells it."""
        now = self._now()
        known = self._told.get(name)
        if known and now - known < AGAIN:
            return False
        self._told[name] = now
        self._told.move_to_end(name)
        while len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)
        return True
