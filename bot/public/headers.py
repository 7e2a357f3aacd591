"""What every answer carries: a strict content policy, no sniffing, no referrer, nothing kept by caches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATIC = "/static/"
#: Files of the pages that anyone may open: a browser's cache must not tell that somebody was here.
TRACELESS = "/static/public/"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would hide the origin of our own forms
    "Permissions-Policy": "camera=(), microphone=(self), geolocation=(self), interest-cohort=()",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def security_headers(*, https: bool) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the middleware that adds them."""

    @web.middleware
    async def add(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            _put(error.headers, request, https=https)
            raise
        if not response.prepared:
            _put(response.headers, request, https=https)
        return response

    return add


def stream_headers(request: web.Request, *, https: bool) -> dict[str, str]:
    """Return the headers of a stream, which must be set before it starts."""
    headers: dict[str, str] = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    _put(headers, request, https=https)
    return headers


def _put(headers: MutableMapping[str, str], request: web.Request, *, https: bool) -> None:
    headers.update(HEADERS)
    kept = request.path.startswith(STATIC) and not request.path.startswith(TRACELESS)
    headers["Cache-Control"] = "max-age=300" if kept else "no-store"
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
