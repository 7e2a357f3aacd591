"""How a page leaves: one pager for each alert channel that is configured, and what it says."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from aiohttp import ClientSession
from telegram import Bot

from bot.clients.alerts import ConsolePager, EmailPager, TelegramPager, WebhookPager
from bot.config import Config
from bot.content.model import Content
from bot.domain.canary import CANARY_FAILED
from bot.group import ResponderGroup
from bot.ports import SHIFT_WAITING, Alert, Pager
from bot.service.oncall import OnCall
from bot.service.topics import GROUP_BROKEN


def _page_words(content: Callable[[], Content], alert: Alert) -> str:
    """Return what a page says: never a person's words."""
    own = {"break_glass": "console.seal.page", "too_many_reads": "console.seal.page_reads"}
    if alert.kind in own:
        return content().words("en", own[alert.kind]).replace("{case}", alert.case_id)
    if alert.kind == CANARY_FAILED:
        return content().words("en", "console.alert.canary").replace("{channels}", alert.values["channels"])
    if alert.kind == GROUP_BROKEN:
        text = content().words("en", f"console.telegram.alert_{alert.values['why']}")
        return text.replace("{case}", alert.values["case"])
    if alert.kind == SHIFT_WAITING:
        return content().words("en", "console.owner.page_shift").replace("{count}", alert.values["count"])
    if not alert.case_id and not alert.source:
        text = content().words("en", "console.alert.early")
        return text.replace("{kind}", alert.kind).replace("{ref}", alert.ref)
    if alert.source:
        text = content().words("en", f"console.lists.alert_{alert.kind}")
        return functools.reduce(lambda text, pair: text.replace(f"{{{pair[0]}}}", pair[1]), alert.values.items(), text)
    text = content().words("en", "alert.page").replace("{kind}", alert.kind).replace("{case}", alert.case_id)
    duty = alert.values.get("duty", "")
    if duty:
        text += "\n" + content().words("en", f"console.owner.page_{duty}")
    elif alert.rung:
        text += "\n" + content().words("en", "console.alert.rung").replace("{rung}", str(alert.rung))
    if alert.to:
        text += "\n" + content().words("en", "console.alert.for").replace("{names}", ", ".join(alert.to))
    return text


def make_pagers(
    config: Config,
    content: Callable[[], Content],
    bot: Bot | None,
    http: ClientSession,
    wake_console: asyncio.Event,
    oncall: OnCall,
    group: ResponderGroup,
) -> dict[str, Pager]:
    """Return a pager for each alert channel that is configured; the console is always one."""
    words = functools.partial(_page_words, content)
    pagers: dict[str, Pager] = {"console": ConsolePager(wake_console.set)}
    if bot and config.telegram_responders_chat:
        pagers["telegram"] = TelegramPager(bot, group.pages(), config.public_url, words)
    if config.alert_webhook_url:
        secret = config.alert_webhook_secret.get_secret_value()
        pagers["webhook"] = WebhookPager(http, config.alert_webhook_url, secret)
    if config.alert_email_to:
        pagers["email"] = EmailPager(
            _mail(config), config.alert_email_from, config.alert_email_to, words, oncall.addresses
        )
    return pagers


def make_officer(config: Config, content: Callable[[], Content]) -> dict[str, Pager]:
    """Return the way to the data officer, who hears of every break-glass; without one all channels hear of it."""
    to = config.data_officer_email
    words = functools.partial(_page_words, content)
    pager = EmailPager(_mail(config), config.alert_email_from, to, words, addresses=lambda _: ())
    return {"data_officer": pager} if to else {}


def _mail(config: Config) -> dict[str, object]:
    settings: dict[str, object] = {"hostname": config.smtp_host, "port": config.smtp_port}
    settings["use_tls"] = config.smtp_tls == "tls"
    settings["start_tls"] = config.smtp_tls == "starttls"
    if config.smtp_user:
        settings |= {"username": config.smtp_user, "password": config.smtp_password.get_secret_value()}
    return settings
