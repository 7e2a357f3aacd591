"""Pages to responders, who is on call, and the proof that a page arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.rota import Rota, Staff

#: The kind of an alert that only says how many more cases wait as a shift begins.
SHIFT_WAITING = "shift_waiting"
#: The kind of an alert that is for whoever runs the service: a platform refuses what we send.
CHANNEL_FAULT = "channel_fault"
#: Others for them: very many new people at once; a platform that cannot bring us messages, brings them elsewhere or not
#: all kinds of them; a number in trouble; no more people today to whom we may write first.
CROWD = "crowd"
PLATFORM_LATE = "platform_late"
PLATFORM_ADDRESS = "platform_address"
PLATFORM_KINDS = "platform_kinds"
PLATFORM_NUMBER = "platform_number"
PEOPLE_A_DAY = "people_a_day"
#: And about the console: the way in of one account is guessed at, of very many; a session came from elsewhere.
GUESS_ONE = "guess_one"
GUESS_MANY = "guess_many"
SESSION_STOLEN = "session_stolen"
#: And about the content: it names phone numbers that no administrator has signed.
PHONES_UNSIGNED = "phones_unsigned"
FOR_OPERATORS = frozenset({
    CHANNEL_FAULT, CROWD, PLATFORM_LATE, PLATFORM_ADDRESS, PLATFORM_KINDS, PLATFORM_NUMBER, PEOPLE_A_DAY,
    GUESS_ONE, GUESS_MANY, SESSION_STOLEN, PHONES_UNSIGNED,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alert:
    """One page to one alert channel about one case event; carries ids and kinds, never a person's words.

    source: the list of recruiters, or for one of `FOR_OPERATORS` the channel, that it is about instead; then there is
    no case, and `values` fill its words.
    ref: the message that led to it (see `reference`). A page that left before its case could be stored has no case yet;
    the case's own page follows with the same `ref`. rung: how far up the ladder; 0 is the first page.
    to: the logins of those whom it is for; none: everybody.
    """

    id: str
    case_id: str
    channel: str
    kind: str
    reason: str
    locale: str
    attempts: int = 0
    source: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""
    rung: int = 0
    to: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where in the console it leads."""
        if self.kind in FOR_OPERATORS:
            return "/console/"
        if self.source:
            return "/console/lists"
        return f"/console/cases/{self.case_id}" if self.case_id else "/console/queue"


class Alerts(Protocol):
    """Pages that are due, one row per alert channel."""

    async def next_due(self, owner: str, channel: str) -> Alert | None:
        """Lease the alert to be sent next over this alert channel; pages that were overtaken are closed unsent."""
        ...

    async def renew(self, alert: Alert, owner: str) -> bool:
        """Hold a lease that *owner* has for as long again; False if it is lost."""
        ...

    async def unheard(self, inbox_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these messages nobody has answered, or were answered and their page was not yet tried.

        Raise `StoreUnavailable`.
        """
        ...

    async def add(self, alerts: Sequence[Alert], now: datetime) -> int:
        """Queue those whose ids are not there yet, whoever else does the same; return how many were new."""
        ...

    async def done(self, alert: Alert) -> None:
        """It went out."""
        ...

    async def retry(self, alert: Alert, seconds: float, reason: str, *, missed: bool) -> None:
        """Put it back for later; after a day give it up. missed: it surely reached nobody."""
        ...

    async def nobody_reached(self, alert: Alert) -> bool:
        """Say whether this event's page surely missed people on every channel that leads away from the console."""
        ...


class Rotas(Protocol):
    """The rota and the staff."""

    async def current(self) -> Rota:
        """Return the rota in force; one without shifts if there is none."""
        ...

    async def save(self, rota: Rota, who: str, now: datetime) -> None:
        """Put a rota in force."""
        ...

    async def paged_at(self) -> datetime | None:
        """Return the start of the last shift whose people were told what waits."""
        ...

    async def paged(self, start: datetime) -> None:
        """Note that the people of the shift that began then were told."""
        ...

    async def staff(self) -> Staff:
        """Return who works on cases, who supervises, and how many open cases each has."""
        ...


@dataclass(frozen=True, slots=True)
class Flight:
    """What became of one canary: seconds until it reached each alert channel, and which it did not reach."""

    at: datetime
    arrived: Mapping[str, float]
    missing: tuple[str, ...]


class Canaries(Protocol):
    """Where canaries leave their marks."""

    async def my_turn(self, every: float) -> bool:
        """Say whether this process is to send the next one: one of all processes, every so many seconds."""
        ...

    async def arrived(self) -> Mapping[str, datetime]:
        """Return when the present one reached each alert channel."""
        ...

    async def sweep(self) -> None:
        """Remove all that the last one left: conversation, case, pages."""
        ...

    async def record(self, flight: Flight) -> None:
        """Keep what became of one."""
        ...

    async def last(self) -> Flight | None:
        """Return the last one recorded, by whichever process."""
        ...


class Pager(Protocol):
    """One way to alert responders. Raise `ChannelError`."""

    name: str

    async def page(self, alert: Alert) -> None:
        """Tell the responders that a case waits."""
        ...

    async def check(self, alert: Alert) -> None:
        """Find out whether a page would arrive, without waking anybody. Raise `ChannelError` if it would not."""
        ...
