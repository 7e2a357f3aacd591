"""Pages that anyone may open: the web chat, the landing page of a poster's code, health and counts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from bot.public.chat import ChatApi
from bot.public.headers import security_headers
from bot.public.landing import add_landing
from bot.public.pages import ChatPages
from bot.public.shown import Shown

HERE = Path(__file__).resolve().parent
#: `bot.app.Service`, handed in: this floor may not import the one above it.
Service = Any


def add_public(app: web.Application, service: Service) -> None:
    """Add the routes and the headers of every answer."""
    https = service.config.public_url.startswith("https://")
    app.middlewares.append(security_headers(https=https))
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader("bot.public"), jinja2.PackageLoader("bot.console")])
    jinja = aiohttp_jinja2.setup(app, loader=loader, autoescape=True)
    jinja.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # a third of the bytes in Indian scripts
    chat = ChatApi(service, https=https)
    chat.add_to(app)
    ChatPages(service, chat, https=https).add_to(app)
    Shown(service).add_to(app)
    pages = Pages(service)
    app.router.add_get("/health", pages.health)
    app.router.add_get("/ready", pages.ready)
    app.router.add_get("/metrics", pages.metrics)
    add_landing(app, service)
    app.router.add_static("/static/public", HERE / "static")


class Pages:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        """*service*: its settings and database."""
        self._service = service

    async def health(self, _: web.Request) -> web.Response:
        """Say that the process answers, and what the last canary found; one that is long overdue counts as failed.

        The status stays 200: starting this process again would not bring a dead alert channel back.
        """
        last = self._service.canary.last
        if not last:
            return web.json_response({"ok": True})
        overdue = self._service.canary.overdue(self._service.config.canary_every)
        found = {"at": last.at.isoformat(timespec="seconds"), "ok": not (last.missing or overdue)}
        return web.json_response({"ok": True, "canary": {**found, "overdue": overdue, "missing": list(last.missing)}})

    async def ready(self, _: web.Request) -> web.Response:
        """Say whether the database answers."""
        try:
            async with asyncio.timeout(1):
                await self._service.db.command("ping")
        except Exception:
            return web.json_response({"database": False, "spool": self._service.spool.waiting}, status=503)
        return web.json_response({"database": True, "spool": self._service.spool.waiting})

    async def metrics(self, request: web.Request) -> web.Response:
        """Counts for the operator, from this machine only; nothing in them is about a person."""
        if request.remote not in {"127.0.0.1", "::1"}:
            raise web.HTTPNotFound
        db = self._service.db
        counts = {
            "sahyatri_inbox_waiting": await db["inbox"].count_documents({"state": "waiting"}),
            "sahyatri_outbox_open": await db["outbox"].count_documents({"open": True}),
            "sahyatri_cases_open": await db["cases"].count_documents({"open": True}),
            "sahyatri_cases_unclaimed": await db["cases"].count_documents({"open": True, "owner": None}),
            "sahyatri_alerts_waiting": await db["alerts"].count_documents({"state": "waiting"}),
            "sahyatri_quarantine": await db["quarantine"].count_documents({}),
            "sahyatri_nlu_failed": getattr(self._service.nlu, "failed", 0),
        }
        return web.Response(text="".join(f"{name} {value}\n" for name, value in counts.items()))
