"""What a person of the console may see of the cases, and to whom they may give one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bot.console.auth import Session
from bot.domain.cases import Case
from bot.domain.roles import STAFF, Organisation, Role, may_work
from bot.ports import Responder

Service = Any
#: What was said this long before a case opened led to it; the farewell leaves a moment after it was closed.
BEFORE: Final = timedelta(hours=1)
AFTER: Final = timedelta(minutes=1)
#: Carried by no case: what the queue of a partner without labels is asked for.
NO_LABEL: Final = ("",)


def sees(session: Session, case: Case) -> bool:
    """Say whether the person may open this case."""
    return may_work(session.responder.role, session.organisation, case)


def wanted(session: Session) -> tuple[str, ...]:
    """Return the labels that the queue is asked for; () asks for all."""
    if session.responder.role in STAFF:
        return ()
    return (session.organisation.labels if session.organisation else ()) or NO_LABEL


def covers(session: Session, case: Case, at: datetime, closed_at: datetime | None) -> bool:
    """Say whether what was said at that time belongs to the case for this person.

    Staff read the whole conversation; a partner what came with the case, not what the person asked last month or
    what another case is about. *closed_at*: when the case ended, or the one that it was merged into.
    """
    if session.responder.role in STAFF:
        return True
    return case.opened_at - BEFORE <= at and (closed_at is None or at <= closed_at + AFTER)


async def colleagues(service: Service, session: Session, case: Case | None = None) -> list[str]:
    """Return who else works on cases, by login: for a partner those of the same organisation.

    With a *case*, staff may also give it to partners who see it.
    """
    people = [person for person in await service.responders.all() if person.active]
    others = [person for person in people if person.id != session.responder.id]
    if session.responder.role == Role.PARTNER:
        ours = session.responder.organisation
        return [person.id for person in others if person.role == Role.PARTNER and person.organisation == ours]
    partners = {partner.id: partner for partner in await service.organisations.all()} if case else {}
    return [person.id for person in others if person.role in STAFF or _partner_sees(person, partners, case)]


def _partner_sees(person: Responder, partners: dict[str, Organisation], case: Case | None) -> bool:
    return case is not None and may_work(person.role, partners.get(person.organisation), case)
