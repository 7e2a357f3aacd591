"""A server that cuts who keeps it waiting: a connection must name what it wants within seconds."""

from __future__ import annotations

import asyncio

from aiohttp import web

#: Seconds from connecting to a whole first request head; later ones have `IDLE`.
HEAD = 5.0
#: Seconds for which a connection may be open with nothing asked.
IDLE = 75.0


class PatientHandler(web.RequestHandler):
    """One connection; closed when its first request head is not whole in time."""

    __slots__ = ("_cut_later",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._cut_later = self._loop.call_later(HEAD, self._cut)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop waiting."""
        self._cut_later.cancel()
        super().connection_lost(exc)

    def _cut(self) -> None:
        if not self._request_count:
            self.force_close()


class PatientServer(web.Server):
    """Makes such connections."""

    def __call__(self) -> web.RequestHandler:
        """Return the handler of a new connection."""
        return PatientHandler(self, loop=self._loop, **self._kwargs)


class PatientRunner(web.AppRunner):
    """Serves an application with them."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float = 5.0) -> None:
        """*shutdown_timeout*: seconds that open requests get when we stop."""
        super().__init__(app, access_log=None, shutdown_timeout=shutdown_timeout, keepalive_timeout=IDLE)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return PatientServer(made.request_handler, request_factory=made.request_factory, **made._kwargs)  # noqa: SLF001
