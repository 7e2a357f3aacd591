"""Every kind of thing that the Cloud API brings, read alone; the shapes are those of its published references."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.whatsapp_hook import Desk, WhatsAppWebhook
from bot.channels.whatsapp_inbound import changes, parse, parse_id_update, parse_move, parse_status
from bot.domain.messages import Carrier, InboundMessage, Moved, Receipt
from bot.service.receive import NotAccepted
from tests.platforms import PHONE_ID, SECRET

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SENDER = "910000000001"
Item = dict[str, Any]


def item(kind: str, part: object = None, **fields: object) -> Item:
    base: Item = {"from": SENDER, "id": "wamid.k", "timestamp": str(int(NOW.timestamp())), "type": kind}
    return {**base, **({kind: part} if part is not None else {}), **fields}


def read(given: Item) -> InboundMessage:
    message = parse(given, PHONE_ID, NOW)
    assert message
    return message


CARD = {"name": {"formatted_name": "Ravi Agent"}, "phones": [{"phone": "+91 98000 00000", "type": "CELL"}]}
KINDS: dict[str, tuple[Item, Carrier, str, str | None]] = {
    "text": (item("text", {"body": "नमस्ते"}), Carrier.TEXT, "नमस्ते", None),
    "text from an advert keeps its words": (
        item("text", {"body": "ST:NDLS hello"}, referral={"source_url": "https://fb.example"}),
        Carrier.TEXT, "ST:NDLS hello", None,
    ),
    "button reply": (
        item("interactive", {"type": "button_reply", "button_reply": {"id": "c:help", "title": "Help"}}),
        Carrier.CHOICE, "Help", "c:help",
    ),
    "list reply": (
        item("interactive", {"type": "list_reply", "list_reply": {"id": "t:eshram", "title": "e-Shram"}}),
        Carrier.CHOICE, "e-Shram", "t:eshram",
    ),
    "a form that we never sent": (item("interactive", {"type": "nfm_reply", "nfm_reply": {}}), Carrier.UNSUPPORTED, "", None),
    "quick reply of a template": (
        item("button", {"text": "Read it", "payload": "c:menu"}), Carrier.CHOICE, "Read it", "c:menu",
    ),
    "voice": (item("audio", {"id": "9", "voice": True}), Carrier.VOICE, "", None),
    "image": (item("image", {"id": "9", "mime_type": "image/jpeg"}), Carrier.IMAGE, "", None),
    "image with words": (item("image", {"id": "9", "caption": "bachao"}), Carrier.CAPTION, "bachao", None),
    "video": (item("video", {"id": "9", "mime_type": "video/mp4"}), Carrier.VIDEO, "", None),
    "document": (item("document", {"id": "9", "mime_type": "application/pdf"}), Carrier.DOCUMENT, "", None),
    "document that is a picture": (item("document", {"id": "9", "mime_type": "image/png"}), Carrier.IMAGE, "", None),
    "sticker": (item("sticker", {"id": "9", "mime_type": "image/webp", "animated": False}), Carrier.STICKER, "", None),
    "sticker that names its picture": (item("sticker", {"id": "9", "emoji": "🆘"}), Carrier.STICKER, "🆘", None),
    "location": (item("location", {"latitude": 1, "longitude": 2, "name": "A"}), Carrier.LOCATION, "", None),
    "contacts without words": (item("contacts", [{}]), Carrier.CONTACT, "", None),
    "contacts": (item("contacts", [CARD, CARD]), Carrier.TEXT, "\n".join(["Ravi Agent +91 98000 00000"] * 2), None),
    "reaction": (item("reaction", {"message_id": "wamid.o", "emoji": "🆘"}), Carrier.REACTION, "🆘", None),
    "order with words": (item("order", {"catalog_id": "1", "text": "two please"}), Carrier.TEXT, "two please", None),
    "order": (item("order", {"catalog_id": "1", "product_items": []}), Carrier.UNSUPPORTED, "", None),
    "removed": (item("revoke", {"original_message_id": "wamid.o"}), Carrier.REMOVED, "", None),
    "edited": (
        item("edit", {"original_message_id": "wamid.o", "message": {"type": "text", "text": {"body": "bachao"}}}),
        Carrier.EDITED, "bachao", None,
    ),
    "edited caption": (
        item("edit", {"message": {"type": "image", "image": {"id": "9", "caption": "bachao"}}}),
        Carrier.EDITED, "bachao", None,
    ),
    "edited beyond reading": (item("edit", {"message": None}), Carrier.UNSUPPORTED, "", None),
    "ephemeral": (item("ephemeral", errors=[{"code": 131051}]), Carrier.UNSUPPORTED, "", None),
    "unsupported": (item("unsupported", errors=[{"code": 131051, "title": "x"}]), Carrier.UNSUPPORTED, "", None),
    "unknown": (item("hologram", {"id": "9"}), Carrier.UNSUPPORTED, "", None),
    "no kind at all": (item("", type=None), Carrier.UNSUPPORTED, "", None),
    "a kind whose part is nonsense": (item("text", "nonsense"), Carrier.TEXT, "", None),
    "lone surrogate": (item("text", {"body": "lone \ud800"}), Carrier.TEXT, "lone \ufffd", None),
}  # fmt: skip


@pytest.mark.parametrize(("given", "carrier", "words", "choice"), KINDS.values(), ids=KINDS.keys())
def test_every_kind_becomes_a_message(given: Item, carrier: Carrier, words: str, choice: str | None) -> None:
    """E22: nothing that a person sends is lost, and nothing unknown is an error."""
    found = read(given)
    assert (found.carrier, found.text.reveal(), found.choice) == (carrier, words, choice)


@pytest.mark.parametrize(
    "given",
    [
        item("text", {"body": "in a group"}, group_id="g"),
        item("reaction", {"message_id": "wamid.o", "emoji": ""}),
        item("reaction", {"message_id": "wamid.o"}),
        item("request_welcome"),
        item("system", {"type": "user_changed_number", "wa_id": "1"}),
        item("system", {"type": "customer_identity_changed"}),
    ],
)
def test_what_nobody_wrote_to_us_is_no_message(given: Item) -> None:
    """E24: groups, a reaction taken back, an opened chat, notices."""
    assert parse(given, PHONE_ID, NOW) is None


def test_a_person_without_a_number_is_known_by_the_other_id() -> None:
    """E23, W10: the number where there is one, and the other id beside it."""
    both = read(item("text", {"body": "x"}, from_user_id="IN.1a2B"))
    assert (both.address.value.reveal(), both.also.reveal()) == (SENDER, "IN.1a2B")
    only = read(item("text", {"body": "x"}, **{"from": None, "from_user_id": "IN.1a2B"}))
    assert (only.address.value.reveal(), only.also.reveal()) == ("IN.1a2B", "")
    with pytest.raises(ValueError, match="no sender"):
        parse(item("text", {"body": "x"}, **{"from": 2**64}), PHONE_ID, NOW)


@pytest.mark.parametrize(
    ("stamp", "late"),
    [
        (int(NOW.timestamp()) - 90, 90), (str(int(NOW.timestamp()) - 90), 90), (int(NOW.timestamp() - 90) * 1000, 90),
        ("-5", 0), ("999999999999999999", 0), ("nan", 0), ("x", 0), ("", 0), (None, 0), ([], 0),
        (int(NOW.timestamp()) + 10**8, 0),
    ],
)  # fmt: skip
def test_times_are_seconds_or_milliseconds_and_nonsense_is_now(stamp: object, late: int) -> None:
    """E21, W8."""
    found = read(item("text", {"body": "x"}, timestamp=stamp))
    assert abs((NOW - found.sent_at) - timedelta(seconds=late)) < timedelta(seconds=2)


def test_an_edit_or_a_removal_under_the_same_id_is_not_the_message_again() -> None:
    """W7: the same wamid twice is one message; its later fate is another."""
    plain, edit, gone = (read(item(kind, {})).key for kind in ("text", "edit", "revoke"))
    assert len({plain, edit, gone}) == 3
    assert read(item("text", {})).key == plain


def test_pictures_films_and_papers_are_to_be_fetched() -> None:
    """With or without a caption; every document, whatever it says it is; a sticker is a picture."""
    kinds: list[Item] = [
        item("image", {"id": "1", "mime_type": "image/jpeg", "sha256": "x"}),
        item("image", {"id": "2", "mime_type": "image/webp; charset=binary", "caption": "sahi hai"}),
        item("document", {"id": "3", "mime_type": "image/png", "filename": "card.png"}),
        item("sticker", {"id": "4", "mime_type": "image/webp"}),
        item("document", {"id": "5", "mime_type": "application/pdf", "filename": "offer.pdf"}),
        item("video", {"id": "6", "mime_type": "video/mp4"}),
        item("image", {"id": "7", "mime_type": "image/svg+xml"}),
        item("image", "nonsense"),
    ]
    found = [read(given).media for given in kinds]
    assert [media and (media.id.reveal(), media.mime) for media in found] == [
        ("1", "image/jpeg"), ("2", "image/webp"), ("3", "image/png"), ("4", "image/webp"),
        ("5", "application/pdf"), ("6", "video/mp4"), None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "part",
    [
        {"type": "user_changed_number", "wa_id": "910000000009", "body": "User x changed from 1 to 2"},
        {"type": "customer_changed_number", "new_wa_id": "910000000009"},
        {"type": "user_changed_user_id", "user_id": "910000000009"},
    ],
)
def test_a_new_number_is_a_move(part: Item) -> None:
    """E23: in the shapes that the platform has used for it."""
    moved = parse_move(item("system", part), PHONE_ID, NOW)
    assert moved
    assert (moved.old.value.reveal(), moved.new.value.reveal()) == (SENDER, "910000000009")


@pytest.mark.parametrize(
    "part", [{"type": "customer_identity_changed"}, {"type": "user_changed_number", "wa_id": SENDER}, "nonsense", None]
)
def test_other_notices_move_nobody(part: object) -> None:
    """A new security code says nothing about the number; neither does a move to the same one."""
    assert parse_move(item("system", part), PHONE_ID, NOW) is None


def test_a_new_id_is_a_move() -> None:
    moved = parse_id_update({"user_id": {"previous": "IN.1", "current": "IN.2"}, "timestamp": "1"}, PHONE_ID, NOW)
    assert moved and (moved.old.value.reveal(), moved.new.value.reveal()) == ("IN.1", "IN.2")
    assert parse_id_update({"user_id": {"previous": "IN.1"}}, PHONE_ID, NOW) is None
    with pytest.raises(ValueError, match="former"):
        parse_id_update({"user_id": {"current": "IN.2"}}, PHONE_ID, NOW)


def test_a_failed_report_says_what_is_to_be_done() -> None:
    """The same table as for an answer: again after a while, wait for the person, tell an operator."""

    def failed(code: object) -> tuple[float | None, set[str]]:
        found = parse_status({"id": "w", "status": "failed", "timestamp": "1", "errors": [{"code": code}]}, NOW)
        assert found
        return found.again, {name for name in ("closed", "alarm", "gone", "plain", "account") if getattr(found, name)}

    assert failed(131047) == (None, {"closed"})
    assert failed(131026) == (None, {"gone"})
    assert failed(131049) == (None, {"alarm"})
    assert failed(131000) == (10.0, set())
    assert failed(130429) == (10.0, set())
    assert failed(190) == (60.0, {"alarm", "account"})
    for code in (131052, 131053):
        assert failed(code) == (0.0, {"plain"})
    for code in (100, 131008, 131009, 131051):
        assert failed(code) == (0.0, {"plain", "alarm"})
    assert parse_status({"id": "w", "status": "deleted"}, NOW) is None


def batch(field: str, value: Item, phone_id: str = PHONE_ID) -> Item:
    return {"entry": [{"changes": [{"field": field, "value": {"metadata": {"phone_number_id": phone_id}, **value}}]}]}


def test_every_entry_and_change_is_read_and_another_number_is_not_ours() -> None:
    """W6: many entries with many changes; what belongs to another number of the account is left to its service."""
    one = {"metadata": {"phone_number_id": PHONE_ID}, "messages": [1]}
    other = {"metadata": {"phone_number_id": "2002"}, "messages": [2]}
    bare = {"messages": [3]}
    entries: list[Any] = [
        {"changes": [{"field": "messages", "value": value} for value in (one, other, bare)]},
        "nonsense",
        {"changes": "nonsense"},
        {"changes": [{"field": "messages", "value": "nonsense"}, {"field": "messages", "value": one}]},
    ]
    assert [value["messages"] for _, value in changes({"entry": entries}, PHONE_ID)] == [[1], [3], [1]]


class Taken:
    """Everything that a webhook handed on, in order."""

    def __init__(self) -> None:
        self.order: list[str] = []

    async def receive(self, message: InboundMessage) -> bool:
        self.order.append(f"message {message.text.reveal()}")
        return True

    async def report(self, receipt: Receipt) -> None:
        self.order.append(f"status {receipt.state.value}")

    async def moved(self, moved: Moved) -> None:
        self.order.append(f"moved {moved.new.value.reveal()}")

    async def quarantine(self, _: str, __: bytes, reason: str) -> None:
        self.order.append(f"aside {reason}")

    async def alarm(self, reason: str) -> None:
        self.order.append(f"alarm {reason}")

    async def refused(self, reason: str) -> None:
        self.order.append(f"refused {reason}")


def hook(taken: Taken) -> WhatsAppWebhook:
    desk = Desk(taken.receive, taken.report, taken.quarantine, taken.moved, taken.alarm, taken.refused)
    return WhatsAppWebhook(PHONE_ID, (SECRET,), "v", desk, lambda: NOW)


async def take(payload: Item) -> list[str]:
    taken = Taken()
    await hook(taken).take(payload)
    return taken.order


async def test_items_of_one_change_stand_alone_and_moves_come_first() -> None:
    value: Item = {
        "messages": [
            item("text", {"body": "hello"}),
            {"id": 2**64, "from": None},
            item("system", {"type": "user_changed_number", "wa_id": "7"}),
        ],
        "statuses": [{"id": "w", "status": "read", "timestamp": "1"}, "nonsense", {"status": "sent"}],
        "user_id_update": [{"user_id": {"previous": "IN.1", "current": "IN.2"}}, 5],
        "errors": [{"code": 131000}, {"code": 131031}, "nonsense"],
    }
    assert await take(batch("messages", value)) == [
        "moved IN.2", "aside TypeError", "moved 7", "message hello", "aside ValueError", "status read",
        "aside TypeError", "aside KeyError", "refused whatsapp:131031", "aside TypeError",
    ]  # fmt: skip


class Silent(Taken):
    """The database is silent: the spool takes messages, nothing takes a move or a report."""

    async def moved(self, moved: Moved) -> None:
        await super().moved(moved)
        raise NotAccepted("silent")

    async def report(self, receipt: Receipt) -> None:
        await super().report(receipt)
        raise NotAccepted("silent")


async def test_while_the_database_is_silent_no_message_waits_for_a_move() -> None:
    """W6: one move is tried, every message of every change is kept, and the batch is asked for again at the end."""
    value: Item = {
        "user_id_update": [{"user_id": {"previous": f"IN.{n}", "current": f"IN.{n}x"}} for n in (1, 2)],
        "messages": [item("system", {"type": "user_changed_number", "wa_id": "7"}), item("text", {"body": "help"})],
        "statuses": [{"id": "w", "status": "read", "timestamp": "1"}] * 2,
    }
    silent = Silent()
    both = {"entry": [*batch("messages", value)["entry"], *batch("messages", value)["entry"]]}
    with pytest.raises(NotAccepted):
        await hook(silent).take(both)
    one = ["moved IN.1x", "message help"]
    assert silent.order == [*one, *one, *["status read"] * 4]


async def test_bad_news_about_the_account_reaches_an_operator() -> None:
    """A template refused, a number restricted; good news does not."""
    refused = {"event": "REJECTED", "message_template_name": "hello"}
    assert await take(batch("message_template_status_update", refused)) == [
        "alarm whatsapp:message_template_status_update:REJECTED"
    ]
    assert await take(batch("message_template_status_update", {"event": "APPROVED"})) == []
    assert await take(batch("account_update", {"event": "DISABLED_UPDATE"})) == [
        "alarm whatsapp:account_update:DISABLED_UPDATE"
    ]
    assert await take(batch("phone_number_quality_update", {"event": "UPGRADE"})) == []
