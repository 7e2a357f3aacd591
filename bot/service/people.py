"""What follows for cases when a person or an organisation changes: nobody keeps a case they may not work on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.attending import CLOCK
from bot.domain.cases import Case, CaseAction, IllegalTransition
from bot.domain.private import Private
from bot.domain.referrals import Basis, allowed
from bot.domain.roles import Organisation, may_work
from bot.domain.why import Why
from bot.ports import Cases, NotOwner, Organisations, Responder, Responders
from bot.service.refer import NotAllowed
from bot.service.respond import Respond

log = logging.getLogger(__name__)
PAUSE = 30.0


class People:
    """Puts cases in a partner's view and takes them back; puts back what nobody may hold any more."""

    def __init__(
        self,
        cases: Cases,
        responders: Responders,
        organisations: Organisations,
        respond: Respond,
        now: Callable[[], datetime],
    ) -> None:
        """Every change is one atomic action with its line in the case's history."""
        self._respond = respond
        self._cases = cases
        self._responders = responders
        self._organisations = organisations
        self._now = now

    async def sees(self, person: Responder, case: Case) -> bool:
        """Say whether a person may open this case."""
        return may_work(person.role, await self._organisations.get(person.organisation), case)

    async def share(  # noqa: PLR0913
        self,
        case: Case,
        who: str,
        partner: Organisation,
        label: str,
        district: str,
        basis: Basis,
        consent: str,
        reason: str,
        key: str,
    ) -> Case:
        """Put a case in a partner's view. Raise `NotAllowed`, `IllegalTransition`."""
        if label not in partner.labels or not partner.covers(district):
            raise NotAllowed("roles.no_share")
        if not reason.strip():
            raise NotAllowed("empty")
        if not allowed(basis, consent, minor=case.minor):
            raise NotAllowed("case.no_basis")
        ground = f"{basis.value} {consent.strip()}".strip() if basis is Basis.CONSENT else basis.value
        detail = Private(f"{partner.name} · {label} · {district} · {ground} · {reason.strip()}")
        return await self._cases.act(
            case.id, CaseAction.SHARE, who, self._now(), detail=detail, key=key, labels=(label,), district=district
        )

    async def take_back(self, case: Case, who: str, partner: Organisation, reason: str) -> Case:
        """Take a case out of a partner's view; if one of theirs has it, it goes back into the queue with an alert."""
        if not reason.strip():
            raise NotAllowed("empty")
        lost = ", ".join(label for label in case.labels if label in partner.labels)
        detail = Private(f"{partner.name} · {lost} · {reason.strip()}")
        done = await self._cases.act(
            case.id, CaseAction.UNSHARE, who, self._now(), detail=detail, labels=partner.labels
        )
        await self.clear()
        return done

    async def clear(self) -> int:
        """Put back every open case whose owner may not work on it (any more); return how many.

        Safe to repeat, so that a crash between a change and this loses nothing.
        """
        held = [case for case in await self._cases.queue() if case.owner]
        if not held:
            return 0
        people = {person.id: person for person in await self._responders.all()}
        partners = {partner.id: partner for partner in await self._organisations.all()}
        return sum([await self._put_back(case) for case in held if not _may_hold(case, people, partners)])

    async def _put_back(self, case: Case) -> bool:
        try:
            await self._respond.put_back(case, CLOCK, Why.OWNER_GONE.mark)
        except (IllegalTransition, NotOwner, LookupError):
            return False
        return True


def _may_hold(case: Case, people: Mapping[str, Responder], partners: Mapping[str, Organisation]) -> bool:
    """Say whether the owner may still work on it. An owner who is no person of the console is not ours to judge."""
    owner = people.get(case.owner or "")
    if owner is None:
        return True
    return owner.active and may_work(owner.role, partners.get(owner.organisation), case)


async def keep_clear(people: People, pause: float = PAUSE) -> None:
    """Look for ever: changes made from the command line or cut short by a crash count too."""
    while True:
        try:
            await people.clear()
        except Exception as error:
            log.exception("cases stay with their owners", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
