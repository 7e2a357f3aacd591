"""How messages and visitors come in: webhooks, long polling, pages."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import HttpVersion10, web
from telegram import Bot

from bot.app import Service
from bot.channels import telegram_polling, whatsapp_hook
from bot.channels.telegram_groups import Groups
from bot.channels.telegram_receiving import Intake, TelegramWebhook, nobody
from bot.domain.messages import ChannelName
from bot.service.receive import NotAccepted

log = logging.getLogger(__name__)
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


def poll_telegram(service: Service, bot: Bot) -> Coroutine[Any, Any, None]:
    """Return the job that asks Telegram for updates; one process of all does so at a time."""
    leases, name = service.leases, "telegram:polling"
    hold = functools.partial(leases.hold, name, telegram_polling.LEASE_SECONDS)
    alarm = functools.partial(service.operator.tell, ChannelName.TELEGRAM)
    stand = functools.partial(_stand, service, ChannelName.TELEGRAM)
    poller = telegram_polling.Poller(bot, telegram_intake(service, bot), hold, alarm, stand=stand)
    return telegram_polling.keep_polling(poller, functools.partial(leases.release, name))


async def _stand(service: Service, channel: ChannelName, *, refused: bool) -> None:
    """Remember whether a channel refuses our account where we ask it for messages."""
    await (service.standings.refuses if refused else service.standings.takes)(channel)


def telegram_intake(service: Service, bot: Bot) -> Intake:
    """Return what takes Telegram's updates in, whichever way they come."""

    def in_group(language: str) -> str:
        content = service.content
        known = language.partition("-")[0]
        return content.words(known if known in content.locales else next(iter(content.locales)), "telegram.group")

    groups = Groups(bot, service.leases.once, in_group, service.config.telegram_responders_chat)
    door = service.group.door
    aside = door.take if door else nobody
    return Intake(bot, service.receiver.receive, service.quarantine.keep, service.now, groups, aside)


def web_app(service: Service) -> web.Application:
    """Return the web application: webhooks, public pages, console."""
    from bot.console.routes import add_console  # noqa: PLC0415 - heavy templates, not needed by the command line
    from bot.public.routes import add_public  # noqa: PLC0415

    app = web.Application(client_max_size=whatsapp_hook.MOST_BYTES, middlewares=[_no_ancient])
    add_webhooks(app, service)
    add_public(app, service)
    add_console(app, service)
    return app


def add_webhooks(app: web.Application, service: Service) -> None:
    """Add the channels' webhooks for which there are credentials."""
    config = service.config
    if service.bot and config.telegram_secret.get_secret_value():
        hook = TelegramWebhook(
            telegram_intake(service, service.bot),
            (config.telegram_secret.get_secret_value(), config.telegram_secret_old.get_secret_value()),
        )
        app.router.add_post("/webhooks/telegram", _kept(hook.handle))
    if ChannelName.WHATSAPP in service.channels:
        news = service.platform_news
        cloud = whatsapp_hook.WhatsAppWebhook(
            config.whatsapp_phone_id,
            (config.whatsapp_app_secret.get_secret_value(), config.whatsapp_app_secret_old.get_secret_value()),
            config.whatsapp_verify_token.get_secret_value(),
            whatsapp_hook.Desk(
                service.receiver.receive, news.receipt, service.quarantine.keep, news.moved, news.alarm, news.refused
            ),
            service.now,
        )
        app.router.add_get("/webhooks/whatsapp", cloud.verify)
        app.router.add_post("/webhooks/whatsapp", _kept(cloud.handle))


@web.middleware
async def _no_ancient(request: web.Request, handler: Handle) -> web.StreamResponse:
    """HTTP/0.9 knows no headers, so that no rule of ours could hold for it."""
    if request.version < HttpVersion10:
        raise web.HTTPBadRequest
    return await handler(request)


def _kept(handle: Handle) -> Handle:
    """Answer 503 when neither database nor spool could keep the message, so that the platform sends it again."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        except NotAccepted as error:
            log.critical("a message could not be kept anywhere; free some disk", extra={"error": str(error)})
            return web.Response(status=503, headers={"Retry-After": "30"})

    return answered
