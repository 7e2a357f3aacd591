"""Who may see which case: the roles of the console, partner organisations, and what puts a case in their view."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.cases import Case


class Role(StrEnum):
    """What a person of the console is there for."""

    RESPONDER = "responder"
    SUPERVISOR = "supervisor"
    PARTNER = "partner"
    AUTHOR = "author"
    AUDITOR = "auditor"
    ADMIN = "admin"


#: Those who see every case.
STAFF: Final = frozenset({Role.RESPONDER, Role.SUPERVISOR})
LONGEST_LABEL: Final = 30


@dataclass(frozen=True, slots=True)
class Organisation:
    """A partner: it works on cases that carry one of its labels and lie in one of its districts.

    districts: `BR:Patna` for a district, `BR` alone for the whole State. Nothing given means that nothing is seen.
    """

    id: str
    name: str
    labels: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()

    def covers(self, district: str) -> bool:
        """Say whether a district, written `BR:Patna`, is one of its own."""
        return bool(district) and (district in self.districts or district.partition(":")[0] in self.districts)

    def sees(self, case: Case) -> bool:
        """Say whether a case is in its view: a label of its own, and a district of its own."""
        return self.covers(case.district) and not set(self.labels).isdisjoint(case.labels)


def may_work(role: str, organisation: Organisation | None, case: Case) -> bool:
    """Say whether somebody of this role and organisation may open a case and work on it."""
    if role in STAFF:
        return True
    return role == Role.PARTNER and organisation is not None and organisation.sees(case)


def labels_of_both(one: Case, other: Case) -> tuple[str, ...]:
    """Return the labels that two cases keep which become one: a partner goes on with it only if it saw both.

    A supervisor may show the whole of it to somebody anew.
    """
    return tuple(label for label in one.labels if label in other.labels) if one.district == other.district else ()


def is_label(text: str) -> bool:
    """Say whether a text can be a label: letters a to z, digits and hyphens."""
    return 0 < len(text) <= LONGEST_LABEL and text.isascii() and text.replace("-", "").isalnum() and text.islower()


def problem(organisation: Organisation) -> str:
    """Say what is wrong with an organisation, as the id of words; "" if nothing is."""
    if not is_label(organisation.id) or not organisation.name:
        return "organisation_id"
    if not organisation.labels or not all(map(is_label, organisation.labels)):
        return "organisation_labels"
    return "" if organisation.districts and "" not in organisation.districts else "organisation_districts"
