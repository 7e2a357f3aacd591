"""What we may honestly say about a recruiter: listed, lapsed, look-alike, unregistered, not found. Never "safe"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from bot.domain.agencies import Agency, Check, Match, Standing, Verdict
from bot.domain.identifiers import IdentifierKind
from bot.recruiters.build import classes_key, detail_key, streets_of, whole_key
from bot.recruiters.extract import LONGEST, Query, email_key, extract, licence_key, phone_key
from bot.recruiters.identifiers import identifiers_of
from bot.recruiters.index import SIMILAR, Index, closeness, same_name
from bot.recruiters.names import Lexicon, Name, Word, name_of

#: In a text of more words than this the rest is taken for prose; in a shorter one every word counts.
LONG_TEXT_WORDS: Final = 8
MOST_CORE_WORDS: Final = 6
MOST_MATCHES: Final = 5
MOST_CLAIMS: Final = 4
DIGITS_OFF: Final = 90.0
DIFFERS: Final = 95.0


@dataclass(frozen=True, slots=True)
class _Named:
    """A stretch of the query that is surely a listed name, and the agencies that carry it."""

    words: frozenset[int]
    name: Name
    agencies: tuple[Agency, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query beside the index: what was given, the names found in it, and what it claims beyond them.

    claims: names in the query that no agency has; whole: all words of a short query, for one that
    only seems to ask may be part of a name; places: folded words that are places of agencies; webs, upis: web addresses
    and UPI ids in normal form; streets: each three words side by side.
    """

    query: Query
    names: tuple[_Named, ...]
    claims: tuple[tuple[Word, ...], ...]
    places: frozenset[str]
    whole: tuple[Word, ...] = ()
    webs: tuple[str, ...] = ()
    upis: tuple[str, ...] = ()
    streets: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Firm:
    """All rows of one licence: its phones, addresses and branches count together."""

    phones: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    webs: set[str] = field(default_factory=set)
    upis: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    streets: set[str] = field(default_factory=set)


def check(query: str, index: Index, today: date) -> Check:
    """Look *query* up: a name, a licence or phone number, or a pasted message with several of them."""
    found = identifiers_of(query)
    webs = tuple(other.value for other in found if other.kind is IdentifierKind.WEB)
    asked = replace(
        _read(extract(_without(query, webs)), index),
        webs=webs,
        upis=tuple(other.value for other in found if other.kind is IdentifierKind.UPI),
        streets=frozenset(streets_of(index.lexicon.words(query[:LONGEST]))),
    )
    exact = _exact(asked, index)
    if exact:
        return _judged(exact, asked, today)
    near = _near(asked, index)
    return Check(Verdict.LOOKALIKE, near) if near else Check(Verdict.NOT_FOUND)


def _without(query: str, webs: Iterable[str]) -> str:
    """Return *query* without bare web addresses: they are no part of a name."""
    for web in webs:
        host = web.partition("/")[0]
        query = " | ".join(
            re.split(rf"(?:https?://)?(?:www\.)?{re.escape(host)}(?:[/?#:]\S{{0,200}})?", query, flags=re.IGNORECASE)
        )
    return query


def names_somebody(query: str, lexicon: Lexicon) -> bool:
    """Say whether *query* holds anything to look up: a number, an e-mail, or a telling word before trade words."""
    read = extract(query)
    numbers = (*read.phones, *read.licences, *read.emails, *read.odd_phones, *identifiers_of(query))
    return bool(numbers or _trade_names(lexicon.segments(read.name), set()))


def tells_of_somebody(named: str, lexicon: Lexicon) -> bool:
    """Say whether *named*, picked out as a name or number, is one: not only trade words or words of a question."""
    if names_somebody(named, lexicon):
        return True
    return any(_is_telling(word) for words in lexicon.segments(extract(named).name) for word in words)


def is_active(agency: Agency, today: date) -> bool:
    """Say whether the list has it as active with a date that has not passed; no date is not active."""
    return agency.standing is Standing.ACTIVE and agency.valid_until is not None and agency.valid_until >= today


def _read(query: Query, index: Index) -> _Asked:
    known = tuple(key for key in query.maybe_licences if key not in query.licences and index.by_licence(key))
    query = replace(query, licences=(*query.licences, *known))
    segments = index.lexicon.segments(query.name)
    words = [word for words in segments for word in words]
    names = _names_in(segments, index)
    if not names and len(segments) > 1 and len(words) <= LONG_TEXT_WORDS:
        names = _names_in((tuple(words),), index)
    covered = {at for named in names for at in named.words}
    rest = {at: word for at, word in enumerate(words) if at not in covered and not word.asks}
    rest = {at: word for at, word in rest.items() if not any(word.plain in key for key in known)}
    if len(words) > LONG_TEXT_WORDS:
        before = [min(named.words) - 1 for named in names]
        longer = tuple((words[at],) for at in before if _lengthens(words, at))
        return _Asked(query, names, (*longer, *_trade_names(segments, covered)), frozenset())
    telling = tuple(word for word in rest.values() if word.kind not in {"link", "loose"} and word.canon != "co")
    places = frozenset(word.folded for word in telling if names and index.knows_place(word.folded))
    claimed = tuple(word for word in telling if word.folded not in places)
    says_nothing = not names and not any(not word.kind for word in claimed)
    whole = tuple(word for word in words if word.kind != "link") if claimed and not names else ()
    return _Asked(query, names, () if says_nothing or not claimed else (claimed,), places, whole)


def _lengthens(words: list[Word], at: int) -> bool:
    """Say whether the word before a name makes it another firm's ("New …", "Shree …"), even in prose."""
    return at >= 0 and words[at].lengthens


def _names_in(segments: Iterable[tuple[Word, ...]], index: Index) -> tuple[_Named, ...]:
    """Return the listed names that stand in the query, the longest where one holds another; linear in the query."""
    found: list[_Named] = []
    start = 0
    for words in segments:
        whole = name_of(words)
        if not whole.core:
            found += _named(range(start, start + len(words)), whole, index, whole_key(whole))
        runs = list(_runs(words))
        known = iter(index.knows_cores([core for _, _, cores in runs for core in cores]))
        for first, last, cores in runs:
            if any([next(known) for _ in cores]):  # noqa: C419 - every core takes its answer
                found += _spanned(words, first, last, start, index, cores)
        start += len(words)
    longest = sorted(found, key=lambda named: -len(named.words))
    kept: list[_Named] = []
    for named in longest:
        if not any(named.words & other.words for other in kept):
            kept.append(named)
    return tuple(kept)


def _runs(words: tuple[Word, ...]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield (first, last, telling words joined: as written, folded, as consonants and, if not Latin, their classes)."""
    telling = [at for at, word in enumerate(words) if not word.kind]
    for place, first in enumerate(telling):
        plain = folded = bones = ""
        for last in telling[place : place + MOST_CORE_WORDS]:
            plain, folded, bones = plain + words[last].plain, folded + words[last].folded, bones + words[last].bones
            classes = () if words[last].script == "Latn" else (classes_key(folded),)
            yield first, last, (plain, folded, bones, *classes)


def _spanned(
    words: tuple[Word, ...], first: int, last: int, start: int, index: Index, cores: tuple[str, ...]
) -> list[_Named]:
    """Return the listed name in words first to last with the fillers beside it; those before may be another's."""
    end = last + 1
    while end < len(words) and words[end].kind:
        end += 1
    begin = first
    while begin and words[begin - 1].kind:
        begin -= 1
    for left in dict.fromkeys((begin, first) if begin and not words[begin - 1].kind else (begin,)):
        found = _named(range(start + left, start + end), name_of(words[left:end]), index, *cores)
        if found:
            return found
    return []


def _named(places: range, name: Name, index: Index, *cores: str) -> list[_Named]:
    """Return the name in *places* if agencies surely carry it; across scripts only those that sound nearest."""
    same = [(closeness(name, known), agency) for known, agency in index.by_same(name, cores) if same_name(name, known)]
    nearest = max((close for close, _ in same), default=0.0)
    agencies = tuple(agency for close, agency in same if close == nearest)
    return [_Named(frozenset(places), name, agencies)] if agencies else []


def _trade_names(segments: Iterable[tuple[Word, ...]], covered: set[int]) -> tuple[tuple[Word, ...], ...]:
    """Return what else in a long text looks like an agency's name: a telling word or two before trade words."""
    found: list[tuple[Word, ...]] = []
    start = 0
    for words in segments:
        at = 0
        while at < len(words):
            end = at
            while end < len(words) and words[end].kind in {"trade", "legal"}:
                end += 1
            before = [place for place in range(max(0, at - 2), at) if _is_telling(words[place])]
            if end > at and before and not covered & set(range(start + at, start + end)):
                found += [words[place:end] for place in before]
            at = max(end, at + 1)
        start += len(words)
    return tuple(found[: 2 * MOST_CLAIMS])


def _is_telling(word: Word) -> bool:
    return not word.kind and not word.asks


def _exact(asked: _Asked, index: Index) -> list[Match]:
    """Return matches that agree in at least one detail exactly, with what else of the query agrees or differs."""
    query = asked.query
    agencies = [agency for licence in query.licences for agency in index.by_licence(licence)]
    agencies += [agency for phone in query.phones for agency in index.by_phone(phone)]
    for table, values in (("email", query.emails), ("web", asked.webs), ("upi", asked.upis)):
        agencies += [agency for value in values for agency in index.by_detail(table, value)]
    agencies += [agency for named in asked.names for agency in named.agencies]
    agencies += index.by_streets(sorted(asked.streets))
    agencies += [row for agency in agencies for row in index.by_licence(licence_key(agency.licence))]
    unique = {(agency.source, agency.id): agency for agency in agencies}.values()
    return [_match(agency, asked, index) for agency in unique]


def _firm(agency: Agency, index: Index) -> _Firm:
    firm = _Firm()
    for row in index.by_licence(licence_key(agency.licence)) or [agency]:
        firm.phones.update(phone_key(phone) for phone in row.phones)
        firm.emails.update(email_key(email) for email in row.emails)
        firm.webs.update(detail_key(IdentifierKind.WEB, web) for web in row.webs)
        firm.upis.update(detail_key(IdentifierKind.UPI, upi) for upi in row.upis)
        firm.places.update(index.lexicon.name(row.place).words)
        firm.streets.update(streets_of(index.lexicon.words(row.address)))
    return firm


def _match(agency: Agency, asked: _Asked, index: Index) -> Match:
    """Hold every detail of the query against one agency."""
    named = any(agency in found.agencies for found in asked.names)
    agrees, differs = _details(agency, asked, index, all_phones=named)
    if named:
        agrees = ("name", *agrees)
    if asked.claims or (asked.names and not named) or not set(agrees) - {"address"}:
        differs = ("name", *differs)  # a street alone is nobody's
    return Match(agency, DIFFERS if differs else 100.0, agrees, differs)


def _likely(agency: Agency, score: float, asked: _Asked, index: Index) -> Match:
    """Return an agency whose name is only near, with what else of the query agrees or differs."""
    agrees, differs = _details(agency, asked, index, all_phones=True)
    return Match(agency, score, agrees, ("name", *differs))


def _details(
    agency: Agency, asked: _Asked, index: Index, *, all_phones: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which details agree and which differ; one may do both: two phones, one of them known.

    *all_phones*: numbers with a digit too few or too many count too.
    """
    agrees, differs = [], []
    query, firm = asked.query, _firm(agency, index)
    for detail, given, known in (
        ("licence", set(query.licences), {licence_key(agency.licence)}),
        ("phone", {*query.phones, *query.odd_phones} if all_phones else set(query.phones), firm.phones),
        ("email", {*query.emails, *asked.webs}, firm.emails | firm.webs),
        ("upi", set(asked.upis), firm.upis),
        ("place", set(asked.places), firm.places),
    ):
        if given & known:
            agrees.append(detail)
        if given - known and (known or detail == "licence"):
            differs.append(detail)
    if asked.streets & firm.streets:
        agrees.append("address")
    return tuple(agrees), tuple(differs)


def _judged(matches: list[Match], asked: _Asked, today: date) -> Check:
    """Weigh the matches, warnings first. One detail that differs may mean somebody else under a known name."""
    matches = sorted(matches, key=lambda match: (len(match.differs), _rank(match.agency, today), -len(match.agrees)))
    whole = [match for match in matches if not match.differs]
    warned = [match for match in matches if match.agency.standing is Standing.UNREGISTERED]
    warned = [match for match in warned if set(match.agrees) - {"address"}]
    warned = [
        match for match in warned if not whole or match in whole or set(match.agrees) - {"name", "place", "address"}
    ]
    if warned:
        return _check(Verdict.UNREGISTERED, warned, matches)
    named_whole = all(any(match.agency in named.agencies for match in whole) for named in asked.names)
    if not whole or not named_whole:
        return _check(Verdict.LOOKALIKE, [match for match in matches if match.differs], matches)
    lapsed = [match for match in whole if not is_active(match.agency, today)]
    return _check(Verdict.LAPSED, lapsed, matches) if lapsed else _check(Verdict.LISTED, whole, matches)


def _check(verdict: Verdict, first: list[Match], matches: list[Match]) -> Check:
    return Check(verdict, (*first, *(match for match in matches if match not in first))[:MOST_MATCHES])


def _rank(agency: Agency, today: date) -> int:
    """A warning comes before good news when several rows fit equally."""
    if agency.standing is Standing.UNREGISTERED:
        return 0
    return 2 if is_active(agency, today) else 1


def _near(asked: _Asked, index: Index) -> tuple[Match, ...]:
    """Return what the query may have meant; never said as listed."""
    query = asked.query
    found: list[Match] = []
    for licence in dict.fromkeys((*query.licences, *query.maybe_licences)):
        found += [Match(agency, DIGITS_OFF, (), ("licence",), "licence") for agency in index.near_licence(licence)]
    for phone in (*query.phones, *query.odd_phones):
        found += [Match(agency, DIGITS_OFF, (), ("phone",), "phone") for agency in index.near_phone(phone)]
    claims = (*asked.claims, asked.whole) if asked.whole else asked.claims
    claims = tuple(dict.fromkeys(read for claim in claims for read in (claim, index.lexicon.mended(claim))))
    for name in dict.fromkeys(map(name_of, claims)):
        for score, agency in index.by_name(name):
            if score >= SIMILAR:
                found.append(_likely(agency, score, asked, index))
    best: dict[tuple[str, str], Match] = {}
    for match in sorted(found, key=lambda match: -match.score):
        best.setdefault((match.agency.source, match.agency.id), match)
    return tuple(best.values())[:MOST_MATCHES]
