"""The platform's own record of us: token, app, account, number. Faults come back in plain words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.channels.whatsapp_errors import code_of
from bot.channels.whatsapp_inbound import listed, text
from bot.channels.whatsapp_media import read_json

FAILED: Final = 300
MOST_PAGES: Final = 20
PATIENCE: Final = ClientTimeout(total=20, sock_connect=5)
MANAGE: Final = "whatsapp_business_management"

Json = dict[str, Any]

#: What an error code of the Graph API means, and what to do.
_MEANINGS: Final = {
    190: ("the token is not valid (any more)", "Make a new token and put it into WHATSAPP_TOKEN."),
    101: ("the app secret does not fit the app", "Copy it again from the app's page Basic settings."),
    100: ("the platform does not know this id, or may not show it", "Check the ids in WhatsApp Manager, API Setup."),
    10: ("the token may not do this", "Give the system user full control of the app and of the WhatsApp account."),
    200: ("the token may not do this", "Give the system user full control of the app and of the WhatsApp account."),
    368: ("the account is blocked for breaking a rule", "Look at the account in business.facebook.com."),
    131031: ("the account is locked", "Look at the account in business.facebook.com."),
    4: ("too many calls just now", "Run it again in an hour."),
    80007: ("too many calls just now", "Run it again in an hour."),
}


class AccountFault(Exception):
    """The platform said no; says why, and what to do."""

    def __init__(self, found: str, todo: str) -> None:  # noqa: D107
        super().__init__(found)
        self.todo = todo


class Cloud:
    """Asks and changes what belongs to one number."""

    def __init__(
        self,
        session: ClientSession,
        api_url: str,
        token: str,
        secret: str,
        phone_id: str,
        account_id: str,
        proof: str = "",
    ) -> None:
        """*secret*: the app's; *account_id* "" is taken from the token where that belongs to one account only."""
        self._session = session
        self._api = api_url.rstrip("/")
        self._token = token
        self._secret = secret
        self._proof = proof
        self.phone_id = phone_id
        self.account_id = account_id
        self.app_id = ""

    async def inspect_token(self) -> Json:
        """Return what the platform knows of our token; learn the app and the account from it."""
        data = (await self.get("debug_token", input_token=self._token)).get("data")
        found: Json = data if isinstance(data, dict) else {}
        app = found.get("app_id")
        self.app_id = str(app) if isinstance(app, str | int) and app else ""
        rights = [item for item in listed(found.get("granular_scopes")) if isinstance(item, dict)]
        accounts = {
            text(name) for item in rights if item.get("scope") == MANAGE for name in listed(item.get("target_ids"))
        }
        if not self.account_id and len(accounts) == 1:
            self.account_id = accounts.pop()
        return found

    async def get(self, path: str, **params: str) -> Json:
        """Read *path* with our token. Raise `AccountFault`."""
        return await self._call("GET", path, self._token, params | self._proven())

    async def post(self, path: str, **body: object) -> Json:
        """Change *path* with our token. Raise `AccountFault`."""
        return await self._call("POST", path, self._token, self._proven(), body)

    async def app(self, path: str, **params: str) -> Json:
        """Read *path* of the app, as the app itself. Raise `AccountFault`."""
        return await self._call("GET", f"{self.app_id}/{path}".rstrip("/"), f"{self.app_id}|{self._secret}", params)

    async def change_app(self, path: str, **body: object) -> Json:
        """Change *path* of the app, as the app itself. Raise `AccountFault`."""
        return await self._call("POST", f"{self.app_id}/{path}", f"{self.app_id}|{self._secret}", {}, body)

    async def pages(self, path: str) -> AsyncIterator[Json]:
        """Yield every row of a long list."""
        after: Json = {}
        for _ in range(MOST_PAGES):
            found = await self.get(path, limit="100", **after)
            for row in listed(found.get("data")):
                if isinstance(row, dict):
                    yield row
            paging = found.get("paging")
            cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
            if not isinstance(cursors, dict) or not cursors.get("after"):
                return
            after = {"after": text(cursors["after"])}

    def _proven(self) -> dict[str, str]:
        return {"appsecret_proof": self._proof} if self._proof else {}

    async def _call(self, method: str, path: str, token: str, params: dict[str, str], body: Json | None = None) -> Json:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._session.request(
                method, f"{self._api}/{path}", params=params, json=body, headers=headers, timeout=PATIENCE,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                raw, status = await answer.read(), answer.status
        except (ClientError, TimeoutError) as error:
            raise AccountFault(f"the platform does not answer ({type(error).__name__})", "Try again later.") from error
        found = read_json(raw)
        if status >= FAILED or not isinstance(found, dict):
            raise _fault(status, found)
        return found


def _fault(status: int, answer: object) -> AccountFault:
    code = code_of(answer)
    said, todo = _MEANINGS.get(code or 0, ("the platform refuses", "Look the code up in Meta's list of error codes."))
    return AccountFault(f"{said} (HTTP {status}, code {json.dumps(code)})", todo)
