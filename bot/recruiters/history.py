"""One recruiter across many reports: who shares a number, an account or an address, and what humans said of it.

Pure and deterministic: the same reports and decisions give the same histories, in whatever order they come. Older
reports are joined before newer ones, so a new report may bring histories together but never rearranges them; two
reports that a supervisor has split are never in one history, whoever else comes to stand between them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.identifiers import IdentifierKind
from bot.domain.reports import Action, Decision, HistoryState, Report, Trace

MOST_SHARED: Final = 40


@dataclass(frozen=True, slots=True)
class Rules:
    """What links nobody: helplines (keys in `official`), and what more than `most_shared` people have named.

    Of the latter a supervisor may say that it does link.
    """

    official: frozenset[str] = frozenset()
    most_shared: int = MOST_SHARED


@dataclass(frozen=True, slots=True)
class Link:
    """Why reports are in one history: they share this identifier; without a key, a supervisor joined them."""

    key: str
    reports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Reports held to be about one recruiter, the oldest first; its id is that of the oldest.

    confirmed: keys that a supervisor holds to be this recruiter's · public: those of them that were signed ·
    silent: key → why it links nobody (`alias`, `official`, `not_telling`, `shared`) · apart: keys shared with reports
    that a split holds apart.
    """

    reports: tuple[Report, ...]
    state: HistoryState = HistoryState.UNCONFIRMED
    links: tuple[Link, ...] = ()
    confirmed: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    silent: Mapping[str, str] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The id of the oldest report."""
        return self.reports[0].id

    @property
    def members(self) -> tuple[str, ...]:
        """The ids of its reports."""
        return tuple(report.id for report in self.reports)

    @property
    def independent(self) -> int:
        """How many different people reported."""
        return len({report.person for report in self.reports})

    @property
    def traces(self) -> dict[Trace, tuple[str, ...]]:
        """Every identifier with the ids of the reports that hold it, the most shared first."""
        found: dict[Trace, list[str]] = defaultdict(list)
        for report in self.reports:
            for trace in report.traces:
                found[trace].append(report.id)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0].kind.value, item[0].key))
        return {trace: tuple(reports) for trace, reports in ordered}

    def answers(self, needed: int) -> frozenset[str]:
        """Return the keys that may change what the public sees: signed, and reported by *needed* people or more."""
        return self.public if self.state is HistoryState.SIGNED and self.independent >= needed else frozenset()


@dataclass(slots=True)
class _Group:
    """A history as a supervisor saw it when deciding."""

    state: HistoryState
    reports: set[str]
    keys: frozenset[str]


@dataclass(slots=True)
class _Said:
    """What all decisions together come to."""

    joined: set[frozenset[str]] = field(default_factory=set)
    cut: set[frozenset[str]] = field(default_factory=set)
    unlinked: set[tuple[str, str]] = field(default_factory=set)
    telling: dict[str, bool] = field(default_factory=dict)
    groups: dict[str, _Group] = field(default_factory=dict)


_STATE_AFTER: Final = {
    Action.CONFIRM: HistoryState.CONFIRMED,
    Action.EXTEND: HistoryState.SIGNED,
    Action.SIGN: HistoryState.SIGNED,
    Action.WITHDRAW: HistoryState.WITHDRAWN,
}


def histories(
    reports: Iterable[Report], decisions: Iterable[Decision], rules: Rules | None = None
) -> tuple[History, ...]:
    """Return the histories, the one with the newest report first."""
    rules = rules or Rules()
    said = _replay(decisions)
    ordered = sorted((_without(report, said) for report in reports), key=lambda report: (report.at, report.id))
    live = {report.id for report in ordered}
    silent = _silent(ordered, said, rules)
    parts = _united(ordered, said, silent)
    homes: dict[str, int] = Counter(key for part in parts for key in {t.key for report in part for t in report.traces})
    found = [_history(part, live, said, silent, homes) for part in parts]
    return tuple(sorted(found, key=lambda history: (history.reports[-1].at, history.id), reverse=True))


def _replay(decisions: Iterable[Decision]) -> _Said:
    said = _Said()
    for decision in sorted(decisions, key=lambda decision: decision.number):
        if decision.action in _STATE_AFTER:
            group = _Group(_STATE_AFTER[decision.action], set(decision.reports), frozenset(decision.keys))
            said.groups.update(dict.fromkeys(decision.reports, group))
        elif decision.action is Action.JOIN:
            said.joined |= _pairs(decision)
            said.cut -= _pairs(decision)
        elif decision.action is Action.SPLIT:
            said.cut |= _pairs(decision)
            said.joined -= _pairs(decision)
            for report in decision.reports:
                if report in said.groups:
                    said.groups.pop(report).reports.discard(report)
        elif decision.action is Action.UNLINK:
            said.unlinked |= {(key, report) for key in decision.keys for report in decision.reports}
        else:
            said.telling.update(dict.fromkeys(decision.keys, decision.action is Action.TELLING))
    return said


def _pairs(decision: Decision) -> set[frozenset[str]]:
    return {frozenset((one, other)) for one in decision.reports for other in decision.others if one != other}


def _without(report: Report, said: _Said) -> Report:
    """Take out what a supervisor said tells nothing in this report."""
    kept = tuple(trace for trace in report.traces if (trace.key, report.id) not in said.unlinked)
    return Report(report.id, report.person, report.at, kept)


def _silent(reports: Sequence[Report], said: _Said, rules: Rules) -> dict[str, str]:
    """Return the keys that link nobody, and why. What a supervisor confirmed tells, however many people name it."""
    people: dict[Trace, set[str]] = defaultdict(set)
    for report in reports:
        for trace in report.traces:
            people[trace].add(report.person)
    known = {key for report in reports if report.id in said.groups for key in said.groups[report.id].keys}
    found = {}
    for trace, sharing in people.items():
        if trace.kind is IdentifierKind.ALIAS:
            found[trace.key] = "alias"
        elif trace.key in rules.official:
            found[trace.key] = "official"
        elif said.telling.get(trace.key) is False:
            found[trace.key] = "not_telling"
        elif len(sharing) > rules.most_shared and trace.key not in known and not said.telling.get(trace.key):
            found[trace.key] = "shared"
    return found


class _Parts:
    """Sets of reports that grow together, and never across a cut."""

    def __init__(self, reports: Sequence[Report], cut: Iterable[frozenset[str]]) -> None:
        self._part = {report.id: report.id for report in reports}
        self.members = {report.id: {report.id} for report in reports}
        self._blocked: dict[str, set[str]] = defaultdict(set)
        for pair in cut:
            one, other = pair
            self._blocked[one].add(other)
            self._blocked[other].add(one)

    def of(self, report: str) -> str:
        return self._part[report]

    def unite(self, one: str, other: str) -> bool:
        """Unite the parts of two reports; False where a cut stands between them."""
        one, other = self._part[one], self._part[other]
        if one == other:
            return True
        if not self._blocked[one].isdisjoint(self.members[other]):
            return False
        if len(self.members[one]) < len(self.members[other]):
            one, other = other, one
        for report in self.members[other]:
            self._part[report] = one
        self.members[one] |= self.members.pop(other)
        self._blocked[one] |= self._blocked.pop(other, set())
        return True


def _united(reports: Sequence[Report], said: _Said, silent: Mapping[str, str]) -> list[list[Report]]:
    """Return the parts: first what humans joined, then, from the oldest report on, what shares an identifier."""
    parts = _Parts(reports, said.cut)
    order = {report.id: number for number, report in enumerate(reports)}
    joined = (sorted(pair, key=order.__getitem__) for pair in said.joined if all(report in order for report in pair))
    for one, other in sorted(joined, key=lambda pair: (order[pair[1]], order[pair[0]])):
        parts.unite(one, other)
    holders: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        for trace in sorted(report.traces, key=lambda trace: trace.key):
            if trace.key in silent:
                continue
            met = [parts.unite(report.id, holder) for holder in holders[trace.key]]
            if not any(met):
                holders[trace.key].append(report.id)
    found: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        found[parts.of(report.id)].append(report)
    return list(found.values())


def _history(
    part: Sequence[Report], live: set[str], said: _Said, silent: Mapping[str, str], homes: Mapping[str, int]
) -> History:
    history = History(tuple(part))
    members = set(history.members)
    keys = {trace.key for trace in history.traces}
    state, confirmed, public = _standing(members, live, said)
    telling = frozenset(keys - silent.keys())
    return History(
        history.reports,
        state,
        _links(history, said, silent),
        frozenset(confirmed & keys),
        frozenset(public & telling),
        {key: why for key, why in silent.items() if key in keys},
        frozenset(key for key in telling if homes[key] > 1),
    )


def _standing(members: set[str], live: set[str], said: _Said) -> tuple[HistoryState, frozenset[str], frozenset[str]]:
    """Return the state, what is confirmed, and what is signed.

    A decision holds only while all it was about is still together: if it fell apart, a supervisor must look again.
    """
    groups = list({id(group): group for report in members if (group := said.groups.get(report))}.values())
    nothing: frozenset[str] = frozenset()
    if not groups or any(not (group.reports & live) <= members for group in groups):
        return HistoryState.UNCONFIRMED, nothing, nothing
    confirmed = nothing.union(*(group.keys for group in groups))
    states = {group.state for group in groups}
    if HistoryState.WITHDRAWN in states:
        return HistoryState.WITHDRAWN, confirmed, nothing
    if HistoryState.SIGNED not in states:
        return HistoryState.CONFIRMED, confirmed, nothing
    signed = nothing.union(*(group.keys for group in groups if group.state is HistoryState.SIGNED))
    return HistoryState.SIGNED, confirmed, signed


def _links(history: History, said: _Said, silent: Mapping[str, str]) -> tuple[Link, ...]:
    """Return every reason why these reports are together."""
    shared = [
        Link(trace.key, reports)
        for trace, reports in history.traces.items()
        if len(reports) > 1 and trace.key not in silent
    ]
    members = set(history.members)
    joined = sorted(tuple(sorted(pair)) for pair in said.joined if pair <= members)
    return (*shared, *(Link("", pair) for pair in joined))
