"""Districts as people write them, and as they are kept: `BR:Patna`, or `BR` for a whole State."""

from __future__ import annotations

from bot.content.model import Content
from bot.domain.cases import Case


def name_of(code: str, content: Content) -> str:
    """Return a kept district in words: "Patna, Bihar", or "Bihar"."""
    state, _, district = code.partition(":")
    try:
        named = content.words("en", f"state.{state}.name")
    except KeyError:
        return code
    return f"{district}, {named}" if district else named


def read(typed: str, content: Content) -> str:
    """Return what somebody typed as it is kept; "" if it names none of ours, or more than one.

    Only whole names count: a guess could open cases to the wrong organisation.
    """
    known = every(content)
    said = " ".join(typed.split()).casefold()
    found = {code for code in known if said in {code.casefold(), name_of(code, content).casefold()}}
    if not found:
        found = {
            f"{district.state}:{district.name}"
            for district in content.districts
            if said in {name.casefold() for name in (district.name, *district.aliases)}
        }
    return found.pop() if len(found) == 1 else ""


def every(content: Content) -> list[str]:
    """Return every State and every district as they are kept."""
    states = sorted({district.state for district in content.districts})
    return states + [f"{district.state}:{district.name}" for district in content.districts]


def within(codes: tuple[str, ...], content: Content) -> list[str]:
    """Return the districts that *codes* cover, a whole State taken apart."""
    found = (f"{district.state}:{district.name}" for district in content.districts)
    return [code for code in found if code in codes or code.partition(":")[0] in codes]


def named(code: str, content: Content) -> str:
    """Return in words the district of a case: its own, or that of the place where it began; "" if it has none."""
    place = content.places.get(code)
    return name_of(f"{place.state}:{place.district}" if place and place.state else code, content) if code else ""


def likely(case: Case, content: Content) -> str:
    """Return the district of a case: the one a supervisor gave, else that of the place where it began, else ""."""
    place = content.places.get(case.place)
    return case.district or (f"{place.state}:{place.district}" if place and place.state else "")
