"""The webhooks as the platforms meet them, over the whole service."""

from __future__ import annotations

import json

import aiohttp
import pytest

from bot.app import Service, open_service
from bot.config import Config
from bot.domain.messages import InboundMessage
from bot.doors import web_app
from bot.ports import StoreUnavailable
from tests.platforms import PHONE_ID, SECRET, serving, signed, whatsapp_batch, whatsapp_text

TELEGRAM_SECRET = "made-up-telegram-secret"


async def test_what_cannot_be_kept_anywhere_is_503(
    config: Config, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A24: database silent and disk full, so the platform must send it again; once either is back it is kept."""
    settings = {
        "whatsapp_token": "t", "whatsapp_phone_id": PHONE_ID, "whatsapp_app_secret": SECRET, "whatsapp_verify_token": "v",
        "telegram_token": "123:made-up", "telegram_secret": TELEGRAM_SECRET, "public_url": "https://bot.example",
    }  # fmt: skip
    secret = type(config.whatsapp_token)
    given = config.model_copy(
        update={
            name: value if name in {"whatsapp_phone_id", "public_url"} else secret(value)
            for name, value in settings.items()
        }
    )
    async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        full = _broken(service, monkeypatch)
        body = whatsapp_batch(whatsapp_text(1, "मदद"))
        update = {
            "update_id": 7,
            "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "help"},
        }
        telegram = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET, "Content-Type": "application/json"}
        posts = (("whatsapp", body, signed(body)), ("telegram", json.dumps(update).encode(), telegram))
        async with serving(web_app(service)) as url, aiohttp.ClientSession() as session:
            for name, raw, headers in posts:
                async with session.post(f"{url}/webhooks/{name}", data=raw, headers=headers) as answer:
                    assert (answer.status, "Retry-After" in answer.headers) == (503, True), name
            full.clear()
            for name, raw, headers in posts:
                async with session.post(f"{url}/webhooks/{name}", data=raw, headers=headers) as answer:
                    assert answer.status == 200, name
        assert len(full) == 0


def _broken(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Break the inbox for good, and the spool until the returned list is emptied."""
    full = [True]
    append = service.spool.append

    async def silent(_: InboundMessage) -> bool:
        raise StoreUnavailable("silent")

    async def appended(message: InboundMessage) -> None:
        if full:
            raise OSError(28, "No space left on device")
        await append(message)

    monkeypatch.setattr(service.inbox, "add", silent)
    monkeypatch.setattr(service.spool, "append", appended)
    return full
