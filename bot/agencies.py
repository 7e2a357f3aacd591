"""`sahyatri agencies …`: import a list with a diff, compare versions, check queries, say how old the lists are."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from bot.app import Service
from bot.clients.agency_lists import ListError, Source, load_source, open_list
from bot.content.model import Content
from bot.dialogue.answers import STALE_AFTER_DAYS
from bot.domain.agencies import AgencyList, Check, ListState
from bot.recruiters.lists import FIELDS, Change, differences, in_words
from bot.recruiters.offers import Offers
from bot.service.imports import Difference, Outcome, Refused

T = TypeVar("T")
TELL_AFTER = 3.0
TELL_EVERY_ROWS = 5000
PROBLEMS_SAID = 5
#: So many rows of each kind are printed for people; `--json` gives all.
DIFFERENCES_SAID = 50


async def import_file(
    service: Service,
    file: Path | None,
    source_file: Path,
    *,
    force: bool,
    apply: bool,
    by: str = "",
    refresh: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Import *file* (else the one the mapping names) by its mapping; return what happened, for people.

    by: who imports; refresh: load the new list into this process too; say: hears how far it is, every few seconds.
    Raise `ListError` naming what is wrong, why and what to do; the list in force stays in force then, and a list that
    is not believed has been put in quarantine.
    """
    source = load_source(source_file)
    path = file or source_file.parent.parent / source.file
    progress = Progress(source.source, say)
    with open_list(path, source, lambda count: progress.at("read", count)) as found:
        listing = AgencyList(
            source=source.source, title=source.title, as_of=source.as_of or date.today(), imported_at=service.now(),  # noqa: DTZ011
            checksum=found.checksum, sample=source.sample, rows=len(found), url=source.url, kind=source.kind,
            file=path.name, by=by, left_out=found.left_out, problems=found.problems,
        )  # fmt: skip
        rows = progress.counted("stored" if apply else "compared", found)
        if apply:
            outcome = await service.imports.take(listing, rows, force=force)
        else:
            outcome = await service.imports.try_out(listing, rows)
        summary = _summary(source, len(found), outcome, found.problem_count, listing)
    held = outcome.doubt and not force
    if held and outcome.listing:
        number = outcome.listing.version
        raise ListError(
            f"{summary}. Refused: {outcome.doubt} In quarantine as version {number}; the list in force stays. "
            f"Look at it (sahyatri agencies diff {source.source} {number}), then release or discard it."
        )
    if held:
        raise ListError(f"{summary}. Refused: {outcome.doubt} Nothing is stored; with --apply it goes into quarantine.")
    if not outcome.listing:
        return f"{summary}. Nothing applied yet: import with --apply."
    if refresh:
        await service.recruiters.refresh()
    return f"{summary}. In force as version {outcome.listing.version}."


def _summary(source: Source, rows: int, outcome: Outcome, problems: int, listing: AgencyList) -> str:
    change = outcome.change
    said = f"{source.title}: {rows} rows, +{change.added} −{change.removed} ~{change.changed}"
    if not problems:
        return said
    shown = "; ".join(f"line {item.line}: {item.what}" for item in listing.problems[:PROBLEMS_SAID])
    return f"{said}; {listing.left_out} rows left out, {problems} problems ({shown})"


class Progress:
    """Says how far a long import is, every few seconds; short ones say nothing."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        """*name* begins each line."""
        self._name = name
        self._say = say
        self._last = time.monotonic()

    def at(self, what: str, count: int) -> None:
        """Say that *count* rows are done, if it is time to."""
        if time.monotonic() - self._last >= TELL_AFTER:
            self._last = time.monotonic()
            self._say(f"{self._name}: {count:,} rows {what} …")

    def counted(self, what: str, rows: Iterable[T]) -> Iterator[T]:
        """Yield *rows*, telling as they pass."""
        for count, row in enumerate(rows, 1):
            yield row
            if count % TELL_EVERY_ROWS == 0:
                self.at(what, count)


async def roll_back(
    service: Service, source: str, version: int, *, apply: bool, by: str = "", reason: str = "", refresh: bool = True
) -> str:
    """Put an older version of a list in force; return what happened, for people. Raise `ListError`."""
    summary = await _known(service, source, version)
    if not apply:
        return f"{summary}. Nothing applied yet: roll back with --apply."
    await _refusable(service.imports.roll_back(source, version, by, reason))
    if refresh:
        await service.recruiters.refresh()
    return f"{summary}. In force again."


async def release(
    service: Service, source: str, version: int, *, apply: bool, by: str = "", reason: str = "", refresh: bool = True
) -> str:
    """Put a quarantined version in force; return what happened, for people. Raise `ListError`."""
    summary = await _known(service, source, version, ListState.QUARANTINED)
    if not apply:
        return f"{summary}. Nothing applied yet: release with --apply."
    await _refusable(service.imports.release(source, version, by, reason))
    if refresh:
        await service.recruiters.refresh()
    return f"{summary}. In force."


async def discard(
    service: Service,
    source: str,
    version: int,
    *,
    apply: bool,
    by: str = "",
    reason: str = "",
    refresh: bool = True,  # noqa: ARG001 - as its siblings; what is in force stays
) -> str:
    """Drop a quarantined version; return what happened, for people. Raise `ListError`."""
    summary = await _known(service, source, version, ListState.QUARANTINED)
    if not apply:
        return f"{summary}. Nothing applied yet: discard with --apply."
    await _refusable(service.imports.discard(source, version, by, reason))
    return f"{summary}. Discarded."


async def _known(service: Service, source: str, version: int, state: ListState | None = None) -> str:
    listing = await service.agencies.version(source, version)
    if not listing:
        versions = await service.agencies.versions(source)
        known = ", ".join(str(one.version) for one in versions if one.state is ListState.KEPT) or "none"
        raise ListError(f"{source}: has no version {version} (kept: {known}); see sahyatri agencies status")
    if state and listing.state is not state:
        raise ListError(f"{source}: version {version} is {listing.state.value}, not {state.value}; nothing to do")
    doubt = f", quarantined: {listing.reason.rstrip('.')}" if listing.state is ListState.QUARANTINED else ""
    return f"{listing.title}: version {version} of {listing.as_of}, {listing.rows} rows{doubt}"


async def _refusable(act: Awaitable[AgencyList]) -> None:
    try:
        await act
    except Refused as error:
        raise ListError(str(error)) from error


async def each_difference(service: Service, source: str, first: int, second: int | None) -> AsyncIterator[Difference]:
    """Yield what version *first* changes in the one in force; with *second*, what that changes in *first*.

    Raise `ListError`.
    """
    old, new = first, second
    if new is None:
        current = await service.imports.in_force(source)
        if not current:
            raise ListError(f"{source}: no version is in force; name two versions to compare")
        old, new = current.version, first
    try:
        async for found in service.imports.differences(source, old, new):
            yield found
    except Refused as error:
        raise ListError(str(error)) from error


def difference_json(found: Difference) -> dict[str, Any]:
    """Return the machine-readable line of a row that differs."""
    if found.old and found.new:
        changed = {
            name: {"before": pair[0], "after": pair[1]} for name, pair in differences(found.old, found.new).items()
        }
        return {"change": found.change.value, "id": found.agency.id, "name": found.agency.name, "fields": changed}
    row = {name: said for name in FIELDS if (said := in_words(getattr(found.agency, name)))}
    return {"change": found.change.value, "id": found.agency.id, **row}


def difference_line(found: Difference) -> str:
    """Return a row that differs, for people."""
    mark = {Change.ADDED: "+", Change.REMOVED: "−", Change.CHANGED: "~"}[found.change]
    said = f"{mark} {found.agency.name} [{found.agency.licence or '–'}]"
    if found.old and found.new:
        said += ": " + "; ".join(
            f"{name} {before or '–'} → {after or '–'}"
            for name, (before, after) in differences(found.old, found.new).items()
        )
    return said


async def status(service: Service) -> AsyncIterator[str]:
    """Yield a line for each list in force and one below it for each version in quarantine."""
    current = {listing.source: listing for listing in await service.agencies.lists()}
    versions = await service.agencies.versions()
    for source in sorted({listing.source for listing in versions} | set(current)):
        kept = [one for one in versions if one.source == source and one.state is ListState.KEPT and one.has_rows]
        if source in current:
            yield _status(current[source], len(kept), (service.now().date() - current[source].as_of).days)
        else:
            yield f"{source}: nothing in force"
        for held in versions:
            if held.source == source and held.state is ListState.QUARANTINED:
                yield (
                    f"  IN QUARANTINE: version {held.version} of {held.as_of}, {held.rows} rows, imported "
                    f"{held.imported_at:%Y-%m-%d %H:%M} by {held.by or '?'}: {held.reason}"
                )


def _status(listing: AgencyList, kept: int, age: int) -> str:
    sample = " SAMPLE" if listing.sample else ""
    said = (
        f"{listing.source}: {listing.title}{sample}, version {listing.version} ({kept} kept), {listing.rows} rows, "
        f"as of {listing.as_of} ({age} days)"
    )
    return f"{said}: STALE, over {STALE_AFTER_DAYS} days; import a new one" if age > STALE_AFTER_DAYS else said


def check_json(query: str, found: Check, lists: dict[str, AgencyList]) -> dict[str, Any]:
    """Return the machine-readable line of a check."""
    return {
        "query": query,
        "verdict": found.verdict.value,
        "matches": [
            {
                "name": match.agency.name,
                "licence": match.agency.licence,
                "status": match.agency.standing.value,
                "valid_until": match.agency.valid_until.isoformat() if match.agency.valid_until else None,
                "source": lists[match.agency.source].title if match.agency.source in lists else match.agency.source,
                "as_of": lists[match.agency.source].as_of.isoformat() if match.agency.source in lists else None,
                "score": round(match.score, 1),
                "kind": match.agency.kind,
                "agrees": list(match.agrees),
                "differs": list(match.differs),
                "meant": match.meant,
            }
            for match in found.matches
        ],
    }


def offer_json(text: str, offers: Offers, content: Content) -> dict[str, Any]:
    """Return the machine-readable line of an offer: no flag is not "safe"."""
    flags = offers.find(text)
    return {
        "text": text,
        "flags": [
            {"id": flag.id, "reason": flag.reason, "facts": [fact.id for fact in content.flag_facts[flag.id]]}
            for flag in flags
        ],
        "urgent": offers.is_urgent(flags),
    }


async def first_lists(service: Service, say: Callable[[str], None], *, refresh: bool = True) -> None:
    """Import the shipped lists that were never imported, as long as there is nothing but made-up ones."""
    listings = await service.agencies.versions()
    if any(not listing.sample for listing in listings):
        return
    known = {listing.source for listing in listings if listing.state is not ListState.STORING}
    for path in sorted((service.config.content / "recruiters" / "sources").glob("*.yaml")):
        if load_source(path).source not in known:
            result = await import_file(service, None, path, force=False, apply=True, by="first start", refresh=False)
            say(f"recruiters: {result}")
    if refresh:
        await service.recruiters.refresh()
