"""Telegram on this machine, and the whole service that asks it for messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.app import Service, open_service
from bot.config import Config
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, telegram_server


@pytest.fixture
async def platform() -> AsyncIterator[FakeTelegram]:
    async with telegram_server() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
async def polling(config: Config, mongodb_uri: str, platform: FakeTelegram) -> AsyncIterator[Service]:
    """The whole service, polling the platform on this machine."""
    secret = type(config.telegram_token)
    given = config.model_copy(update={"telegram_token": secret(TELEGRAM_TOKEN), "telegram_api_url": platform.url})
    async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
        yield service
