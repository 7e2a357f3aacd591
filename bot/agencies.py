"""`sahyatri agencies …`: import a list with a diff, check queries, say how old the lists are."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from bot.app import Service
from bot.clients.agency_lists import ListError, load_source, read_list
from bot.content.model import Content
from bot.domain.agencies import AgencyList, Check
from bot.recruiters.lists import diff, refusal
from bot.recruiters.offers import Offers


async def import_file(service: Service, file: Path | None, source_file: Path, *, force: bool, apply: bool) -> str:
    """Import *file* (else the one the mapping names) by its mapping; return what happened, for people.

    Raise `ListError` naming what is wrong, why and what to do; the list in force stays in force.
    """
    source = load_source(source_file)
    path = file or source_file.parent.parent / source.file
    parsed = read_list(path, source)
    old = await service.agencies.rows(source.source)
    change = diff(old, parsed.rows)
    summary = (
        f"{source.title}: {len(parsed.rows)} rows, +{len(change.added)} −{len(change.removed)} ~{len(change.changed)}"
    )
    if parsed.problems:
        shown = "; ".join(f"line {item.line}: {item.what}" for item in parsed.problems[:5])
        summary += f"; {len(parsed.problems)} rows left out ({shown})"
    refused = refusal(len(old), change)
    if refused and not force:
        raise ListError(f"{summary}. Refused: {refused} Look at the file, then import with --force if it is right.")
    if not apply:
        return f"{summary}. Nothing applied yet: import with --apply."
    listing = AgencyList(
        source=source.source, title=source.title, as_of=source.as_of or date.today(), imported_at=service.now(),  # noqa: DTZ011
        checksum=parsed.checksum, sample=source.sample, rows=len(parsed.rows), url=source.url,
    )  # fmt: skip
    stored = await service.agencies.apply(listing, parsed.rows)
    await service.recruiters.refresh()
    return f"{summary}. In force as version {stored.version}."


async def roll_back(service: Service, source: str, version: int, *, apply: bool) -> str:
    """Put an older version of a list in force; return what happened, for people. Raise `ListError`."""
    versions = {listing.version: listing for listing in await service.agencies.versions(source)}
    if version not in versions:
        known = ", ".join(str(number) for number in versions) or "none"
        raise ListError(f"{source}: has no version {version} (kept: {known}); see sahyatri agencies status")
    listing = versions[version]
    summary = f"{listing.title}: version {version} of {listing.as_of}, {listing.rows} rows"
    if not apply:
        return f"{summary}. Nothing applied yet: roll back with --apply."
    await service.agencies.make_current(source, version)
    await service.recruiters.refresh()
    return f"{summary}. In force again."


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
