"""What Telegram is to know of our bot, from settings and content, and telling it."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.app import utc_now
from bot.channels.telegram import close_requests, make_bot, open_requests
from bot.channels.telegram_profile import Face, Plan, Setup, State
from bot.config import Config
from bot.content.model import Content

COMMANDS = ("menu", "near", "person", "language", "hide", "stop")
#: The languages that Telegram tells apart have codes of two letters.
LANGUAGE = re.compile("[a-z]{2}")
SOURCE = "en"

#: Takes a step, what became of it, and the detail.
Say = Callable[[str, str, str], None]


async def set_up(config: Config, content: Content, say: Say, *, dry_run: bool) -> bool:
    """Do it; say each step; return whether nothing is wrong."""
    bot = make_bot(config.telegram_token.get_secret_value(), config.telegram_api_url)
    sound = True
    await open_requests(bot)
    try:
        async for found in Setup(bot, plan(config, content), utc_now, dry_run=dry_run).run():
            say(found.step, found.state.value, found.detail)
            sound = sound and found.state is not State.WRONG
    finally:
        await close_requests(bot)
    return sound


def plan(config: Config, content: Content) -> Plan:
    """Return what Telegram is to know: each language that has words of its own, and English for all others."""
    codes = [code for code in content.locales if LANGUAGE.fullmatch(code) and code != SOURCE]
    spoken = [code for code in codes if "telegram.name" in content.messages[code]]
    return Plan(
        "" if config.telegram_polls else config.public_url,
        config.telegram_secret.get_secret_value(),
        config.telegram_bot_name,
        config.telegram_responders_chat,
        (_face(SOURCE, "", content), *(_face(code, code, content) for code in spoken)),
        tuple(code for code in codes if code not in spoken),
    )


def _face(locale: str, language: str, content: Content) -> Face:
    return Face(
        language,
        content.words(locale, "telegram.name"),
        content.words(locale, "telegram.short"),
        content.words(locale, "telegram.description"),
        tuple((name, content.words(locale, f"telegram.command.{name}")) for name in COMMANDS),
    )
