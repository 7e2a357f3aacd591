"""Where a person is, drawn without outside tiles: the point, the nearest places known to us, a scale bar."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.content.model import Place
from bot.domain.places import Point

EARTH_KM: Final = 6371.0
KM_PER_DEGREE: Final = 111.2
MOST: Final = 5
#: Of the points where there is help so many are shown besides, as far away at most.
MOST_HELP: Final = 3
HELP_KM: Final = 100.0
#: Beyond this many kilometres a place is no help; where none is nearer, the point is not in India.
FAR_KM: Final = 400.0
#: Nobody gains from a picture that shows less than this many kilometres around the person.
LEAST_KM: Final = 0.4
SIZE: Final = 300
MARGIN: Final = 26
BAR_PART: Final = 0.45
DIRECTIONS: Final = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known place, its distance in kilometres, and the direction in which it lies (an id of `DIRECTIONS`)."""

    place: Place
    km: float
    direction: str


@dataclass(frozen=True, slots=True)
class Post:
    """Who can help at a point: `desk`, `rpf`, `grp` or `child_desk`; what is known of where, when and phone, or ""."""

    kind: str
    phone: str = ""
    where: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A place in the picture's own units, and its number in the list beside it."""

    x: float
    y: float
    number: int


@dataclass(frozen=True, slots=True)
class Map:
    """North is up, the person in the middle. bar: length of the scale bar; bar_km: what it stands for."""

    latitude: float
    longitude: float
    near: tuple[Neighbour, ...]
    dots: tuple[Dot, ...]
    bar: float
    bar_km: float
    size: int = SIZE


def posts_at(point: Point) -> list[Post]:
    """Return who can help at a point, as its operator told us."""
    desk = Post("desk", point.desk.phone, point.desk.where.get("en", ""), point.desk.hours)
    others = {"rpf": point.rpf, "grp": point.grp, "child_desk": point.child_desk}
    found = [Post(kind, post.phone) for kind, post in others.items() if post.there]
    return [desk, *found] if desk.phone or desk.where or desk.hours else found


def point_of(text: str) -> tuple[float, float] | None:
    """Read "latitude,longitude" in degrees; None if it is no point on the earth."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None  # noqa: PLR2004 - degrees


def draw_map(latitude: float, longitude: float, places: Iterable[Place], helping: frozenset[str] = frozenset()) -> Map:
    """Return the picture of a point and the places nearest to it; *helping*: the codes of those where there is help."""
    known = tuple(places)
    near = neighbours(latitude, longitude, known)
    there = {item.place.code for item in near}
    desks = neighbours(latitude, longitude, (place for place in known if place.code in helping))
    more = [item for item in desks[:MOST_HELP] if item.km <= HELP_KM and item.place.code not in there]
    near = tuple(sorted((*near, *more), key=lambda item: item.km))
    reach = max([LEAST_KM, *(item.km for item in near)])
    per_km = (SIZE / 2 - MARGIN) / reach
    bar_km = _round(reach * BAR_PART)
    dots = tuple(_dot(latitude, longitude, item, number, per_km) for number, item in enumerate(near, 1))
    return Map(latitude, longitude, near, dots, round(bar_km * per_km, 1), bar_km)


def neighbours(latitude: float, longitude: float, places: Iterable[Place]) -> tuple[Neighbour, ...]:
    """Return at most `MOST` places within `FAR_KM`, nearest first."""
    found = [(km, place) for place in places if (km := _km(latitude, longitude, place)) <= FAR_KM]
    found.sort(key=lambda item: (item[0], item[1].code))
    return tuple(Neighbour(place, km, _direction(latitude, longitude, place)) for km, place in found[:MOST])


def _km(latitude: float, longitude: float, place: Place) -> float:
    """Great-circle distance (haversine); what lies too far north or south is not worked out."""
    if place.latitude is None or place.longitude is None or abs(place.latitude - latitude) * KM_PER_DEGREE > FAR_KM:
        return math.inf
    one, two = math.radians(latitude), math.radians(place.latitude)
    across = math.radians(place.longitude - longitude)
    half = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def _offset(latitude: float, longitude: float, place: Place) -> tuple[float, float]:
    """Return kilometres to the east and to the north; good to a fraction of a per cent over short distances."""
    north = ((place.latitude or 0.0) - latitude) * KM_PER_DEGREE
    return ((place.longitude or 0.0) - longitude) * KM_PER_DEGREE * math.cos(math.radians(latitude)), north


def _direction(latitude: float, longitude: float, place: Place) -> str:
    east, north = _offset(latitude, longitude, place)
    return DIRECTIONS[round(math.degrees(math.atan2(east, north)) / 45) % len(DIRECTIONS)]


def _dot(latitude: float, longitude: float, item: Neighbour, number: int, per_km: float) -> Dot:
    east, north = _offset(latitude, longitude, item.place)
    return Dot(round(SIZE / 2 + east * per_km, 1), round(SIZE / 2 - north * per_km, 1), number)


def _round(km: float) -> float:
    """Return the nearest of 1, 2 or 5 times a power of ten that is not greater."""
    power = 10.0 ** math.floor(math.log10(km))
    return next(step * power for step in (5, 2, 1) if step * power <= km)
