"""Versions of lists in the real database: one in force at every moment, none half stored, old ones dropped in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.app import Service
from bot.domain.agencies import Agency, AgencyList, Kind, ListState, Problem, Standing
from bot.store.agencies import FORMER_INDEX, STORING_AT_MOST, MongoAgencies
from tests.conftest import NOW

LISTING = AgencyList("made-up", "Made up", date(2026, 11, 1), NOW, "c" * 64, sample=True, rows=0, by="test")


def rows(count: int, name: str = "Agency") -> list[Agency]:
    """Return *count* rows of one list."""
    return [
        Agency(f"B-{at}", f"{name} {at}", f"B-{at}", Standing.ACTIVE, source="made-up", line=at + 2)
        for at in range(count)
    ]


async def test_a_row_and_its_version_come_back_as_they_were(service: Service) -> None:
    """Every field, in the order of the file, with its line."""
    full = Agency(
        "B-1", "Suryodaya", "B-1", Standing.BLACKLISTED, date(2027, 2, 1), "Patna", ("00000 10001", "00000 10002"),
        ("a@b.example",), "made-up", Kind.SECURITY, ("https://b.example",), ("a@example",), "1 Made-up Road", 3,
    )  # fmt: skip
    bare = Agency("A-0", "Kaveri", "", Standing.UNREGISTERED, source="made-up", line=9)
    listing = replace(
        LISTING, file="x.csv", url="https://a.example", kind="security", left_out=1,
        problems=(Problem(4, "has no name", "nobody could find it", "fill it in"),),
    )  # fmt: skip
    stored = await service.agencies.apply(listing, [full, bare])
    found = await service.agencies.rows("made-up")
    assert found == [full, bare]
    assert [row.line for row in found] == [3, 9]
    assert await service.agencies.version("made-up", 1) == replace(listing, rows=2, version=1) == stored
    assert await service.agencies.lists() == [replace(stored, problems=())]
    assert await service.agencies.find("made-up", 1, ["A-0", "none"]) == {"A-0": bare}
    assert await service.agencies.first_rows("made-up", 1, 1) == [full]


async def test_rows_of_each_version_stay_apart_and_in_order(service: Service) -> None:
    """Over several batches, and whatever other lists hold."""
    await service.agencies.apply(LISTING, rows(4500))
    await service.agencies.apply(LISTING, rows(3, "Other"))
    await service.agencies.apply(replace(LISTING, source="made-up-too"), rows(2))
    assert [row.line async for row in service.agencies.each_row("made-up", 1)] == list(range(2, 4502))
    assert [row.name async for row in service.agencies.each_row("made-up")] == ["Other 0", "Other 1", "Other 2"]
    assert [row async for row in service.agencies.each_row("made-up", 9)] == []
    assert [row async for row in service.agencies.each_row("none")] == []


async def test_readers_never_see_two_versions_or_none(service: Service) -> None:
    """While two writers switch to and fro, every reader finds one version in force, whole."""
    await service.agencies.apply(LISTING, rows(3, "First"))
    await service.agencies.apply(LISTING, rows(5, "Second"))
    sizes = {1: 3, 2: 5}
    done = asyncio.Event()
    seen: set[int] = set()

    async def write() -> None:
        for turn in range(40):
            await service.agencies.make_current("made-up", turn % 2 + 1)

    async def read() -> None:
        while not done.is_set():
            (listing,) = await service.agencies.lists()
            found = [row async for row in service.agencies.each_row(listing.source, listing.version)]
            assert len(found) == listing.rows == sizes[listing.version]
            assert len({row.name.split()[0] for row in await service.agencies.rows("made-up")}) == 1
            seen.add(listing.version)

    readers = [asyncio.create_task(read()) for _ in range(4)]
    await asyncio.gather(write(), write())
    done.set()
    await asyncio.gather(*readers)
    assert seen == {1, 2}


async def test_an_import_that_dies_changes_nothing(service: Service) -> None:
    """Half of the rows are stored: the old list stays in force, the next import is whole, the half goes in time."""

    def dying() -> Iterator[Agency]:
        yield from rows(2500, "Half")
        raise KeyboardInterrupt

    await service.agencies.apply(LISTING, rows(3, "Old"))
    with pytest.raises(KeyboardInterrupt):
        await service.agencies.store(LISTING, dying())
    assert [row.name for row in await service.agencies.rows("made-up")] == ["Old 0", "Old 1", "Old 2"]
    with pytest.raises(LookupError):
        await service.agencies.make_current("made-up", 2)
    stored = await service.agencies.apply(LISTING, rows(4, "New"))
    assert stored.version == 3
    assert len(await service.agencies.rows("made-up")) == 4
    await service.agencies.prune("made-up", 5, NOW + STORING_AT_MOST)
    assert await service.db["agencies"].count_documents({"version": 2}) == 2000
    await service.agencies.prune("made-up", 5, NOW + STORING_AT_MOST + timedelta(seconds=1))
    assert await service.db["agencies"].count_documents({"version": 2}) == 0
    assert [one.state for one in await service.agencies.versions("made-up")] == [
        ListState.KEPT, ListState.DISCARDED, ListState.KEPT,
    ]  # fmt: skip


async def test_two_imports_at_once_are_two_versions(service: Service) -> None:
    """Neither loses a row to the other."""
    names = ("One", "Two", "Three")
    stored = await asyncio.gather(*(service.agencies.store(LISTING, rows(2100, name)) for name in names))
    assert sorted(one.version for one in stored) == [1, 2, 3]
    for name, one in zip(names, stored, strict=True):
        found = [row.name async for row in service.agencies.each_row("made-up", one.version)]
        assert found == [f"{name} {at}" for at in range(2100)]


async def test_quarantined_rows_are_kept_but_never_in_force(service: Service) -> None:
    """Until released; what is discarded cannot come back, and its line stays."""
    first, second = [await service.agencies.store(LISTING, rows(2)) for _ in range(2)]
    for one in (first, second):
        await service.agencies.settle(one, ListState.QUARANTINED, "it loses rows.")
    assert await service.agencies.lists() == []
    with pytest.raises(LookupError):
        await service.agencies.make_current("made-up", 1)
    assert await service.agencies.discard("made-up", 2)
    assert not await service.agencies.discard("made-up", 2)
    with pytest.raises(LookupError):
        await service.agencies.make_current("made-up", 2, release=True)
    await service.agencies.make_current("made-up", 1, by="root", release=True)
    assert [(one.version, one.state, one.reason) for one in await service.agencies.lists()] == [
        (1, ListState.KEPT, "it loses rows.")
    ]
    assert not await service.agencies.discard("made-up", 1)
    gone = await service.agencies.version("made-up", 2)
    assert gone
    assert (gone.state, gone.has_rows, gone.reason) == (ListState.DISCARDED, False, "it loses rows.")
    assert await service.db["agencies"].count_documents({}) == 2


async def test_old_rows_are_dropped_but_never_those_in_force(service: Service) -> None:
    """Of five versions the newest two and the one in force stay; the others' lines stay without rows."""
    for number in range(5):
        await service.agencies.apply(LISTING, rows(number + 1))
    await service.agencies.make_current("made-up", 2)
    assert await service.agencies.prune("made-up", 2, NOW) == 2
    assert await service.agencies.prune("made-up", 2, NOW) == 0
    assert [(one.version, one.has_rows, one.rows) for one in await service.agencies.versions("made-up")] == [
        (5, True, 5), (4, True, 4), (3, False, 3), (2, True, 2), (1, False, 1),
    ]  # fmt: skip
    assert await service.db["agencies"].distinct("version") == [2, 4, 5]
    with pytest.raises(LookupError):
        await service.agencies.make_current("made-up", 1)
    assert len(await service.agencies.rows("made-up")) == 2


async def test_pruning_and_going_back_at_once_leave_whole_rows(service: Service) -> None:
    """Whoever wins: what is in force has all its rows."""
    for turn in range(8):
        source = f"list-{turn}"
        listing = replace(LISTING, source=source)
        for number in range(3):
            await service.agencies.apply(listing, rows(number + 1))
        back = service.agencies.make_current(source, 1)
        await asyncio.gather(back, service.agencies.prune(source, 2, NOW), return_exceptions=True)
        (in_force,) = [one for one in await service.agencies.lists() if one.source == source]
        assert len(await service.agencies.rows(source)) == in_force.rows
        assert in_force.has_rows


def former(version: int, *, current: bool) -> dict[str, object]:
    """Return a version as the first program stored it."""
    as_of = datetime.combine(date(2026, 10, version), time(), UTC)
    return {
        "source": "old", "title": "Old", "as_of": as_of, "imported_at": as_of, "checksum": "x", "sample": True,
        "rows": 1, "version": version, "url": "", "current": current,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "in_force"), [((False, True, False), 2), ((True, False, False), 1), ((False, True, True), 3)]
)
async def test_a_former_database_keeps_its_list_in_force(
    service: Service, flags: tuple[bool, ...], in_force: int
) -> None:
    """Flags become one pointer, the newest where a crash had left two; done again or by two at once it stays."""
    for version, current in enumerate(flags, 1):
        await service.db["agency_lists"].insert_one(former(version, current=current))
        await service.db["agencies"].insert_one({
            "_id": f"old:{version}:B-1", "id": "B-1", "source": "old", "version": version, "name": f"Name {version}",
            "licence": "B-1", "standing": "active", "valid_until": None, "place": "", "phones": ["00000 10001"],
            "emails": [], "kind": "overseas",
        })  # fmt: skip
    await service.db["agencies"].create_index([("source", 1), ("version", 1)])
    await asyncio.gather(*(MongoAgencies(service.db).prepare() for _ in range(3)))
    assert [(one.version, one.state) for one in await service.agencies.lists()] == [(in_force, ListState.KEPT)]
    (row,) = await service.agencies.rows("old")
    assert (row.name, row.phones, row.line) == (f"Name {in_force}", ("00000 10001",), 0)
    assert await service.agencies.first_rows("old", in_force, 5) == [row]
    assert FORMER_INDEX not in await service.db["agencies"].index_information()
    await service.agencies.make_current("old", 1)
    await service.agencies.prepare()
    assert [one.version for one in await service.agencies.lists()] == [1]
