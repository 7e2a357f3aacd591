"""A responders' group on the local Telegram: topics, buttons, rights, a limit of 20 messages a minute, migration."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests import telegram_interface
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, serving

GROUP = -1009000001
MOVED_TO = -1009000002


@dataclass
class Thread:
    """One topic and what stands in it."""

    name: str
    open: bool = True
    said: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass
class FakeForum(FakeTelegram):
    """The Bot API with one supergroup."""

    threads: dict[int, Thread] = field(default_factory=dict)
    general: list[dict[str, Any]] = field(default_factory=list)
    private: list[tuple[int, str]] = field(default_factory=list)
    answered: list[dict[str, Any]] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    marked: list[int] = field(default_factory=list)
    denied: dict[str, str] = field(default_factory=dict)
    per_minute: int = 0
    too_many: int = 0
    group: int = GROUP
    at: list[float] = field(default_factory=list)
    next_id: int = 1000

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        fields = {name: str(value) for name, value in (await request.post()).items()}
        own = getattr(self, f"_{method}", None)
        if request.match_info["token"] != TELEGRAM_TOKEN or not own:
            return await super().handle(request)
        self.faults += telegram_interface.faults(method, fields)
        self.calls.append((method, fields))
        if self.before_answer:
            await self.before_answer({"method": method, **fields})
        if self.answers:
            status, answer = self.answers.pop(0)
            return web.json_response(answer, status=status)
        if method in self.denied:
            return refused(400, self.denied[method])
        if "removed" in self.denied and "chat_id" in fields and int(fields["chat_id"]) < 0:
            return refused(403, "Forbidden: bot was kicked from the supergroup chat")
        if fields.get("chat_id") == str(GROUP) and self.group != GROUP:
            moved = {"migrate_to_chat_id": self.group}
            return refused(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        result: web.Response = own(fields)
        return result

    def _thread(self, fields: dict[str, Any]) -> Thread | None:
        return self.threads.get(int(fields["message_thread_id"]))

    def _sendMessage(self, fields: dict[str, Any]) -> web.Response:
        chat = int(fields["chat_id"])
        if chat > 0:
            self.private.append((chat, fields["text"]))
            return self._message(fields, "private")
        self.at = [moment for moment in self.at if moment > time.monotonic() - 60]
        if self.per_minute and len(self.at) >= self.per_minute:
            self.too_many += 1
            return refused(429, "Too Many Requests: retry after 1", {"retry_after": 1})
        self.at.append(time.monotonic())
        if "message_thread_id" not in fields:
            self.general.append({**fields, "message_id": self.next_id})
            return self._message(fields, "supergroup")
        thread = self._thread(fields)
        if not thread:
            return refused(400, "Bad Request: message thread not found")
        thread.said.append(fields["text"])
        thread.numbers.append(self.next_id)
        return self._message(fields, "supergroup")

    def _message(self, fields: dict[str, Any], kind: str) -> web.Response:
        self.next_id += 1
        chat = {"id": int(fields["chat_id"]), "type": kind}
        return done({"message_id": self.next_id - 1, "date": int(time.time()), "chat": chat, "text": fields["text"]})

    def _editMessageText(self, fields: dict[str, Any]) -> web.Response:
        self.edits.append(fields)
        chat = {"id": int(fields["chat_id"]), "type": "supergroup"}
        return done({"message_id": int(fields["message_id"]), "date": 1, "chat": chat, "text": fields["text"]})

    def _createForumTopic(self, fields: dict[str, Any]) -> web.Response:
        self.next_id += 1
        self.threads[self.next_id] = Thread(fields["name"])
        return done({"message_thread_id": self.next_id, "name": fields["name"], "icon_color": 1})

    def _closeForumTopic(self, fields: dict[str, Any]) -> web.Response:
        return self._set_open(fields, is_open=False)

    def _reopenForumTopic(self, fields: dict[str, Any]) -> web.Response:
        return self._set_open(fields, is_open=True)

    def _set_open(self, fields: dict[str, Any], *, is_open: bool) -> web.Response:
        thread = self._thread(fields)
        if not thread:
            return refused(400, "Bad Request: TOPIC_ID_INVALID")
        if thread.open is is_open:
            return refused(400, "Bad Request: TOPIC_NOT_MODIFIED")
        thread.open = is_open
        return done(True)

    def _deleteForumTopic(self, fields: dict[str, Any]) -> web.Response:
        gone = self.threads.pop(int(fields["message_thread_id"]), None)
        return done(True) if gone else refused(400, "Bad Request: TOPIC_ID_INVALID")

    def _answerCallbackQuery(self, fields: dict[str, Any]) -> web.Response:
        self.answered.append(fields)
        return done(True)

    def _setMessageReaction(self, fields: dict[str, Any]) -> web.Response:
        self.marked.append(int(fields["message_id"]))
        return done(True)

    @property
    def pages(self) -> list[dict[str, Any]]:
        """Pages with buttons, in the general topic."""
        return [fields for fields in self.general if "reply_markup" in fields]

    def buttons(self, page: dict[str, Any]) -> dict[str, str]:
        """Label → id of the buttons under a message."""
        rows = json.loads(page["reply_markup"])["inline_keyboard"]
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    def one(self) -> Thread:
        """The only topic."""
        (thread,) = self.threads.values()
        return thread

    def number(self) -> int:
        """Its number."""
        (number,) = self.threads
        return number


def done(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def refused(code: int, description: str, parameters: dict[str, Any] | None = None) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)


@contextlib.asynccontextmanager
async def forum_server() -> AsyncIterator[FakeForum]:
    fake = FakeForum()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", fake.handle)
    async with serving(app) as url:
        fake.url = url
        yield fake


def person(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "x"}


def in_group(thread: int = 0, message: int = 1, group: int = GROUP) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message_id": message,
        "date": int(time.time()),
        "chat": {"id": group, "type": "supergroup", "title": "team", "is_forum": True},
    }
    return found | ({"message_thread_id": thread, "is_topic_message": True} if thread else {})


def written(update: int, sender: int, thread: int, text: str, **more: Any) -> dict[str, Any]:
    """A message in a topic."""
    message = {**in_group(thread, message=update), "from": person(sender), "text": text, **more}
    return {"update_id": update, "message": message}


def press(update: int, sender: int, data: str, message: int = 1, thread: int = 0, group: int = GROUP) -> dict[str, Any]:
    """A press on a button of ours."""
    query = {
        "id": f"q{update}", "from": person(sender), "chat_instance": "c", "data": data,
        "message": {**in_group(thread, message, group), "text": "page"},
    }  # fmt: skip
    return {"update_id": update, "callback_query": query}


def sign(update: int, sender: int, message: int, *, emoji: str = "👍", group: int = GROUP) -> dict[str, Any]:
    """A sign put under a message; without *emoji* one that was taken away."""
    put = [{"type": "emoji", "emoji": emoji}] if emoji else []
    change = {
        "chat": in_group(group=group)["chat"], "message_id": message, "user": person(sender),
        "date": int(time.time()), "old_reaction": [], "new_reaction": put,
    }  # fmt: skip
    return {"update_id": update, "message_reaction": change}


def private(update: int, sender: int, text: str) -> dict[str, Any]:
    """A message to the bot alone."""
    chat = {"id": sender, "type": "private"}
    message = {"message_id": update, "date": int(time.time()), "chat": chat, "from": person(sender), "text": text}
    return {"update_id": update, "message": message}
