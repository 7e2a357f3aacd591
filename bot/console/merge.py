"""Cases that are one: merging another into this one, and undoing it; supervisors only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views
from bot.domain.cases import Case, IllegalTransition, MergedFor

Service = Any
LONGEST: Final = 500
CASE_ID: Final = 12


class MergeViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def merge_case(self, request: web.Request) -> web.StreamResponse:
        """Merge another case into this one, which stays open; both were read, and the reason is in words."""
        case, form = await self._views.case_of(request), await request.post()
        reason = str(form.get("text", ""))[:LONGEST].strip()
        why = str(form.get("why", ""))
        other: Case | None = await self._service.cases.get(str(form.get("other", "")).strip().lower()[:CASE_ID])
        if not reason or form.get("sure") != "yes" or why not in set(MergedFor):
            return await self._end(request, case, "merge refused", "merge.unsure")
        try:
            if not other:
                raise LookupError(case.id)
            await self._service.merging.merge(
                other, case, self._session(request).responder.id, MergedFor(why), reason, str(form.get("key", ""))[:60]
            )
        except (LookupError, IllegalTransition):
            return await self._end(request, case, "merge refused", "merge.refused")
        await self._views.record(self._session(request).responder.id, "merged", other.id, {"into": case.id})
        await self._service.people.clear()  # a partner who had one of them may not have both
        return await self._end(request, case, "merged")

    async def split_case(self, request: web.Request) -> web.StreamResponse:
        """Put a merged case back into the queue by itself."""
        case, form = await self._views.case_of(request), await request.post()
        reason = str(form.get("text", ""))[:LONGEST].strip()
        if not reason:
            return await self._end(request, case, "split refused", "empty")
        try:
            who = self._session(request).responder.id
            await self._service.merging.split(case, who, reason, str(form.get("key", ""))[:60])
        except (LookupError, IllegalTransition):
            return await self._end(request, case, "split refused", "merge.not_undone")
        return await self._end(request, case, "split")

    async def _end(self, request: web.Request, case: Case, action: str, error: str = "") -> web.StreamResponse:
        await self._views.record(self._session(request).responder.id, action, case.id)
        self._service.wake_console.set()
        raise web.HTTPSeeOther(f"/console/cases/{case.id}" + (f"?error={error}" if error else ""))
