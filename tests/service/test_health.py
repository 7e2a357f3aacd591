"""A webhook that brings nothing is noticed within an hour, told hourly from the fourth; so are a wrong address, gaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.app import Service, open_service
from bot.channels.telegram_updates import ALLOWED, NEEDED
from bot.config import Config
from bot.domain.health import Delivery, Standing, call_number
from bot.domain.messages import ChannelName
from bot.domain.pace import people_a_day
from bot.platforms import watches
from bot.ports import ChannelError
from bot.service.health import DeliveryWatch, Expected, NumberWatch, keep_looking
from bot.store.leases import MongoLeases
from tests.conftest import NOW
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN, FakeTelegram, telegram_server
from tests.whatsapp_account import TOKEN, account_server

URL = "https://sahyatri.example/webhooks/telegram"
HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """A time that a test moves."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Platform:
    """Says what it was told to say, and counts how often it was asked."""

    says: Delivery | Standing | ChannelError
    asked: list[float] = field(default_factory=list)

    async def __call__(self) -> Delivery:
        self.asked.append(time.monotonic())
        if isinstance(self.says, ChannelError):
            raise self.says
        assert isinstance(self.says, Delivery)
        return self.says


@pytest.fixture
async def told(config: Config, mongodb_uri: str) -> AsyncIterator[Service]:
    """A service with one way to tell an operator."""
    settings = config.model_copy(update={"alert_webhook_url": "http://127.0.0.1:9/page"})
    async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as opened:
        yield opened


def watch_of(service: Service, platform: Platform, clock: Callable[[], datetime]) -> DeliveryWatch:
    service.operator._now = clock
    return DeliveryWatch(ChannelName.TELEGRAM, platform, Expected(URL, NEEDED), service.health, service.operator, clock)


async def pages(service: Service) -> list[tuple[str, dict[str, str]]]:
    rows = await service.db["alerts"].find({}).sort("created_at", 1).to_list()
    return [(row["kind"], row["values"]) for row in rows]


async def test_waiting_messages_are_told_after_an_hour_and_hourly_after_four(told: Service) -> None:
    clock = Clock()
    platform = Platform(Delivery(URL, 3, NOW, "Wrong response from the webhook: 502 Bad Gateway"))
    watch = watch_of(told, platform, clock)
    heard = []
    for minutes in range(0, 6 * 60 + 1, 30):
        clock.at = NOW + timedelta(minutes=minutes)
        platform.says = Delivery(URL, 3 + minutes, clock.at, "Wrong response from the webhook: 502 Bad Gateway")
        await watch.look()
        heard.append(len(await pages(told)))
    assert heard == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4]
    kind, values = (await pages(told))[-1]
    assert (kind, values["hours"], values["pending"]) == ("platform_late", "6", "363")
    assert "502" in values["fault"]


async def test_another_process_goes_on_from_what_the_first_saw_and_a_delay_that_ends_is_forgotten(
    told: Service,
) -> None:
    clock, late = Clock(), Delivery(URL, 500)
    await watch_of(told, Platform(late), clock).look()
    clock.at = NOW + HOUR
    await watch_of(told, Platform(late), clock).look()
    assert [kind for kind, _ in await pages(told)] == ["platform_late"]
    await watch_of(told, Platform(Delivery(URL)), clock).look()
    clock.at = NOW + 5 * HOUR
    await watch_of(told, Platform(late), clock).look()
    assert len(await pages(told)) == 1


async def test_a_few_messages_on_their_way_and_an_old_fault_are_no_delay(told: Service) -> None:
    clock = Clock()
    watch = watch_of(told, Platform(Delivery(URL, 5, NOW - 2 * HOUR, "Connection timed out")), clock)
    for hours in range(6):
        clock.at = NOW + hours * HOUR
        await watch.look()
    assert await pages(told) == []


async def test_another_address_and_missing_kinds_are_told_once_a_day(told: Service) -> None:
    """Of the address the host only: some programs put their token into the path."""
    clock = Clock()
    for _ in range(2):
        await watch_of(told, Platform(Delivery("https://other.example/bot/1:secret")), clock).look()
        await watch_of(told, Platform(Delivery(URL, kinds=("message",))), clock).look()
    clock.at = NOW + timedelta(days=1)
    await watch_of(told, Platform(Delivery("")), clock).look()
    found = await pages(told)
    assert [kind for kind, _ in found] == ["platform_address", "platform_kinds", "platform_address"]
    assert [values.get("address") for _, values in found] == ["other.example", None, "-"]
    assert found[1][1]["kinds"] == "callback_query, edited_message, my_chat_member"
    assert "secret" not in str(await told.db["alerts"].find({}).to_list())


async def test_a_dead_token_is_told_and_silence_is_not(told: Service) -> None:
    await watch_of(told, Platform(ChannelError("telegram:network", retryable=True)), Clock()).look()
    assert await pages(told) == []
    await watch_of(told, Platform(ChannelError("telegram:InvalidToken", retryable=True, account=True)), Clock()).look()
    assert [kind for kind, _ in await pages(told)] == ["channel_fault"]


async def test_of_several_processes_one_asks(told: Service) -> None:
    platforms = [Platform(Delivery(URL)) for _ in range(3)]
    jobs = [
        asyncio.create_task(
            keep_looking(
                [watch_of(told, platform, Clock())], MongoLeases(told.db, told.sealer, f"process{number}").hold, 0.2
            )
        )
        for number, platform in enumerate(platforms)
    ]
    await asyncio.sleep(1.5)
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    asked = sorted(len(platform.asked) for platform in platforms)
    assert asked[:2] == [0, 0]
    assert asked[2] > 2


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with telegram_server() as found:
        yield found
    assert found.faults == []


async def test_the_running_service_asks_telegram(config: Config, mongodb_uri: str, telegram: FakeTelegram) -> None:
    """A webhook is configured: getWebhookInfo as Telegram gives it; with polling nobody asks."""
    given = {
        "telegram_token": SecretStr(TELEGRAM_TOKEN), "telegram_api_url": telegram.url, "telegram_mode": "webhook",
        "telegram_secret": SecretStr(TELEGRAM_SECRET), "public_url": "https://sahyatri.example/",
        "alert_webhook_url": "http://127.0.0.1:9/page",
    }  # fmt: skip
    settings = config.model_copy(update=given)
    telegram.webhook = {"url": URL, "allowed_updates": list(ALLOWED), "pending_update_count": 7}
    telegram.webhook |= {"last_error_date": int(time.time()) - 60, "last_error_message": "Connection refused"}
    async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        (watch,) = watches(service)
        await watch.look()
        assert await pages(service) == []
        long_ago = service.now() - 5 * HOUR
        await service.db["platform_health"].update_one({"_id": "telegram"}, {"$set": {"since": long_ago}})
        await watch.look()
        assert [(kind, values["fault"]) for kind, values in await pages(service)] == [
            ("platform_late", "Connection refused")
        ]
        service.config = settings.model_copy(update={"telegram_mode": "polling"})
        assert watches(service) == []


async def test_whatsapp_is_asked_for_the_number_and_its_limit(config: Config, mongodb_uri: str) -> None:
    """A yellow number is told once a day; the limit is kept, whatever the field is called in that version."""
    async with account_server() as account:
        account.number["quality_rating"] = "YELLOW"
        given = {
            "whatsapp_token": SecretStr(TOKEN), "whatsapp_api_url": account.url, "whatsapp_phone_id": "1001",
            "whatsapp_app_secret": SecretStr("x"), "alert_webhook_url": "http://127.0.0.1:9/page",
        }  # fmt: skip
        settings = config.model_copy(update=given)
        async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
            (watch,) = watches(service)
            assert isinstance(watch, NumberWatch)
            await watch.look()
            await watch.look()
            assert [(kind, values["what"]) for kind, values in await pages(service)] == [
                ("platform_number", "quality YELLOW")
            ]
            assert await service.health.limit("whatsapp") == 1000
            del account.number["messaging_limit_tier"]
            account.number["whatsapp_business_manager_messaging_limit"] = "TIER_UNLIMITED"
            await watch.look()
            assert await service.health.limit("whatsapp") == 0


def test_the_hours_after_which_somebody_hears() -> None:
    minutes = {59: 0, 60: 1, 239: 1, 240: 2, 299: 2, 300: 3, 24 * 60: 22}
    assert {late: call_number(NOW, NOW + timedelta(minutes=late)) for late in minutes} == minutes


def test_what_is_wrong_with_a_number() -> None:
    assert Standing("CONNECTED", "GREEN").troubles() == Standing().troubles() == []
    assert Standing("BANNED", "RED").troubles() == ["status BANNED", "quality RED"]


def test_the_names_of_limits() -> None:
    names = {"TIER_250": 250, "TIER_2K": 2000, "TIER_10K": 10_000, "TIER_100K": 100_000, "TIER_UNLIMITED": 0}
    assert {name: people_a_day(name) for name in names} == names
    assert people_a_day("") is people_a_day("TIER_NEW") is None
