"""Lists in the real database: an import is shown before it is applied, a bad one stays out, an old one comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.agencies import import_file, roll_back
from bot.app import Service
from bot.clients.agency_lists import ListError
from bot.domain.agencies import Verdict

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
