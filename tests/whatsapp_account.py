"""A local server that keeps a WhatsApp account's record as the Graph API does, and checks who asks for what."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.platforms import PHONE_ID, SECRET, serving

TOKEN = "made-up-access-token"
APP = "700700"
ACCOUNT = "5005"
#: Limits of the platform on what is set here.
LONGEST = {"about": 139, "description": 512}
KNOWN_FIELDS = {
    "messages", "account_alerts", "account_review_update", "account_update", "message_template_status_update",
    "phone_number_quality_update", "security",
}  # fmt: skip


@dataclass
class FakeAccount:
    """What stands in the record; `changes` are the calls that changed it."""

    valid: bool = True
    scopes: list[str] = field(default_factory=lambda: ["whatsapp_business_messaging", "whatsapp_business_management"])
    expires_at: int = 0
    secret: str = SECRET
    number: dict[str, Any] = field(
        default_factory=lambda: {
            "display_phone_number": "+91 90000 00000",
            "verified_name": "Sahyatri",
            "quality_rating": "GREEN",
            "messaging_limit_tier": "TIER_1K",
            "status": "CONNECTED",
        }
    )
    numbers: list[str] = field(default_factory=lambda: [PHONE_ID])
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    profile: dict[str, str] = field(default_factory=dict)
    automation: dict[str, Any] = field(default_factory=dict)
    templates: list[dict[str, Any]] = field(default_factory=list)
    proof: str = ""
    changes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        who = request.headers.get("Authorization", "").removeprefix("Bearer ")
        of_app = path.split("/")[0] == APP
        if of_app and who != f"{APP}|{self.secret}":
            return refused(101)
        if not of_app and (who != TOKEN or (path != "debug_token" and not self.valid)):
            return refused(190)
        if not of_app and request.query.get("appsecret_proof", "") != self.proof:
            return refused(100)
        body = await request.json() if request.method == "POST" and request.can_read_body else {}
        answer = self._asked(request, path) if request.method == "GET" else await self._changed(path, body)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def _asked(self, request: web.Request, path: str) -> Any:
        if path == "debug_token":
            scope = {"scope": "whatsapp_business_management", "target_ids": [ACCOUNT]}
            known = {"app_id": APP, "is_valid": self.valid, "scopes": self.scopes, "expires_at": self.expires_at}
            return {"data": {**known, "granular_scopes": [scope]}}
        if path == PHONE_ID and request.query["fields"] == "conversational_automation":
            return (
                {"id": PHONE_ID, "conversational_automation": self.automation} if self.automation else {"id": PHONE_ID}
            )
        pages = {
            APP: {"id": APP, "name": "Sahyatri app"},
            f"{APP}/subscriptions": {"data": self.subscriptions},
            PHONE_ID: {"id": PHONE_ID, **self.number},
            ACCOUNT: {"id": ACCOUNT, "name": "An organisation", "account_review_status": "APPROVED"},
            f"{ACCOUNT}/phone_numbers": {"data": [{"id": name} for name in self.numbers]},
            f"{ACCOUNT}/subscribed_apps": {
                "data": [{"whatsapp_business_api_data": {"id": a}} for a in self.subscribed]
            },
            f"{PHONE_ID}/whatsapp_business_profile": {"data": [self.profile]},
        }
        if path == f"{ACCOUNT}/message_templates":
            return self._page(request)
        return pages.get(path) or refused(100)

    def _page(self, request: web.Request) -> dict[str, Any]:
        """Two templates a page, whatever is asked for: long lists come in parts."""
        at = int(request.query.get("after", "0"))
        more = len(self.templates) > at + 2
        paging = {"cursors": {"after": str(at + 2)}, **({"next": "https://graph.example/next"} if more else {})}
        return {"data": self.templates[at : at + 2], "paging": paging}

    async def _changed(self, path: str, body: dict[str, Any]) -> Any:
        self.changes.append(path)
        if path == f"{APP}/subscriptions":
            return await self._subscribe(body)
        if path == f"{ACCOUNT}/subscribed_apps":
            self.subscribed.append(APP)
        elif path == f"{PHONE_ID}/whatsapp_business_profile":
            self.faults += [name for name, most in LONGEST.items() if len(body.get(name, "")) > most]
            self.faults += [] if body.pop("messaging_product", "") == "whatsapp" else ["no messaging_product"]
            self.profile |= body
        elif path == f"{PHONE_ID}/conversational_automation":
            self.faults += ["prompts"] if len(body["prompts"]) > 4 or max(map(len, body["prompts"])) > 80 else []
            self.automation = {"prompts": body["prompts"], "commands": body["commands"]}
        else:
            return refused(100)
        return {"success": True}

    async def _subscribe(self, body: dict[str, Any]) -> Any:
        """The platform asks the address for its challenge before it takes it; a field it does not know is refused."""
        fields = body["fields"].split(",")
        if not set(fields) <= KNOWN_FIELDS:
            return refused(100)
        challenge = {"hub.mode": "subscribe", "hub.verify_token": body["verify_token"], "hub.challenge": "1158201444"}
        async with aiohttp.ClientSession() as session, session.get(body["callback_url"], params=challenge) as answer:
            if await answer.text() != "1158201444":
                return refused(2200)
        row = {"object": body["object"], "callback_url": body["callback_url"], "active": True}
        self.subscriptions = [{**row, "fields": [{"name": name, "version": "v23.0"} for name in fields]}]
        return {"success": True}


def refused(code: int) -> web.Response:
    error = {"message": "made up", "type": "OAuthException", "code": code}
    return web.Response(status=400, text=json.dumps({"error": error}), content_type="application/json")


@contextlib.asynccontextmanager
async def account_server() -> AsyncIterator[FakeAccount]:
    fake = FakeAccount()
    app = web.Application()
    app.router.add_route("*", "/v23.0/{path:.+}", fake.handle)
    async with serving(app) as url:
        fake.url = f"{url}/v23.0"
        yield fake
