"""`sahyatri whatsapp setup`: what it mends, that a second run changes nothing, and what it says when something is wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import typer
from aiohttp import web
from pydantic import SecretStr

from bot.channels.whatsapp import proof_of
from bot.channels.whatsapp_account import Cloud
from bot.channels.whatsapp_hook import Desk, WhatsAppWebhook
from bot.channels.whatsapp_setup import Finding, Presence, Setup, State, Wanted
from bot.config import load_config
from bot.content.model import Content
from bot.whatsapp import COMMANDS, PROMPTS, set_up
from tests.platforms import PHONE_ID, SECRET, serving
from tests.whatsapp_account import ACCOUNT, TOKEN, FakeAccount, account_server

VERIFY = "verify-me"
PRESENCE = Presence("Free answers.", "Write here.", ["Is this job real?"], {"menu": "Show all topics"})
TEMPLATE = {"name": "hello", "language": "en", "status": "APPROVED", "components": [{"type": "BODY", "text": "Hello."}]}


@pytest.fixture
async def account() -> AsyncIterator[FakeAccount]:
    async with account_server() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Our own webhook, reachable."""
    desk: Any = Desk(*[None] * 6)  # type: ignore[arg-type]
    hook = WhatsAppWebhook(PHONE_ID, (SECRET,), VERIFY, desk, lambda: datetime.now(UTC))
    app = web.Application()
    app.router.add_get("/webhooks/whatsapp", hook.verify)
    async with serving(app) as url:
        yield url


async def run(account: FakeAccount, url: str, *, dry_run: bool = False, **given: Any) -> dict[str, Finding]:
    wanted: dict[str, Any] = {"number": "919000000000", "template": "hello", "presence": PRESENCE, **given}
    secret = wanted.pop("secret", SECRET)
    proof = proof_of(TOKEN, SECRET) if account.proof else ""
    async with aiohttp.ClientSession() as session:
        cloud = Cloud(session, account.url, TOKEN, secret, PHONE_ID, wanted.pop("account_id", ""), proof)
        setup = Setup(cloud, Wanted(url, VERIFY, dry_run=dry_run, **wanted), session, lambda: datetime.now(UTC))
        return {finding.name: finding async for finding in setup.findings()}


async def test_it_mends_everything_once(account: FakeAccount, address: str) -> None:
    """The first run sets webhook, subscription, profile and prompts; the second finds all of it right."""
    account.templates = [{**TEMPLATE, "language": code} for code in ("hi", "ta", "bn", "en")]
    first = await run(account, address)
    assert {name for name, found in first.items() if found.state is State.CHANGED} == {
        "webhook", "subscription", "profile", "prompts",
    }  # fmt: skip
    assert account.profile == {"about": "Free answers.", "description": "Write here."}
    assert account.automation["commands"] == [{"command_name": "menu", "command_description": "Show all topics"}]
    assert "TIER_1K" in first["number"].found and "GREEN" in first["number"].found
    assert "hello (en): APPROVED" in first["templates"].found
    account.changes.clear()
    second = await run(account, address)
    assert {found.state for found in second.values()} == {State.OK}
    assert account.changes == []


async def test_a_dry_run_changes_nothing(account: FakeAccount, address: str) -> None:
    found = await run(account, address, dry_run=True)
    assert {name for name, item in found.items() if item.state is State.WOULD} == {
        "webhook", "subscription", "profile", "prompts",
    }  # fmt: skip
    assert account.changes == []


async def test_the_proof_goes_with_every_call_where_the_app_wants_it(account: FakeAccount, address: str) -> None:
    account.proof = proof_of(TOKEN, SECRET)
    account.templates = [TEMPLATE]
    assert State.WRONG not in {found.state for found in (await run(account, address)).values()}


async def test_each_fault_is_said_in_plain_words(account: FakeAccount, address: str) -> None:
    """One thing wrong at a time: the step that is about it says so, and what to do."""
    assert (await run(account, "http://127.0.0.1:9"))["public address"].state is State.WRONG
    assert (await run(account, ""))["public address"].found == "PUBLIC_URL is not set"
    assert (await run(account, address, secret="other"))["app secret"].found.startswith("the app secret does not fit")
    assert (await run(account, address, number="919999999999"))["number"].state is State.WRONG
    assert (await run(account, address, account_id="1"))["account"].state is State.WRONG
    long = Presence("x" * 140, "", [], {})
    assert "140 characters" in (await run(account, address, presence=long))["profile"].found
    assert (await run(account, address))["templates"].state is State.WRONG
    assert (await run(account, address, template=""))["templates"].state is State.LOOK
    account.templates = [{**TEMPLATE, "components": [{"type": "BODY", "text": "Hello {{1}}"}]}]
    assert "places to fill in" in (await run(account, address))["templates"].found
    account.number["quality_rating"] = "RED"
    assert (await run(account, address))["number"].state is State.LOOK
    account.number["status"] = "RATE_LIMITED"
    assert (await run(account, address))["number"].state is State.WRONG
    account.numbers = ["1"]
    assert (await run(account, address, account_id=ACCOUNT))["account"].state is State.WRONG
    account.scopes = ["whatsapp_business_messaging"]
    lacking = await run(account, address)
    assert [*lacking] == ["token"] and "whatsapp_business_management" in lacking["token"].found
    account.valid = False
    dead = await run(account, address)
    assert [*dead] == ["token"] and "WHATSAPP_TOKEN" in dead["token"].todo


async def test_a_token_that_ends_is_told(account: FakeAccount, address: str) -> None:
    account.expires_at = int(datetime.now(UTC).timestamp()) + 60 * 86400
    assert (await run(account, address))["token"].state is State.LOOK
    account.expires_at = int(datetime.now(UTC).timestamp()) + 86400
    assert (await run(account, address))["token"].state is State.WRONG


async def test_the_command_prints_a_line_for_each_step_and_fails_where_something_is_wrong(
    account: FakeAccount, tmp_path: Path
) -> None:
    """Nobody listens at the public address here, so the run ends with exit code 1; nothing printed holds a secret."""
    given = load_config(SAHYATRI_DATA=tmp_path, WHATSAPP_API_URL=account.url, PUBLIC_URL="https://127.0.0.1:9")
    secrets = {"whatsapp_token": TOKEN, "whatsapp_app_secret": SECRET, "whatsapp_verify_token": VERIFY}
    update: dict[str, object] = {name: SecretStr(value) for name, value in secrets.items()}
    config = given.model_copy(update={**update, "whatsapp_phone_id": PHONE_ID})
    said: list[str] = []
    with pytest.raises(typer.Exit) as ended:
        await set_up(config, "en", dry_run=False, json_lines=True, say=said.append)
    assert ended.value.exit_code == 1
    rows = [json.loads(line) for line in said]
    assert {row["name"]: row["state"] for row in rows} == {
        "token": "ok", "app secret": "ok", "account": "ok", "number": "ok", "public address": "wrong",
        "subscription": "changed", "profile": "changed", "prompts": "changed", "templates": "look",
    }  # fmt: skip
    assert not any(secret in "".join(said) for secret in secrets.values())


def test_the_shipped_words_fit_the_platform(content: Content) -> None:
    """In every locale that has them: about, description, prompts, commands; and the greeting has no places to fill."""
    for code, messages in content.messages.items():
        words = {key.removeprefix("whatsapp."): said for key, said in messages.items() if key.startswith("whatsapp.")}
        if not words:
            continue
        presence = Presence(
            words["about"], " ".join(words["description"].split()), [words[f"prompt_{name}"] for name in PROMPTS],
            {name: words[f"command_{name}"] for name in COMMANDS},
        )  # fmt: skip
        assert presence.problems() == [], code
        assert "{" not in words["template"] and len(words["template"]) <= 1024, code
        assert all(f"/{name}" in content.commands for name in COMMANDS), code
