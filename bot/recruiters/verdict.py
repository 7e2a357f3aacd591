"""What we may honestly say about a recruiter: listed, lapsed, look-alike, unregistered, not found. Never "safe"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from bot.domain.agencies import Agency, Check, Match, Standing, Verdict
from bot.recruiters.extract import Query, extract, licence_key, phone_key
from bot.recruiters.index import Index, similarity
from bot.recruiters.names import read_name

SURE = 97.0
SIMILAR = 86.0
LONG_TEXT_WORDS = 8
MOST_MATCHES = 5


def check(query: str, index: Index, today: date) -> Check:
    """Look *query* up: a name, a licence or phone number, or a pasted message with several of them."""
    asked = extract(query)
    exact = _exact(asked, index)
    if exact:
        return _judged(exact, today)
    near = _near(asked, index)
    if near:
        return Check(Verdict.LOOKALIKE, tuple(near[:MOST_MATCHES]))
    return Check(Verdict.NOT_FOUND)


def _exact(asked: Query, index: Index) -> list[Match]:
    """Return matches that agree in at least one detail exactly, with what else of the query agrees or differs."""
    agencies = [agency for licence in asked.licences for agency in index.by_licence(licence)]
    agencies += [agency for phone in asked.phones for agency in index.by_phone(phone)]
    agencies += [agency for score, agency in _named(asked, index) if score >= SURE]
    return [_match(agency, asked) for agency in _unique(agencies)][:MOST_MATCHES]


def _near(asked: Query, index: Index) -> list[Match]:
    found = [
        Match(agency, 90.0, (), ("licence",)) for licence in asked.licences for agency in index.near_licence(licence)
    ]
    found += [Match(agency, 90.0, (), ("phone",)) for phone in asked.phones for agency in index.near_phone(phone)]
    found += [Match(agency, score, (), ("name",)) for score, agency in _named(asked, index) if score >= SIMILAR]
    return sorted(found, key=lambda match: -match.score)


def _named(asked: Query, index: Index) -> list[tuple[float, Agency]]:
    """Return the names nearest to the query's; a long message is searched window by window."""
    name = read_name(asked.name, asked=True)
    if len(name.words) <= LONG_TEXT_WORDS:
        return index.by_name(name)
    best: dict[str, tuple[float, Agency]] = {}
    for size in (2, 3, 4, 5):
        for at in range(len(name.words) - size + 1):
            part = read_name(" ".join(name.words[at : at + size]))
            for score, agency in index.by_name(part)[:2] if part.core else ():
                if score >= SURE and score > best.get(agency.id, (0.0, agency))[0]:
                    best[agency.id] = (score, agency)
    return sorted(best.values(), key=lambda pair: -pair[0])


def _match(agency: Agency, asked: Query) -> Match:
    agrees, differs = [], []
    name = read_name(asked.name, asked=True)
    known = read_name(agency.name)
    if known.core and (similarity(name, known) >= SURE or known.core_text in "".join(name.words)):
        agrees.append("name")
    elif name.core and len(name.words) <= LONG_TEXT_WORDS:
        differs.append("name")
    if asked.licences:
        (agrees if licence_key(agency.licence) in asked.licences else differs).append("licence")
    if asked.phones and agency.phones:
        known_phones = {phone_key(phone) for phone in agency.phones}
        (agrees if known_phones & set(asked.phones) else differs).append("phone")
    return Match(agency, 100.0, tuple(agrees), tuple(differs))


def _judged(matches: list[Match], today: date) -> Check:
    """One detail that differs makes a look-alike: it may be somebody else under a known name."""
    matches = sorted(matches, key=lambda match: (len(match.differs), _rank(match.agency, today)))
    best = matches[0]
    if best.agency.standing is Standing.UNREGISTERED:
        return Check(Verdict.UNREGISTERED, tuple(matches))
    if best.differs or not best.agrees:
        return Check(Verdict.LOOKALIKE, tuple(replace(match, score=95.0) for match in matches))
    if is_active(best.agency, today):
        return Check(Verdict.LISTED, tuple(matches))
    return Check(Verdict.LAPSED, tuple(matches))


def _rank(agency: Agency, today: date) -> int:
    """A warning comes before good news when several rows fit equally."""
    if agency.standing is Standing.UNREGISTERED:
        return 0
    return 2 if is_active(agency, today) else 1


def is_active(agency: Agency, today: date) -> bool:
    """Say whether the list has it as active with a date that has not passed; no date is not active."""
    return agency.standing is Standing.ACTIVE and agency.valid_until is not None and agency.valid_until >= today


def _unique(agencies: Iterable[Agency]) -> list[Agency]:
    return list({(agency.source, agency.id): agency for agency in agencies}.values())
