"""The page of lessons and notes: a draft, its dry run, the second person's yes; what people typed is inert."""

from __future__ import annotations

from typing import Any

from tests.console.conftest import Site

STATES = ("waiting", "waiting", "late", "late", "late", "sent", "dropped")


async def test_a_note_is_written_by_one_and_confirmed_by_another(site: Site) -> None:
    author, supervisor = await site.login("vani"), await site.login("sudha")
    token = await author.token()
    words: dict[str, Any] = {"text_en": "<script>alert(1)</script> beware", "text_hi": "सावधान"}
    status, page = await author.post("/console/campaigns", csrf=token, where="", **words)
    assert status == 400
    assert 'role="alert"' in page
    assert "<script>alert" not in page
    status, _ = await author.post("/console/campaigns", csrf=token, where="district:Gaya:BR", **words)
    assert status in {200, 303}
    (notice,) = await site.service.notes.latest()
    status, page = await author.get(f"/console/campaigns/{notice.number}")
    assert status == 200
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "/confirm" not in page
    await supervisor.post(f"/console/campaigns/{notice.number}/confirm", csrf=await supervisor.token())
    found = await site.service.notes.get(notice.number)
    assert found
    assert (found.made_by, found.confirmed_by) == ("vani", "sudha")
    status, _ = await supervisor.post(f"/console/campaigns/{notice.number}/confirm", csrf=await supervisor.token())
    assert status == 409


async def test_a_supervisor_cannot_confirm_their_own(site: Site) -> None:
    supervisor = await site.login("sudha")
    await supervisor.post(
        "/console/campaigns", csrf=await supervisor.token(), where="state:BR:", text_en="Beware of false tickets."
    )
    (notice,) = await site.service.notes.latest()
    status, page = await supervisor.post(f"/console/campaigns/{notice.number}/confirm", csrf=await supervisor.token())
    assert status == 409
    assert 'role="alert"' in page
    for path in ("/console/campaigns/0", "/console/campaigns/x", "/console/campaigns/99999999999999"):
        assert (await supervisor.get(path))[0] == 404


async def test_what_a_note_did_not_reach_is_shown_and_can_be_sent_again(site: Site) -> None:
    """By a supervisor who did not write it; the page counts who waits and for whom it came too late."""
    author, supervisor = [await site.login(name) for name in ("vani", "sudha")]
    await author.post("/console/campaigns", csrf=await author.token(), where="state:BR:", text_en="Beware of x.")
    (notice,) = await site.service.notes.latest()
    again = f"/console/campaigns/{notice.number}/again"
    assert (await supervisor.post(again, csrf=await supervisor.token()))[0] == 409
    await site.service.notes.confirm(notice.number, "sudha")
    rows = [{"_id": f"{notice.number}:p{n}", "notice": notice.number, "state": s} for n, s in enumerate(STATES)]
    await site.service.db["note_sends"].insert_many(rows)
    _, page = await author.get("/console/campaigns")
    assert "<td>2</td><td>3</td></tr>" in page
    assert "/again" not in (await author.get(f"/console/campaigns/{notice.number}"))[1]
    assert (await author.post(again, csrf=await author.token()))[0] == 403
    assert "/again" in (await supervisor.get(f"/console/campaigns/{notice.number}"))[1]
    status, page = await supervisor.post(again, csrf=await supervisor.token())
    assert status in {200, 303} and "<td>5</td><td>0</td></tr>" in page
