"""A made-up cry for help goes the whole path, wakes nobody, leaves nothing, and tells of what it did not reach."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Service, open_service
from bot.clients.alerts import ConsolePager
from bot.config import Config, load_config
from bot.domain.canary import canary
from bot.doors import web_app
from bot.ports import Alert, ChannelError, Flight
from bot.running import running
from bot.service.canary import Canary, keep_flying
from tests.platforms import TELEGRAM_TOKEN, alert_server, serving, telegram_server


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def shortened(service: Service) -> Canary:
    service.canary._patience = 4.0
    return service.canary


async def test_it_arrives_and_what_it_does_not_reach_is_told(config: Config, mongodb_uri: str) -> None:
    """Group and webhook are there, the mail server is not: the others hear of it, once; the group got no test page."""
    async with alert_server() as (url, pages), telegram_server() as group:
        given = load_config(
            SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, ALERT_WEBHOOK_URL=url,
            ALERT_WEBHOOK_SECRET="made-up-alert-key", ALERT_EMAIL_TO="a@example.org", ALERT_EMAIL_FROM="b@example.org",
            SMTP_HOST="127.0.0.1", SMTP_PORT=closed_port(), SMTP_TLS="none", TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_API_URL=group.url, TELEGRAM_RESPONDERS_CHAT="-1", PUBLIC_URL="https://a.example",
            TELEGRAM_WEBHOOK_SECRET="made_up_webhook_secret",
        )  # fmt: skip
        async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
            async with running(service), serving(web_app(service)) as site:
                flight = await shortened(service).fly()
                async with service.http.get(f"{site}/health") as answer:
                    health = await answer.json()
            assert set(flight.arrived) == {"console", "webhook", "telegram"}
            assert flight.missing == ("email",)
            assert [page["kind"] for page in pages] == ["canary", "canary_failed"]
            said = [call["text"] for name, call in group.calls if name == "sendMessage"]
            assert len(said) == 1
            assert "email" in said[0]
            assert (health["ok"], health["canary"]["missing"]) == (True, ["email"])
            kept = await service.canary._canaries.last()
            assert kept
            assert (kept.arrived, kept.missing) == (flight.arrived, flight.missing)
            for name in ("cases", "case_events", "alerts", "inbox", "outbox", "conversations"):
                assert await service.db[name].count_documents({}) == 0, name


async def test_it_is_no_person_in_the_queue(service: Service) -> None:
    """While it is under way, its case is not in the queue, has no clock, and was paged only as a canary."""
    canaries = service.canary._canaries
    async with running(service):
        await service.receiver.receive(canary(service.now()))
        async with asyncio.timeout(10):
            while not await canaries.arrived():
                await asyncio.sleep(0.05)
        case = await service.db["cases"].find_one({})
        assert case
        assert case["escalate_at"] is None
        assert await service.cases.queue() == []
        assert await service.db["alerts"].distinct("kind") == ["canary"]


async def test_of_several_processes_one_sends_it(service: Service) -> None:
    canaries = service.canary._canaries
    turns = await asyncio.gather(*(canaries.my_turn(300.0) for _ in range(6)))
    assert sum(turns) == 1
    assert not await canaries.my_turn(300.0)


RESTRICTED = dict.fromkeys(
    (
        "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos", "can_send_video_notes",
        "can_send_voice_notes", "can_send_polls", "can_send_other_messages", "can_add_web_page_previews",
        "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics", "can_edit_tag", "can_react_to_messages",
    ),
    False,
)  # fmt: skip
MEMBERS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a member": ({"status": "member"}, {}, True),
    "a member of a group that is closed": ({"status": "member"}, {"permissions": {"can_send_messages": False}}, False),
    "restricted": (
        {"status": "restricted", "is_member": True, "can_send_messages": False, "until_date": 0, **RESTRICTED},
        {},
        False,
    ),
    "left": ({"status": "left"}, {}, False),
}


@pytest.mark.parametrize(("member", "chat", "may"), MEMBERS.values(), ids=MEMBERS)
async def test_a_group_that_takes_no_words_of_ours_is_found(
    config: Config, mongodb_uri: str, member: dict[str, Any], chat: dict[str, Any], may: bool
) -> None:
    async with telegram_server() as group:
        group.member, group.chat = member, chat
        given = load_config(
            SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_API_URL=group.url, TELEGRAM_RESPONDERS_CHAT="-1", PUBLIC_URL="https://a.example",
            TELEGRAM_WEBHOOK_SECRET="made_up_webhook_secret",
        )  # fmt: skip
        async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
            check = service.pagers["telegram"].check(Alert("x", "", "telegram", "canary", "", "en"))
            if may:
                await check
            else:
                with pytest.raises(ChannelError, match="no_rights"):
                    await check
        assert group.faults == []


class Broken(ConsolePager):
    async def page(self, alert: Alert) -> None:
        raise ZeroDivisionError


async def test_it_goes_on_after_any_error(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pager that breaks does not end a flight, a flight that breaks does not end the loop."""
    flown = service.canary
    monkeypatch.setattr(flown, "_pagers", {"console": Broken(lambda: None), "x": Broken(lambda: None)})
    monkeypatch.setattr(flown, "_patience", 0.5)
    assert (await flown.fly()).missing == ("console", "x")
    times = 0

    async def breaks(_: float) -> None:
        nonlocal times
        times += 1
        raise ZeroDivisionError

    monkeypatch.setattr(flown, "take_turn", breaks)
    loop = asyncio.create_task(keep_flying(flown, 0.01))
    async with asyncio.timeout(5):
        while times < 3:
            await asyncio.sleep(0.01)
    loop.cancel()


async def test_one_that_flies_no_more_is_failing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "config", service.config.model_copy(update={"canary_every": 60.0}))
    async with serving(web_app(service)) as site:
        for age, right in ((100, True), (200, False)):
            service.canary.last = Flight(service.now() - timedelta(seconds=age), {"console": 0.1}, ())
            async with service.http.get(f"{site}/health") as answer:
                assert (await answer.json())["canary"]["ok"] is right
