"""The lists' pages: what is in force, what waits, who may decide, and a check that leaves no words behind."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from bot.agencies import import_file
from bot.clients.agency_lists import ListError
from bot.logs import configure
from tests.console.conftest import Browser, Site
from tests.made_up_lists import HEADER

SAMPLE = Path(__file__).resolve().parent.parent.parent / "content" / "recruiters" / "sources" / "sample.yaml"
HEAD = "Agency name,RC number,Status,Valid until,Place,Phone\n"
NAMES = ("Suryodaya Overseas", "Kaveri Placement", "<b>Narmada</b> & Sons Travels")


def listed(folder: Path, *names: str, more: str = "") -> Path:
    path = folder / "list.csv"
    rows = [f"{name},B-0{at}01/SAM/PER/9001,Active,01-02-2099,Patna,00000 1000{at}\n" for at, name in enumerate(names)]
    path.write_text(HEAD + "".join(rows) + more, encoding="utf-8")
    return path


@pytest.fixture
async def held(site: Site, tmp_path: Path) -> Site:
    """Version 1 with three agencies is in force, version 2 with one of them waits in quarantine."""
    service = site.service
    more = ",B-2,Active,,,\n"
    await import_file(service, listed(tmp_path, *NAMES, more=more), SAMPLE, force=True, apply=True, by="carla")
    with pytest.raises(ListError, match="In quarantine as version 2"):
        await import_file(service, listed(tmp_path, NAMES[0]), SAMPLE, force=False, apply=True, by="carla")
    return site


async def decide(browser: Browser, version: int, verb: str, reason: str) -> tuple[int, str]:
    return await browser.post(f"/console/lists/sample/{version}/{verb}", csrf=await browser.token(), reason=reason)


async def test_supervisors_see_what_is_in_force_and_what_waits(held: Site) -> None:
    """With where it comes from, what was left out, what it would change; names are text; only admins get buttons."""
    sudha = await held.login("sudha")
    status, page = await sudha.get("/console/lists")
    assert status == 200
    assert "it loses 2 of 3 rows." in page
    assert "/console/lists/sample/1" in page and "/console/lists/sample/2" in page
    assert "OLD: import a new one" not in page
    _, page = await sudha.get("/console/lists/sample/1")
    listing = await held.service.agencies.version("sample", 1)
    assert listing
    for shown in ("list.csv", listing.checksum, "carla", "has no name", "Line 5", "&lt;b&gt;Narmada&lt;/b&gt;"):
        assert shown in page
    assert "<b>Narmada" not in page
    _, page = await sudha.get("/console/lists/sample/2")
    assert "added 0 · removed 2 · changed 0" in page
    assert "<b>− removed</b> Kaveri Placement" in page
    assert "formaction" not in page and "Only an administrator" in page
    assert (await sudha.get("/console/lists/sample/3"))[0] == 404
    assert (await sudha.get("/console/lists/none/1"))[0] == 404
    assert (await sudha.get("/console/lists/sample/x"))[0] == 404
    assert (await decide(sudha, 2, "release", "looked at it"))[0] == 403
    assert [one.version for one in await held.service.agencies.lists()] == [1]
    await sudha.session.close()


async def test_an_administrator_releases_goes_back_and_discards(held: Site, tmp_path: Path) -> None:
    """Each with a reason, each in the audit; what has been decided cannot be decided again."""
    root, service = await held.login("root"), held.service
    status, page = await decide(root, 2, "release", " ")
    assert status == 400 and "Write a reason" in page
    assert (await decide(root, 2, "release", "two firms closed, I phoned the office"))[0] == 200
    assert [one.version for one in await service.agencies.lists()] == [2]
    status, page = await decide(root, 2, "discard", "changed my mind")
    assert status == 409 and "Not possible" in page
    assert (await decide(root, 1, "restore", "it was wrong"))[0] == 200
    assert [one.version for one in await service.agencies.lists()] == [1]
    with pytest.raises(ListError, match="version 3"):
        await import_file(service, listed(tmp_path, NAMES[0]), SAMPLE, force=False, apply=True)
    assert (await decide(root, 3, "restore", "not this way"))[0] == 409
    assert (await decide(root, 3, "discard", "half of the file"))[0] == 200
    assert (await decide(root, 3, "release", "it is gone"))[0] == 409
    lines = [(line["who"], line["action"], line["about"], line["reason"]) for line in await service.audit.latest()]
    assert [line for line in lines if line[0] == "root" and line[1].startswith("list ")] == [
        ("root", "list discarded", "sample version 3", "half of the file"),
        ("root", "list rolled back", "sample version 1", "it was wrong"),
        ("root", "list released", "sample version 2", "two firms closed, I phoned the office"),
    ]
    sudha = await held.login("sudha")
    assert "two firms closed" in (await sudha.get("/console/audit"))[1]
    for browser in (root, sudha):
        await browser.session.close()


async def test_an_old_list_is_marked(held: Site) -> None:
    """After 45 days, by the day the list speaks of."""
    now = held.service.now()
    await held.service.db["agency_lists"].update_many({}, {"$set": {"as_of": now - timedelta(days=46)}})
    root = await held.login("root")
    assert "OLD: import a new one" in (await root.get("/console/lists"))[1]
    await held.service.db["agency_lists"].update_many({}, {"$set": {"as_of": now - timedelta(days=45)}})
    assert "OLD: import a new one" not in (await root.get("/console/lists"))[1]
    await root.session.close()


async def test_long_lists_are_compared_only_when_asked(held: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.console.lists.COMPARED_AT_ONCE", 2)
    root = await held.login("root")
    _, page = await root.get("/console/lists/sample/2")
    assert "compare=yes" in page and "removed 2" not in page
    assert "removed 2" in (await root.get("/console/lists/sample/2?compare=yes"))[1]
    await root.session.close()


async def test_a_check_shows_the_row_it_rests_on_and_keeps_no_words(held: Site) -> None:
    """The chat's own verdict, with what agrees and differs and the line of the file; nothing of it in log or audit."""
    stream = io.StringIO()
    kept = logging.getLogger().handlers[:], logging.getLogger().level
    configure("DEBUG", stream)
    try:
        asha = await held.login("asha")
        token = await asha.token()
        _, page = await asha.post("/console/recruiters", csrf=token, query="Kaveri Placement")
        assert "On a list, active" in page and "Agrees: name" in page
        assert "version 1, Line 3, As of 23-11-2026" in page.replace("Version", "version")
        assert 'href="/console/lists' not in page
        _, page = await asha.post("/console/recruiters", csrf=token, query="Kaveri Placement 00000 77777")
        assert "Looks like a listed one" in page and "Differs: phone" in page
        _, page = await asha.post("/console/recruiters", csrf=token, query="<script>Zzyzx</script>")
        assert "On no list" in page
        assert "<script>Zzyzx" not in page and "&lt;script&gt;Zzyzx" in page
        assert (await asha.post("/console/recruiters", csrf=token, query=" "))[0] == 200
        sudha = await held.login("sudha")
        _, page = await sudha.post("/console/recruiters", csrf=await sudha.token(), query="00000 10001")
        assert "Agrees: phone" in page and 'href="/console/lists/sample/1"' in page
    finally:
        logging.getLogger().handlers[:], logging.getLogger().level = kept
    lines = str(await held.service.audit.latest())
    assert lines.count("recruiter looked up") == 4
    for words in ("Kaveri", "77777", "Zzyzx", "10001"):
        assert words not in lines
        assert words not in stream.getvalue()
    for browser in (asha, sudha):
        await browser.session.close()


async def test_other_details_of_a_row_are_shown(site: Site, tmp_path: Path) -> None:
    """Web, UPI id and address, where the list has them."""
    from tests.made_up_lists import write_mapping  # noqa: PLC0415

    path = tmp_path / "list.csv"
    row = "Zarina Works,B-77,Active,01-02-2099,Gaya,7 Made-up Road,00000 10077,,https://zarina.example,zarina@example"
    path.write_text(",".join(HEADER) + "\n" + row)
    await import_file(site.service, path, write_mapping(tmp_path / "m.yaml"), force=False, apply=True)
    root = await site.login("root")
    pages = [
        (await root.post("/console/recruiters", csrf=await root.token(), query="Zarina Works"))[1],
        (await root.get("/console/lists/made-up/1"))[1],
    ]
    for page in pages:
        for shown in ("7 Made-up Road", "https://zarina.example", "zarina@example"):
            assert shown in page
    await root.session.close()
