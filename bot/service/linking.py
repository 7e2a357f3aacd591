"""A responder's Telegram account: linked with a one-time code, and worth no more than the account it is linked to."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.private import Private
from bot.domain.topics import CODE_LENGTH, CODE_LETTERS, Linked
from bot.ports import Links, Responder, Responders

CODE_LASTS = timedelta(minutes=10)
#: Who may work on cases.
WORKERS = frozenset({"responder", "supervisor"})


class Linking:
    """Who is who, asked anew each time: a disabled account has no rights from that moment."""

    def __init__(self, links: Links, responders: Responders, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._links = links
        self._responders = responders
        self._now = now

    async def code(self, login: str) -> str:
        """Return a new one-time code; any earlier one is void."""
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        await self._links.offer(code, login, self._now() + CODE_LASTS)
        return code

    async def link(self, code: str, person: Private) -> Responder | None:
        """Link the account to the code's responder; None for a code that is not valid, or whose owner may not work."""
        login = await self._links.redeem(code, person, self._now())
        return await self._worker(login)

    async def unlink(self, login: str) -> bool:
        """Undo a responder's link; False if there is none."""
        return await self._links.drop(login)

    async def unlink_person(self, person: Private) -> str:
        """Undo the link of this account; return whose it was, or ""."""
        login = await self._links.login(person)
        await self._links.drop_person(person)
        return login

    async def who(self, person: Private) -> Responder | None:
        """Return the responder who may work and has this account."""
        return await self._worker(await self._links.login(person))

    async def linked(self) -> Sequence[Linked]:
        """Return all links, for the administrator."""
        return await self._links.all()

    async def workers(self) -> frozenset[str]:
        """Return the logins of those who are linked and may work."""
        may = {person.id for person in await self._responders.all() if _may_work(person)}
        return frozenset(link.login for link in await self._links.all() if link.login in may)

    async def _worker(self, login: str) -> Responder | None:
        found = await self._responders.get(login) if login else None
        return found if found and _may_work(found) else None


def _may_work(person: Responder) -> bool:
    return person.active and person.role in WORKERS
