"""The recruiters' lists in memory: built from the store or mapped from files, anew when another version is in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import numpy.typing as npt

from bot.domain.agencies import Agency, AgencyList, Check
from bot.ports import Agencies
from bot.recruiters.build import FORMAT, Arrays, Builder
from bot.recruiters.index import Index
from bot.recruiters.names import Lexicon
from bot.recruiters.verdict import check

log = logging.getLogger(__name__)
BATCH = 2000


class Kept(Protocol):
    """Where built indexes are kept between starts."""

    def load(self, key: str) -> dict[str, npt.NDArray[Any]] | None:
        """Return the arrays kept under *key*, or None."""
        ...

    def save(self, key: str, arrays: Arrays) -> None:
        """Keep them."""
        ...


class Recruiters:
    """The current lists and the index over them; answers checks without touching the database."""

    def __init__(self, agencies: Agencies, lexicon: Lexicon, kept: Kept, now: Callable[[], datetime]) -> None:
        """Empty until `refresh` has run once."""
        self._agencies = agencies
        self._kept = kept
        self._now = now
        self._lexicon = lexicon
        self._index = Index.of((), lexicon)
        self._versions: tuple[tuple[str, int, str], ...] = ()
        self.lists: dict[str, AgencyList] = {}

    async def refresh(self) -> bool:
        """Load again if any list has a new version; True if so. Long lists are read beside the other work."""
        lists = await self._agencies.lists()
        versions = tuple((listing.source, listing.version, listing.checksum) for listing in lists)
        if versions == self._versions:
            return False
        key = sha256(repr((FORMAT, self._lexicon.digest, versions)).encode()).hexdigest()[:32]
        arrays = await asyncio.to_thread(self._kept.load, key)
        self._index = Index(arrays if arrays is not None else await self._build(key, lists), self._lexicon)
        self.lists = {listing.source: listing for listing in lists}
        self._versions = versions
        log.info("lists of recruiters loaded", extra={"lists": len(lists), "rows": len(self._index)})
        return True

    async def _build(self, key: str, lists: Sequence[AgencyList]) -> Arrays:
        builder = Builder(self._lexicon)
        batch: list[Agency] = []
        for listing in lists:
            async for row in self._agencies.each_row(listing.source, listing.version):
                batch.append(row)
                if len(batch) == BATCH:
                    await asyncio.to_thread(builder.add_all, batch)
                    batch = []
        await asyncio.to_thread(builder.add_all, batch)
        arrays = await asyncio.to_thread(builder.finish)
        await asyncio.to_thread(self._kept.save, key, arrays)
        return await asyncio.to_thread(self._kept.load, key) or arrays  # mapped from files they take less memory

    def check(self, query: str) -> Check:
        """Return the verdict on a name, phone or licence number."""
        return check(query, self._index, self._now().date())
