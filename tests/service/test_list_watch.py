"""Pages about lists: an old one once and then weekly, a quarantined import once, however many processes look."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.app import Service, open_service
from bot.config import Config, load_config
from bot.domain.agencies import Agency, AgencyList, ListState, Standing
from bot.running import running
from bot.service.watch import ListWatch
from bot.store.alerts import MongoAlerts
from tests.conftest import NOW
from tests.platforms import TELEGRAM_TOKEN, alert_server, telegram_server

PAGERS = ("console", "email", "webhook")
ROW = Agency("B-1", "Kaveri", "B-1", Standing.ACTIVE, source="made-up")


async def put(service: Service, as_of: date, source: str = "made-up") -> AgencyList:
    """Put a list of that day in force."""
    listing = AgencyList(source, "List of agents {x}", as_of, NOW, "c" * 64, sample=False, rows=1)
    return await service.agencies.apply(listing, [ROW])


class Clock:
    """A time that tests move."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def watches(service: Service, clock: Clock, count: int = 3) -> list[ListWatch]:
    """Return what several processes would run."""
    return [ListWatch(service.agencies, MongoAlerts(service.db), PAGERS, clock) for _ in range(count)]


async def look(service: Service, clock: Clock) -> Counter[str]:
    """Let three processes look at once and each once more; return which channels were to be paged, by kind."""
    before = {row["_id"] async for row in service.db["alerts"].find()}
    several = watches(service, clock)
    new = sum(await asyncio.gather(*(watch.look() for watch in (*several, *several))))
    rows = [row async for row in service.db["alerts"].find() if row["_id"] not in before]
    assert new == len(rows)
    return Counter(f"{row['kind']} {row['channel']}" for row in rows)


ONCE = Counter({"stale_list email": 1, "stale_list webhook": 1})


async def test_an_old_list_pages_once_then_weekly_until_a_new_one_comes(service: Service) -> None:
    """On the 46th day, the 53rd, the 60th; not on the days between; a process that slept pages once, not thrice."""
    clock = Clock()
    await put(service, NOW.date() - timedelta(days=45))
    assert await look(service, clock) == Counter()
    paged = []
    for days in range(46, 68):
        clock.now = NOW + timedelta(days=days - 45)
        if found := await look(service, clock):
            assert found == ONCE
            paged.append(days)
    assert paged == [46, 53, 60, 67]
    clock.now += timedelta(days=30)
    assert await look(service, clock) == ONCE
    await put(service, clock.now.date() - timedelta(days=3))
    assert await look(service, clock) == Counter()
    await put(service, clock.now.date() - timedelta(days=50), "other")
    assert await look(service, clock) == ONCE


async def test_a_new_import_of_the_same_day_does_not_page_again(service: Service) -> None:
    """It is the day the list speaks of that is old."""
    day = NOW.date() - timedelta(days=46)
    await put(service, day)
    assert await look(service, Clock()) == ONCE
    await put(service, day)
    assert await look(service, Clock()) == Counter()


async def test_an_import_in_quarantine_pages_once(service: Service) -> None:
    """Whoever imported it; each such version anew; one that is released or discarded no more."""
    await put(service, NOW.date())
    for version in (2, 3):
        stored = await service.agencies.store(await put(service, NOW.date(), "other"), [ROW])
        await service.agencies.settle(stored, ListState.QUARANTINED, "it loses 2 of 3 rows.")
        assert stored.version == 2 * (version - 1)
        expected = Counter({"quarantined_list email": 1, "quarantined_list webhook": 1})
        assert await look(service, Clock()) == expected
        assert await look(service, Clock(NOW + timedelta(days=30))) == Counter()
    await service.db["alerts"].delete_many({})
    assert await service.agencies.discard("other", 2)
    await service.agencies.make_current("other", 4, release=True)
    assert await look(service, Clock()) == Counter()


class Mailbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.got.append(envelope.content.decode())
        return "250 OK"


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[int, Mailbox]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    try:
        yield controller.port, box
    finally:
        controller.stop()


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_pages_about_lists_reach_mail_webhook_and_group(config: Config, mongodb_uri: str, tmp_path: Path) -> None:
    """In their own words, with the way to the lists, signed; two services over one database page once."""
    async with telegram_server() as telegram, alert_server() as (url, pages), mail_server() as (port, box):
        given = load_config(
            SAHYATRI_DATA=tmp_path, MONGODB_NAME=config.mongodb_name, PUBLIC_URL="https://a.example",
            ALERT_WEBHOOK_URL=url, ALERT_WEBHOOK_SECRET="made-up-alert-key", ALERT_EMAIL_TO="admin@a.example",
            ALERT_EMAIL_FROM="bot@a.example", SMTP_HOST="127.0.0.1", SMTP_PORT=port, SMTP_TLS="none",
            TELEGRAM_TOKEN=TELEGRAM_TOKEN, TELEGRAM_WEBHOOK_SECRET="made-up-webhook-secret", TELEGRAM_API_URL=telegram.url,
            TELEGRAM_RESPONDERS_CHAT="-100777",
        )  # fmt: skip
        async with (
            open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as one,
            open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as two,
        ):
            today = one.now().date()
            await put(one, today - timedelta(days=52))
            stored = await one.agencies.store(await put(one, today, "other"), [ROW])
            await one.agencies.settle(stored, ListState.QUARANTINED, "it loses 2 of 3 rows.")
            async with running(one), running(two), asyncio.timeout(20):
                while min(len(box.got), len(pages), len(telegram.sent)) < 2:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(1)
        assert telegram.faults == []
    texts = sorted(call["text"] for call in telegram.sent)
    held, old = texts
    assert "“List of agents {x}” is 52 days old" in old
    assert old.endswith("https://a.example/console/lists")
    assert "waits in quarantine: it loses 2 of 3 rows." in held
    bodies = sorted(pages, key=lambda page: str(page["list"]))
    assert [(page["kind"], page["list"], "case" in page) for page in bodies] == [
        ("stale_list", "made-up", False), ("quarantined_list", "other", False),
    ]  # fmt: skip
    assert len(box.got) == 2
    subjects = {line for mail in box.got for line in mail.splitlines() if line.startswith("Subject")}
    assert subjects == {"Subject: Sahyatri made-up", "Subject: Sahyatri other"}


@pytest.mark.parametrize("kind", ["stale_list", "quarantined_list"])
def test_the_words_of_a_page_take_every_value(service: Service, kind: str) -> None:
    """Nothing is left in braces but what a title itself holds."""
    words = service.content.words("en", f"console.lists.alert_{kind}")
    for name in {"stale_list": ("list", "days", "as_of"), "quarantined_list": ("list", "version", "reason")}[kind]:
        assert f"{{{name}}}" in words
        words = words.replace(f"{{{name}}}", json.dumps(name))
    assert "{" not in words
