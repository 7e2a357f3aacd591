"""Histories of recruiters: what supervisors decide, what responders correct, and what the public may hear."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import text as forms
from bot.domain.cases import Case
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.private import Private
from bot.domain.reports import Action, Decision, HistoryState, Report, ReportFile, Sheet, SheetLine, SheetReport
from bot.ports import Reports, SheetWriter, VersionClash
from bot.recruiters.extract import phone_key
from bot.recruiters.history import MOST_SHARED, History, Rules, histories
from bot.recruiters.identifiers import identifier, identifiers_of

log = logging.getLogger(__name__)
TRIES = 5
FORMS = ("pdf", "csv")
ENDED = frozenset({HistoryState.UNCONFIRMED, HistoryState.WITHDRAWN})


class Refused(Exception):
    """Something that may not be done now; `why` is the id of the words that say so."""

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Limits:
    """needed: people without whom nothing is public. most_shared: see `Rules`. days: for which a report counts."""

    needed: int = 3
    most_shared: int = MOST_SHARED
    days: int = 730


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet as a file, to be handed out once."""

    name: str
    data: bytes
    sheet: Sheet


class Histories:
    """The histories as they are now. In memory are keyed hashes only; values are read when somebody looks at them."""

    def __init__(
        self,
        reports: Reports,
        writer: SheetWriter,
        official: Callable[[], Iterable[str]],
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        """*official*: helplines and addresses that link nobody, as they are written. Empty until `refresh` has run."""
        self._reports = reports
        self._writer = writer
        self._official = official
        self._now = now
        self._stamp: tuple[int, int, int] | None = None
        self._decisions: Sequence[Decision] = ()
        self._by_report: Mapping[str, History] = {}
        self._public: frozenset[str] = frozenset()
        self.limits = limits
        self.all: tuple[History, ...] = ()

    # --- what the public may hear

    def reported(self, text: str) -> bool:
        """Say whether *text* holds a signed identifier of a history that enough people reported."""
        return bool(self._public) and not self._public.isdisjoint(self._keys(text))

    async def refresh(self) -> bool:
        """Remove what is too old, and build again if a report or a decision is new; True if so."""
        await self._reports.expire(self._now() - timedelta(days=self.limits.days))
        stamp = await self._reports.stamp()
        if stamp == self._stamp:
            return False
        reports, decisions = await self._reports.live(), await self._reports.decisions()
        rules = Rules(self._never(), self.limits.most_shared)
        self.all = await asyncio.to_thread(histories, reports, decisions, rules)
        self._decisions = decisions
        self._by_report = {report: history for history in self.all for report in history.members}
        self._public = frozenset().union(*(history.answers(self.limits.needed) for history in self.all))
        self._stamp = stamp
        log.info("histories built", extra={"reports": len(reports), "histories": len(self.all)})
        return True

    def _never(self) -> frozenset[str]:
        """Return the keys of what belongs to an authority: a helpline's number in any writing, the site of a source."""
        found: set[Identifier] = set()
        for line in self._official():
            found.update(identifiers_of(line))
            if not any(map(str.isalpha, line)):
                digits = forms.digits_of(line)
                found |= {Identifier(IdentifierKind.PHONE, number) for number in (digits, phone_key(digits))}
        return frozenset(map(self._reports.key, found))

    # --- looking

    def of(self, report: str) -> History | None:
        """Return the history that a report is in."""
        return self._by_report.get(report)

    def find(self, typed: str) -> tuple[History, ...]:
        """Return the histories that hold what was typed: an identifier of any kind, or an alias by its sound."""
        keys = self._keys(typed, IdentifierKind.PHONE, IdentifierKind.ALIAS)
        return tuple(history for history in self.all if any(trace.key in keys for trace in history.traces))

    def _keys(self, text: str, *also: IdentifierKind) -> set[str]:
        """Return the keys of all that *text* holds, and of what the whole of it may be: a licence, a bare account."""
        bare = () if any(map(str.isalpha, text)) else (IdentifierKind.ACCOUNT,)
        whole = (made for kind in (IdentifierKind.LICENCE, *bare, *also) if (made := identifier(kind, text)))
        return {self._reports.key(one) for one in (*identifiers_of(text), *whole)}

    def alike(self, history: History) -> tuple[History, ...]:
        """Return other histories that share a name by its sound, or an identifier that a split holds apart."""
        keys = {key for key, why in history.silent.items() if why == "alias"} | history.apart
        return tuple(
            other
            for other in self.all
            if other is not history and not keys.isdisjoint(trace.key for trace in other.traces)
        )

    async def files(self, reports: Sequence[str]) -> Sequence[ReportFile]:
        """Return reports, readable."""
        return await self._reports.files(reports)

    async def log(self, history: History) -> tuple[Decision, ...]:
        """Return every decision that touched these reports or their identifiers, newest first, with its reason."""
        members, keys = set(history.members), {trace.key for trace in history.traces}
        told = [item for item in self._decisions if not members.isdisjoint((*item.reports, *item.others))]
        keys.update(key for item in told for key in item.keys)
        marks = (item for item in self._decisions if not (item.reports or keys.isdisjoint(item.keys)))
        mine = sorted((*told, *marks), key=lambda item: item.number, reverse=True)
        reasons = await self._reports.reasons([decision.number for decision in mine])
        return tuple(replace(item, reason=reasons.get(item.number, item.reason)) for item in mine)

    async def sheets(self, history: History) -> Sequence[SheetLine]:
        """Return what was handed out about these reports."""
        return await self._reports.sheets(history.members)

    def to_be_public(self, history: History) -> frozenset[str]:
        """Return what a signature would make public: what is confirmed and tells something."""
        return history.confirmed - history.silent.keys()

    # --- deciding, for supervisors

    async def confirm(self, at: History, who: str, keys: Iterable[str], reason: str) -> None:
        """Hold that these reports are about one recruiter, and *keys* are theirs; signed histories stay signed."""
        chosen = frozenset(keys) & {trace.key for trace in at.traces}
        chosen -= {key for key, why in at.silent.items() if why == "official"}
        if not chosen:
            raise Refused("nothing_ticked")
        action = Action.EXTEND if at.state is HistoryState.SIGNED else Action.CONFIRM
        await self._decide(
            at, Decision(action, who, self._now(), at.members, (), tuple(sorted(chosen)), Private(reason))
        )

    async def sign(self, at: History, who: str, reason: str) -> None:
        """Let the public hear of what is confirmed."""
        if at.state is not HistoryState.CONFIRMED:
            raise Refused("not_confirmed")
        if at.independent < self.limits.needed:
            raise Refused("too_few")
        if not self.to_be_public(at):
            raise Refused("nothing_public")
        keys = tuple(sorted(at.confirmed))
        await self._decide(at, Decision(Action.SIGN, who, self._now(), at.members, (), keys, Private(reason)))

    async def withdraw(self, at: History, who: str, reason: str) -> None:
        """Take confirmation and signature back; the public hears nothing from now on."""
        if at.state in ENDED:
            raise Refused("not_confirmed")
        await self._decide(at, Decision(Action.WITHDRAW, who, self._now(), at.members, reason=_needed(reason)))

    async def split(self, at: History, who: str, report: str, reason: str) -> None:
        """Hold one report apart from the others, for good."""
        others = tuple(member for member in at.members if member != report)
        if report not in at.members or not others:
            raise Refused("moved_on")
        await self._decide(at, Decision(Action.SPLIT, who, self._now(), (report,), others, reason=_needed(reason)))

    async def unlink(self, at: History, who: str, key: str, reason: str) -> None:
        """Take an identifier out of this history."""
        holding = next((reports for trace, reports in at.traces.items() if trace.key == key), ())
        if not holding:
            raise Refused("moved_on")
        await self._decide(at, Decision(Action.UNLINK, who, self._now(), holding, (), (key,), _needed(reason)))

    async def mark(self, at: History, who: str, key: str, reason: str, *, telling: bool) -> None:
        """Say that an identifier tells nothing (a bank's, a helpline), or that it does."""
        if key not in {trace.key for trace in at.traces}:
            raise Refused("moved_on")
        action = Action.TELLING if telling else Action.NOT_TELLING
        await self._decide(at, Decision(action, who, self._now(), (), (), (key,), _needed(reason)))

    async def merge(self, at: History, who: str, other: str, reason: str) -> None:
        """Hold that another history is about the same recruiter."""
        found = self.of(other.strip().lower())
        if not found or found is at:
            raise Refused("no_other")
        await self._decide(
            at, Decision(Action.JOIN, who, self._now(), at.members, found.members, reason=_needed(reason))
        )

    async def _decide(self, at: History, decision: Decision) -> None:
        """Append it if the history is still as it was seen; another supervisor's decision elsewhere is no obstacle."""
        for _ in range(TRIES):
            await self.refresh()
            now = self.of(at.id)
            if not now or seal(now) != seal(at):
                raise Refused("moved_on")
            try:
                await self._reports.decide(decision, self._decisions[-1].number if self._decisions else 0)
            except VersionClash:
                continue
            await self.refresh()
            return
        raise Refused("moved_on")

    # --- correcting, for responders

    async def file(self, case_id: str) -> ReportFile | None:
        """Return the report of a case, if there is one."""
        return await self._reports.file(case_id)

    async def hold(self, case: Case, who: str, kind: IdentifierKind, typed: str, *, instead: str = "") -> None:
        """Add an identifier, or put it in the place of another."""
        made = identifier(kind, typed)
        if not made:
            raise Refused("not_usable")
        added = await self._reports.hold(case.id, _known(case), made, who, self._now())
        if instead and instead != self._reports.key(made):
            await self._reports.let_go(case.id, instead)
        elif not added:
            raise Refused("there_already")
        await self.refresh()

    async def let_go(self, case: Case, key: str) -> None:
        """Take an identifier out."""
        if not await self._reports.let_go(case.id, key):
            raise Refused("moved_on")
        await self.refresh()

    async def describe(self, case: Case, district: str, amount: int) -> None:
        """Keep where it was and how much was paid (whole rupees)."""
        await self._reports.describe(case.id, _known(case), district, amount, self._now())
        await self.refresh()

    async def retract(self, case: Case, who: str, reason: str) -> None:
        """Let a report count no more."""
        if not await self._reports.retract(case.id, _known(case), who, _needed(reason).reveal(), self._now()):
            raise Refused("moved_on")
        await self.refresh()

    async def restore(self, case: Case) -> None:
        """Let a report that was retracted by mistake count again."""
        if not await self._reports.restore(case.id):
            raise Refused("moved_on")
        await self.refresh()

    # --- handing out, for supervisors

    async def paper(
        self, at: History, who: str, form: str, recipient: str, reason: str, words: Mapping[str, str]
    ) -> Paper:
        """Make a dated, numbered sheet of what is confirmed. It is kept nowhere; the register keeps its hash."""
        if at.state in ENDED:
            raise Refused("not_confirmed")
        if form not in FORMS or not recipient.strip():
            raise Refused("empty")
        now = self._now()
        line = SheetLine(0, now, who, Private(recipient.strip()), _needed(reason), form, "", "")
        files = await self._reports.files(at.members)
        line = await self._reports.next_sheet(at.members, line)
        sheet = _sheet(at, line, files)
        data = await asyncio.to_thread(self._writer.write, sheet, form, words)
        await self._reports.sheet_made(line.number, sheet.digest, hashlib.sha256(data).hexdigest())
        return Paper(f"history-{now.year}-{line.number:04d}.{form}", data, sheet)


def seal(history: History) -> str:
    """Return a short name for all that a supervisor sees of a history when deciding."""
    traces = sorted((trace.key, reports) for trace, reports in history.traces.items())
    seen = [history.members, history.state.value, sorted(history.confirmed), sorted(history.public), traces]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def _sheet(at: History, line: SheetLine, files: Sequence[ReportFile]) -> Sheet:
    """Fill a sheet: nothing of those who reported but dates, districts and sums."""
    known = {held.key: held.identifier for file in files for held in file.held}
    held = {trace.key: len(reports) for trace, reports in at.traces.items()}
    told = sorted(
        ((known[key], held[key]) for key in at.confirmed if key in known),
        key=lambda item: (-item[1], item[0].kind.value, item[0].value),
    )
    reports = sorted(
        (SheetReport(file.at.date(), file.district, file.amount) for file in files),
        key=lambda report: (report.on, report.district, report.amount),
    )
    sheet = Sheet(
        line.number, line.at, line.who, line.recipient.reveal(), line.reason.reveal(), at.state, at.independent,
        tuple(told), tuple(reports), len(held) - len(told),
    )  # fmt: skip
    return replace(sheet, digest=_digest(sheet))


def _digest(sheet: Sheet) -> str:
    content = [
        sheet.number, sheet.at.isoformat(), sheet.who, sheet.recipient, sheet.reason, sheet.state.value,
        sheet.independent,
        [[item.kind.value, item.value, count] for item, count in sheet.identifiers],
        [[report.on.isoformat(), report.district, report.amount] for report in sheet.reports], sheet.left_out,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _needed(reason: str) -> Private:
    if not reason.strip():
        raise Refused("empty")
    return Private(reason.strip())


def _known(case: Case) -> str:
    """A case whose person was erased takes nothing new: it could be sealed under no key of theirs."""
    if not case.conversation_id:
        raise Refused("erased")
    return case.conversation_id


def people(reports: Sequence[Report]) -> dict[str, int]:
    """Return report → a small number for its person, so that a page can say who is the same without saying who."""
    numbers: dict[str, int] = {}
    return {report.id: numbers.setdefault(report.person, len(numbers) + 1) for report in reports}
