"""Lists in the real database: an import is shown before it is applied, a bad one stays out, an old one comes back."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bot.agencies import (
    difference_json,
    difference_line,
    discard,
    each_difference,
    first_lists,
    import_file,
    release,
    roll_back,
    status,
)
from bot.app import Service
from bot.clients.agency_lists import ListError
from bot.domain.agencies import Kind, Standing, Verdict

SAMPLE = Path(__file__).resolve().parent.parent.parent / "content" / "recruiters" / "sources" / "sample.yaml"
HEADER = "Agency name,RC number,Status,Valid until,Place,Phone\n"


def listed(folder: Path, *names: str) -> Path:
    """Write a list with an active agency of each name."""
    path = folder / "list.csv"
    rows = [f"{name},B-{name},Active,01-02-2099,Patna,\n" for name in names]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


async def test_an_older_version_comes_back(service: Service, tmp_path: Path) -> None:
    """And only when asked to apply; the answers follow at once."""
    names = ["Suryodaya Overseas", "Kaveri Placement", "Narmada Travels"]
    await import_file(service, listed(tmp_path, *names), SAMPLE, force=False, apply=True)
    said = await import_file(service, listed(tmp_path, *names, "Godavari Works"), SAMPLE, force=False, apply=False)
    assert "Nothing applied yet" in said
    assert service.recruiters.check("Godavari Works").verdict is Verdict.NOT_FOUND
    await import_file(service, listed(tmp_path, *names, "Godavari Works"), SAMPLE, force=False, apply=True)
    assert service.recruiters.check("Godavari Works").verdict is Verdict.LISTED
    assert "Nothing applied yet" in await roll_back(service, "sample", 1, apply=False)
    assert service.recruiters.check("Godavari Works").verdict is Verdict.LISTED
    assert "In force again" in await roll_back(service, "sample", 1, apply=True)
    assert service.recruiters.check("Godavari Works").verdict is Verdict.NOT_FOUND
    assert service.recruiters.check("Kaveri Placement").verdict is Verdict.LISTED
    assert [listing.version for listing in await service.agencies.lists()] == [1]


async def test_a_list_that_shrinks_or_a_version_that_is_not_there_is_refused(service: Service, tmp_path: Path) -> None:
    """And what is in force stays in force."""
    await import_file(service, listed(tmp_path, "A Overseas", "Kaveri Placement"), SAMPLE, force=False, apply=True)
    with pytest.raises(ListError, match="loses 1 of 2 rows"):
        await import_file(service, listed(tmp_path, "Kaveri Placement"), SAMPLE, force=False, apply=True)
    with pytest.raises(ListError, match=r"has no version 7 \(kept: 1\)"):
        await roll_back(service, "sample", 7, apply=True)
    assert len(await service.agencies.rows("sample")) == 2


async def test_every_version_knows_where_it_came_from(service: Service, tmp_path: Path) -> None:
    """The file's name and SHA-256, who and when, what was left out; each row its line, and the audit who did it."""
    path = listed(tmp_path, *(f"Kaveri {at} Placement" for at in range(9)))
    with path.open("a", encoding="utf-8") as file:
        file.write(",B-none,Active,01-02-2099,Patna,\n")
    said = await import_file(service, path, SAMPLE, force=False, apply=True, by="asha")
    assert "9 rows, +9 −0 ~0; 1 rows left out, 1 problems (line 11: has no name)" in said
    listing = await service.agencies.version("sample", 1)
    assert listing
    assert (listing.file, listing.by, listing.rows, listing.left_out) == ("list.csv", "asha", 9, 1)
    assert listing.checksum == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(item.line, item.what) for item in listing.problems] == [(11, "has no name")]
    assert [row.line for row in await service.agencies.rows("sample")] == list(range(2, 11))
    (line,) = await service.audit.latest()
    assert (line["who"], line["action"], line["about"]) == ("asha", "list imported", "sample version 1")


async def test_what_is_not_believed_waits_in_quarantine(service: Service, tmp_path: Path) -> None:
    """Never in force by itself, never rolled back to; released by a human, or discarded and gone."""
    names = ["Kaveri Placement", "Narmada Travels"]
    await import_file(service, listed(tmp_path, *names), SAMPLE, force=False, apply=True)
    fewer = listed(tmp_path, names[0])
    with pytest.raises(ListError, match=r"loses 1 of 2 rows\. Nothing is stored"):
        await import_file(service, fewer, SAMPLE, force=False, apply=False)
    assert len(await service.agencies.versions("sample")) == 1
    for version in (2, 3):
        with pytest.raises(ListError, match=f"In quarantine as version {version}") as refused:
            await import_file(service, fewer, SAMPLE, force=False, apply=True)
        assert "\n" not in str(refused.value)
    assert service.recruiters.check("Narmada Travels").verdict is Verdict.LISTED
    said, *held = [line async for line in status(service)]
    assert said.startswith("sample: Sample list (made up) SAMPLE, version 1 (1 kept), 2 rows, as of 2026-11-23 (")
    assert [line.split(" of ")[0] for line in held] == ["  IN QUARANTINE: version 3", "  IN QUARANTINE: version 2"]
    assert all(line.endswith(" by ?: it loses 1 of 2 rows.") for line in held)
    with pytest.raises(ListError, match="quarantined"):
        await roll_back(service, "sample", 2, apply=True)
    assert "Nothing applied yet" in await release(service, "sample", 2, apply=False)
    assert "Nothing applied yet" in await discard(service, "sample", 3, apply=False)
    assert [line.version for line in await service.agencies.lists()] == [1]
    assert "Discarded" in await discard(service, "sample", 3, apply=True, by="root", reason="half of it is missing")
    assert "In force" in await release(service, "sample", 2, apply=True, by="root", reason="the other was closed")
    assert service.recruiters.check("Narmada Travels").verdict is Verdict.NOT_FOUND
    for act in (release, discard):
        for version in (2, 3):
            with pytest.raises(ListError, match="not quarantined; nothing to do"):
                await act(service, "sample", version, apply=True)
    with pytest.raises(ListError, match="cannot be used"):
        await roll_back(service, "sample", 3, apply=True)
    lines = [(line["action"], line["about"], line["reason"]) for line in (await service.audit.latest())[:2]]
    assert lines == [
        ("list released", "sample version 2", "the other was closed"),
        ("list discarded", "sample version 3", "half of it is missing"),
    ]
    await import_file(service, fewer, SAMPLE, force=False, apply=True)
    assert await service.audit.verify() == 6


async def test_a_file_that_is_hardly_readable_waits_too(service: Service, tmp_path: Path) -> None:
    """More than a fifth of the rows bad, even for a first list; --force takes it, and says why it was doubted."""
    path = listed(tmp_path, "A Overseas", "B Overseas")
    with path.open("a", encoding="utf-8") as file:
        file.write("C,B-C,Perhaps,,,\n")
    with pytest.raises(ListError, match=r"1 of 3 rows cannot be read\. In quarantine as version 1"):
        await import_file(service, path, SAMPLE, force=False, apply=True)
    assert await service.agencies.lists() == []
    await import_file(service, path, SAMPLE, force=True, apply=True)
    assert [(one.version, one.reason) for one in await service.agencies.lists()] == [(2, "1 of 3 rows cannot be read.")]


async def test_two_versions_are_compared_row_by_row(service: Service, tmp_path: Path) -> None:
    """Added, removed, changed and how; against the version in force, or two older ones; the same is nothing."""
    names = [f"Kaveri {at} Placement" for at in range(10)]
    await import_file(service, listed(tmp_path, *names), SAMPLE, force=False, apply=True)
    path = listed(tmp_path, *names[1:], "Godavari Works")
    path.write_text(path.read_text().replace("Kaveri 4 Placement,Active", "Kaveri 4 Placement,Suspended"))
    path.write_text(path.read_text().replace("B-Kaveri 4 Placement,Active", "B-Kaveri 4 Placement,Suspended"))
    await import_file(service, path, SAMPLE, force=False, apply=True)

    async def told(first: int, second: int | None) -> list[str]:
        return [difference_line(one) async for one in each_difference(service, "sample", first, second)]

    assert await told(1, 2) == [
        "+ Godavari Works [B-Godavari Works]",
        "~ Kaveri 4 Placement [B-Kaveri 4 Placement]: standing active → suspended",
        "− Kaveri 0 Placement [B-Kaveri 0 Placement]",
    ]
    assert await told(2, None) == []
    assert sorted(line[0] for line in await told(1, None)) == ["+", "~", "−"]
    found = [difference_json(one) async for one in each_difference(service, "sample", 1, 2)]
    assert found[1] == {
        "change": "changed", "id": "B-Kaveri 4 Placement", "name": "Kaveri 4 Placement",
        "fields": {"standing": {"before": "active", "after": "suspended"}},
    }  # fmt: skip
    assert (found[0]["change"], found[0]["valid_until"]) == ("added", "2099-02-01")
    with pytest.raises(ListError, match="has no version 9"):
        await told(9, None)
    with pytest.raises(ListError, match="no version is in force"):
        [line async for line in each_difference(service, "none", 1, None)]


async def test_the_last_versions_are_kept_with_their_rows(service: Service, tmp_path: Path) -> None:
    """Five by default; the lines of older ones stay."""
    for number in range(7):
        names = [f"Agency {at} Overseas" for at in range(20 + number)]
        await import_file(service, listed(tmp_path, *names), SAMPLE, force=False, apply=True)
    kept = [one.version for one in await service.agencies.versions("sample") if one.has_rows]
    assert kept == [7, 6, 5, 4, 3]
    assert len(await service.agencies.versions("sample")) == 7
    with pytest.raises(ListError, match="its rows are dropped"):
        await roll_back(service, "sample", 1, apply=True)


async def forget(service: Service, source: str) -> None:
    """Leave the database as if this list had never been imported."""
    await service.db["agency_current"].delete_one({"_id": source})
    for name in ("agency_lists", "agencies"):
        await service.db[name].delete_many({"source": source})


async def test_a_first_start_puts_every_shipped_list_in_force(service: Service, tmp_path: Path) -> None:
    """Several kinds at once; what a killed start left out comes next time; beside an official list nothing comes."""
    said: list[str] = []
    await first_lists(service, said.append)
    lists = await service.agencies.lists()
    assert [one.source for one in lists] == [
        "sample", "sample-contractor", "sample-placement", "sample-security", "sample-unregistered",
    ]  # fmt: skip
    assert {one.kind for one in lists} == set(Kind)
    assert len(said) == 5
    for name in ("Suryodaya Overseas", "Meherbaan Griha Seva", "Kosi Kinara Thekedari", "Sinhgarh Prahari Security"):
        assert service.recruiters.check(name).matches[0].agency.name == name
    black = service.recruiters.check("Vindhyachal Crusher Labour")
    assert (black.verdict, black.matches[0].agency.standing) == (Verdict.LAPSED, Standing.BLACKLISTED)
    for standing in set(Standing) - {Standing.ACTIVE, Standing.UNREGISTERED}:
        assert service.content.words("en", f"verify.lapsed_{standing}")
    await forget(service, "sample-security")
    await first_lists(service, said.append)
    assert len(await service.agencies.lists()) == 5
    assert len(said) == 6
    official = tmp_path / "official.yaml"
    official.write_text(
        SAMPLE.read_text().replace("sample: true", "sample: false").replace("source: sample", "source: o")
    )
    await import_file(service, listed(tmp_path, "A Overseas"), official, force=False, apply=True)
    await forget(service, "sample")
    await first_lists(service, said.append)
    assert len(said) == 6
