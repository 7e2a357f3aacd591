"""A Telegram platform on this machine, and a bot that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bot.channels import telegram
from bot.domain.messages import InboundMessage
from bot.ports import StoreUnavailable
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, telegram_server


@pytest.fixture
async def platform() -> AsyncIterator[FakeTelegram]:
    async with telegram_server() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
async def bot(platform: FakeTelegram) -> AsyncIterator[Bot]:
    made = telegram.make_bot(TELEGRAM_TOKEN, platform.url)
    await telegram.open_requests(made)
    yield made
    await telegram.close_requests(made)


class Taken:
    """What came in; may be down."""

    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []
        self.aside: list[bytes] = []
        self.down = False

    async def receive(self, message: InboundMessage) -> bool:
        if self.down:
            raise StoreUnavailable("down")
        self.messages.append(message)
        return True

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        self.aside.append(raw)


@pytest.fixture
def taken() -> Taken:
    return Taken()
