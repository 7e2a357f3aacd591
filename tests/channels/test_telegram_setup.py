"""`sahyatri telegram setup`: does once what differs, says plainly what is wrong, never drops what waits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from telegram import Bot

from bot.app import Service, utc_now
from bot.channels.telegram_profile import State
from bot.config import Config, load_config
from bot.content.checks import TELEGRAM_LIMITS, message_problems
from bot.content.model import Content
from bot.telegram_setup import plan, set_up
from bot.up import _connect_telegram
from tests.conftest import ROOT
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN, FakeTelegram, refused

URL = "https://chat.example.org"
Found = list[tuple[str, str, str]]


def settings(platform: FakeTelegram, **given: Any) -> Config:
    return load_config(TELEGRAM_TOKEN=TELEGRAM_TOKEN, TELEGRAM_API_URL=platform.url, **given)


def webhook(platform: FakeTelegram, **given: Any) -> Config:
    return settings(platform, PUBLIC_URL=URL, TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET, **given)


@pytest.fixture
def spoken(content: Content) -> Content:
    """Content with a Hindi face."""
    face = {"telegram.name": "सहयात्री", "telegram.short": "मुफ़्त", "telegram.description": "पूछिए"}
    return content.with_words(
        {
            "hi": {
                **{f"telegram.command.{name}": "मेनू" for name in ("menu", "near", "person", "language", "hide", "stop")},
                **face,
            }
        }
    )


async def ran(config: Config, content: Content, *, dry_run: bool = False) -> tuple[bool, Found]:
    found: Found = []
    sound = await set_up(config, content, lambda *row: found.append(row), dry_run=dry_run)
    return sound, found


def changes(platform: FakeTelegram) -> list[str]:
    return [method for method, _ in platform.calls if method.startswith(("set", "delete"))]


async def test_it_sets_everything_once(platform: FakeTelegram, spoken: Content) -> None:
    """The second run changes nothing but the secret, which nobody can read back."""
    sound, found = await ran(webhook(platform), spoken)
    assert sound, found
    (hook,) = platform.called("setWebhook")
    assert hook["url"] == f"{URL}/webhooks/telegram" and hook["secret_token"] == TELEGRAM_SECRET
    assert json.loads(hook["allowed_updates"]) == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
        "message_reaction",
    ]
    assert hook.get("drop_pending_updates") != "true"
    assert platform.profile["name", "hi"] == "सहयात्री" and platform.profile["name", ""] == "Sahyatri"
    assert [row["command"] for row in platform.profile["commands", ""]][:2] == ["menu", "near"]
    assert {step for step, state, _ in found if state == State.CHANGED} == {
        "messages", "name", "short", "description", "commands",
    }  # fmt: skip
    platform.calls.clear()
    sound, again = await ran(webhook(platform), spoken)
    assert sound and changes(platform) == ["setWebhook"]
    assert State.CHANGED not in {state for _, state, _ in again}


async def test_a_dry_run_changes_nothing(platform: FakeTelegram, spoken: Content) -> None:
    for config in (webhook(platform), settings(platform)):
        sound, found = await ran(config, spoken, dry_run=True)
        assert sound and changes(platform) == []
        assert "would change" in {state for _, state, _ in found}


async def test_polling_removes_a_webhook_and_keeps_what_waits(platform: FakeTelegram, spoken: Content) -> None:
    platform.webhook |= {"url": "https://old.example.org/x", "pending_update_count": 3}
    sound, found = await ran(settings(platform), spoken)
    (removed,) = platform.called("deleteWebhook")
    assert sound and removed.get("drop_pending_updates") != "true"
    assert any("old.example.org is removed" in detail for _, _, detail in found)
    assert ("deliveries", "note", "3 messages wait at Telegram") in found


FAILURES = {
    "Wrong response from the webhook: 401 Unauthorized": "another secret",
    "Wrong response from the webhook: 404 Not Found": "nothing answers",
    "Wrong response from the webhook: 503 Service Unavailable": "database",
    "SSL error {error:1416F086}": "certificate",
    "Connection timed out": "firewall",
}


@pytest.mark.parametrize(("said", "advice"), FAILURES.items())
async def test_a_failed_delivery_is_explained(platform: FakeTelegram, spoken: Content, said: str, advice: str) -> None:
    """T2: what Telegram reports of its last try, in plain words, with what to do."""
    platform.webhook |= {
        "last_error_date": int(time.time()) - 60,
        "last_error_message": said,
        "ip_address": "203.0.113.7",
    }
    sound, found = await ran(webhook(platform), spoken)
    assert not sound
    assert any(state == State.WRONG and advice in detail for _, state, detail in found)
    assert any("203.0.113.7" in detail for _, _, detail in found)
    platform.webhook |= {"last_error_date": int(time.time()) - 7200}
    assert (await ran(webhook(platform), spoken))[0]


async def test_what_is_wrong_is_said(platform: FakeTelegram, spoken: Content) -> None:
    """Another bot's name on the posters, privacy mode off, a port that Telegram does not use, a group we are not in."""
    platform.me |= {"can_read_all_group_messages": True}
    platform.refusals["getChat"] = refused(400, "Bad Request: chat not found")
    config = webhook(platform, TELEGRAM_BOT_NAME="@other_bot", TELEGRAM_RESPONDERS_CHAT="-1005")
    config = config.model_copy(update={"public_url": f"{URL}:8080"})
    sound, found = await ran(config, spoken)
    wrong = {step: detail for step, state, detail in found if state == State.WRONG}
    assert not sound and set(wrong) == {"bot", "groups", "messages", "responders"}
    assert "sahyatri_bot" in wrong["bot"] and "setprivacy" in wrong["groups"] and "8080" in wrong["messages"]


async def test_a_group_that_has_moved_is_named(platform: FakeTelegram, spoken: Content) -> None:
    """migrate_to_chat_id: the operator is told the new id."""
    platform.refusals["getChat"] = refused(400, "group chat was upgraded", migrate_to_chat_id=-1009)
    sound, found = await ran(settings(platform, TELEGRAM_RESPONDERS_CHAT="-5"), spoken)
    assert not sound and any("-1009" in detail for _, _, detail in found)


async def test_names_may_be_changed_only_so_often(platform: FakeTelegram, spoken: Content) -> None:
    """429: says how long to wait, and does the rest all the same."""
    platform.refusals["setMyName"] = refused(429, "Too Many Requests", retry_after=6400)
    sound, found = await ran(settings(platform), spoken)
    assert not sound and any(step == "name" and "6400 s" in detail for step, _, detail in found)
    assert ("description", "hi") in platform.profile


async def test_a_wrong_token_ends_it(platform: FakeTelegram, spoken: Content) -> None:
    platform.refusals["getMe"] = refused(401, "Unauthorized")
    sound, found = await ran(settings(platform), spoken)
    assert not sound and len(found) == 1 and "BotFather" in found[0][2]


def test_only_languages_with_words_of_their_own_are_set(content: Content) -> None:
    """A language without words shows the default one; Hindi in Latin letters has no code at Telegram."""
    made = plan(load_config(TELEGRAM_TOKEN="1:x"), content)
    spoken = [face.language for face in made.faces]
    assert spoken[0] == "" and all(len(code) == 2 for code in spoken[1:])
    assert {*spoken[1:], *made.without_words} == {code for code in content.locales if len(code) == 2} - {"en"}


def test_words_that_do_not_fit_are_found(content: Content) -> None:
    """64, 120, 512 and 256 characters are what Telegram takes."""
    for start, most in TELEGRAM_LIMITS.items():
        key = next(key for key in content.messages["en"] if key.startswith(start))
        assert any("at most" in problem for problem in message_problems(key, "x" * (most + 1), content))
        assert not any("at most" in problem for problem in message_problems(key, "x" * most, content))


def cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "COLUMNS": "120", **environment}
    command = [sys.executable, "-m", "bot", "telegram", "setup", *arguments]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=50, check=False)


def test_the_command_needs_a_token() -> None:
    done = cli()
    assert done.returncode == 2 and "BotFather" in done.stderr


async def test_the_command_speaks_json(platform: FakeTelegram) -> None:
    """`--json`: an object a line; exit 1 where anything is wrong."""
    platform.me |= {"can_read_all_group_messages": True}
    given = {"TELEGRAM_TOKEN": TELEGRAM_TOKEN, "TELEGRAM_API_URL": platform.url}
    done = await asyncio.to_thread(cli, "--json", "--dry-run", **given)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert all(set(row) == {"step", "state", "detail"} for row in rows) and len(rows) > 7
    assert TELEGRAM_TOKEN not in done.stdout + done.stderr


async def test_up_says_how_messages_come(platform: FakeTelegram, bot: Bot, spoken: Content) -> None:
    """A webhook that may be another machine's stays where polling is only implied; asked for, it goes."""
    platform.webhook["url"] = "https://old.example.org/webhooks/telegram"

    async def said(config: Config) -> str:
        lines: list[str] = []
        parts = SimpleNamespace(bot=bot, config=config, content=spoken, now=utc_now)
        await _connect_telegram(cast("Service", parts), lines.append)
        return "\n".join(lines)

    assert "NOT receiving" in await said(settings(platform))
    assert changes(platform) == []
    assert "long polling" in await said(settings(platform, TELEGRAM_MODE="polling"))
    assert changes(platform) == ["deleteWebhook"]
    assert f"webhook {URL}/webhooks/telegram" in await said(webhook(platform))
    platform.refusals["getWebhookInfo"] = refused(401, "Unauthorized")
    assert "BotFather" in await said(webhook(platform))
