"""The recruiters' lists in memory: built from the store, rebuilt when a new version is in force."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from bot.domain.agencies import AgencyList, Check
from bot.ports import Agencies
from bot.recruiters.index import Index
from bot.recruiters.names import Lexicon
from bot.recruiters.verdict import check

log = logging.getLogger(__name__)


class Recruiters:
    """The current lists and the index over them; answers checks without touching the database."""

    def __init__(self, agencies: Agencies, lexicon: Lexicon, now: Callable[[], datetime]) -> None:
        """Empty until `refresh` has run once."""
        self._agencies = agencies
        self._now = now
        self._lexicon = lexicon
        self._index = Index.of((), lexicon)
        self._versions: tuple[tuple[str, int], ...] = ()
        self.lists: dict[str, AgencyList] = {}

    async def refresh(self) -> bool:
        """Load again if any list has a new version; True if so."""
        lists = await self._agencies.lists()
        versions = tuple((listing.source, listing.version) for listing in lists)
        if versions == self._versions:
            return False
        rows = [row for listing in lists for row in await self._agencies.rows(listing.source)]
        self._index = Index.of(rows, self._lexicon)
        self.lists = {listing.source: listing for listing in lists}
        self._versions = versions
        log.info("lists of recruiters loaded", extra={"lists": len(lists), "rows": len(rows)})
        return True

    def check(self, query: str) -> Check:
        """Return the verdict on a name, phone or licence number."""
        return check(query, self._index, self._now().date())
