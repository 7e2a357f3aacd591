"""Who writes in the web chat: an unguessable session in a cookie that scripts cannot read."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from aiohttp import web

from bot.domain.messages import Address, ChannelName
from bot.domain.peers import Network, peer_of
from bot.domain.private import Private

COOKIE = "sahyatri_chat"
PATH = "/chat"
SESSION_BYTES = 32
LONGEST_ID = 64
SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")


def address_of(request: web.Request) -> Address:
    """Return the visitor's address. Raise 401 without a session."""
    session = request.cookies.get(COOKIE, "")
    if len(session) < SESSION_BYTES or not set(session) <= SAFE or len(session) > 2 * LONGEST_ID:
        raise web.HTTPUnauthorized(text="open a session first")
    return Address(ChannelName.WEB, Private(session))


def known(request: web.Request) -> bool:
    """Say whether the visitor has a session."""
    try:
        return bool(address_of(request))
    except web.HTTPUnauthorized:
        return False


def new_session() -> Address:
    """Return the address of somebody who was never here."""
    return Address(ChannelName.WEB, Private(secrets.token_urlsafe(SESSION_BYTES)))


def give(response: web.Response, address: Address, *, https: bool) -> None:
    """Put a session into the browser until it is closed."""
    value = address.value.reveal()
    response.set_cookie(COOKIE, value, httponly=True, samesite="Strict", secure=https, path=PATH)


def take_away(response: web.Response) -> None:
    """Remove the session, and what else the browser may have kept of us."""
    response.del_cookie(COOKIE, path=PATH)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def key(address: Address, name: str) -> str:
    """Return the idempotency key of a message: the sender's hash and the id their browser gave it."""
    return f"web:{hashlib.sha256(address.value.reveal().encode()).hexdigest()}:{name}"


def same_site(request: web.Request) -> None:
    """Refuse what another site's page sends."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.split("://")[-1] != request.host:
        raise web.HTTPForbidden(text="another site's page may not write here")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text="another site's page may not write here")


def says_where_from(request: web.Request) -> bool:
    """Say whether the browser names the page that sends, and it is one of ours."""
    named = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return named.partition("://")[2].partition("/")[0] == request.host


def remote(request: web.Request, proxies: Sequence[Network]) -> str:
    """Return the caller's network address; what a header claims counts only where our own proxy added it."""
    return peer_of(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)
