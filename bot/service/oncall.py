"""Who is addressed now: the rota in memory, so that it is there while the database is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.domain.rota import Rota, Staff, Wanted, addressed
from bot.ports import Alert, Rotas


class OnCall:
    """The rota in force and the staff as they were when last looked at."""

    def __init__(self, rotas: Rotas, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._rotas = rotas
        self._now = now
        self.rota = Rota()
        self.staff = Staff()

    async def refresh(self) -> None:
        """Read both anew."""
        self.rota, self.staff = await self._rotas.current(), await self._rotas.staff()

    def addressed(self, wanted: Wanted, rung: int) -> tuple[str, ...]:
        """Return whom a page is for, by login; () for everybody."""
        return addressed(self.rota, self.staff, wanted, rung, self._now())

    def addresses(self, alert: Alert) -> Sequence[str]:
        """Return the e-mail addresses of those whom the page is for, where they gave one."""
        own = {person.login: person.email.reveal() for person in self.rota.people}
        return tuple(own[name] for name in alert.to if own.get(name))
