"""The rota from its file to the page: read, kept, and named in what responders get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.clients.rota_file import RotaError, lines, read_rota
from bot.console.districts import read
from bot.domain.cases import CaseAction
from bot.domain.codes import start
from bot.ports import Alert, Responder
from bot.running import running
from bot.store.clock import boot_seconds
from tests.service.test_places import code_at

ROTA = """
zone: Asia/Kolkata
people:
  asha: {languages: [hi], capacity: 5, email: asha@example.org}
  bina: {skills: [child]}
shifts:
  - {people: [asha, bina], days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "00:00"}
"""
WRONG = """
zone: Asia/Nowhere
people:
  asha: {skills: [flying]}
  nobody: {colour: red}
shifts:
  - {people: [asha, zoya], days: [funday], from: "08:00", to: "20:00"}
"""


def known(service: Service) -> Callable[[str], str]:
    """The console's reader of districts."""
    return lambda name: read(name, service.content)


async def staffed(service: Service) -> None:
    for name, role in {"asha": "responder", "bina": "responder", "sudha": "supervisor", "root": "admin"}.items():
        await service.responders.save(Responder(name, name.title(), role, "x"))


async def test_each_page_names_whom_it_is_for(service: Service, tmp_path: Path) -> None:
    """First on call, next, supervisors: in the alert, in the case's history, and in the address of the e-mail."""
    await staffed(service)
    file = tmp_path / "rota.yaml"
    file.write_text(ROTA)
    rota = read_rota(file, (await service.rotas.staff()).active, known(service))
    await service.rotas.save(rota, "root", service.now())
    assert await service.rotas.current() == rota
    assert b"asha@example.org" not in repr(await service.db["rota"].find_one({})).encode()
    await service.oncall.refresh()
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:hi")
        await chat.say("mujhe malik ne kamre me band kar diya hai bachao")
    (case,) = await service.cases.queue()
    begun, later = boot_seconds(), 0.0
    service.steady._seconds = lambda: begun + later
    for seconds in (61.0, 181.0, 301.0):
        later = seconds
        assert await service.watch.escalate() == 1

    rows = await service.db["alerts"].find({"channel": "console"}).to_list()
    assert {row["rung"]: row["to"] for row in rows} == {0: ["asha"], 1: ["bina"], 2: ["sudha"], 3: ["sudha"]}
    said = [event.detail.reveal() for event in await service.cases.history(case.id)]
    assert said[1:] == ["asha", "@rung 1: bina", "@rung 2: sudha", "@rung 3: sudha"]
    page = Alert("a", case.id, "email", "distress", "", "hi", to=("asha", "bina"))
    assert service.oncall.addresses(page) == ("asha@example.org",)
    assert any(
        "on call now (Asia/Kolkata): asha, bina" in line for line in lines(rota, service.oncall.staff, service.now())
    )
    assert [event.action for event in await service.cases.history(case.id)][-1] is CaseAction.ESCALATE


async def test_every_problem_of_a_rota_is_named_at_once(service: Service, tmp_path: Path) -> None:
    await staffed(service)
    file = tmp_path / "rota.yaml"
    file.write_text(WRONG)
    with pytest.raises(RotaError) as found:
        read_rota(file, (await service.rotas.staff()).active, known(service))
    said = str(found.value)
    for part in (
        "Asia/Nowhere",
        "flying",
        "nobody: no active",
        "colour is not known",
        "zoya is not among",
        "shift 1: ",
    ):
        assert part in said


async def test_a_district_is_read_as_the_console_reads_it(service: Service, tmp_path: Path) -> None:
    """By its name, with its State, or as it is kept; one that is not ours is named as a problem."""
    await staffed(service)
    file = tmp_path / "rota.yaml"
    for typed, kept in (("Gaya", "BR:Gaya"), ("gaya, bihar", "BR:Gaya"), ("BR:Gaya", "BR:Gaya"), ("Bihar", "BR")):
        file.write_text(ROTA.replace("capacity: 5", f"districts: ['{typed}']"))
        rota = read_rota(file, service.oncall.staff.active or (await service.rotas.staff()).active, known(service))
        assert rota.people[0].districts == {kept}
    file.write_text(ROTA.replace("capacity: 5", "districts: [Atlantis]"))
    with pytest.raises(RotaError, match=r"asha: .*Atlantis"):
        read_rota(file, (await service.rotas.staff()).active, known(service))


DISTRICTS = """
zone: Asia/Kolkata
people:
  asha: {districts: ['%s']}
  bina: {districts: ['%s']}
shifts:
  - {people: [asha, bina], days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "00:00"}
"""


async def test_a_person_at_a_station_is_paged_to_who_knows_its_district(service: Service, tmp_path: Path) -> None:
    """From the code on the poster to the name in the page; from another station it is the other one's turn."""
    await staffed(service)
    stations = {name: service.places.directory.points[name] for name in ("HWH", "NDLS")}
    districts = {name: f"{point.state}:{point.district}" for name, point in stations.items()}
    file = tmp_path / "rota.yaml"
    file.write_text(DISTRICTS % (districts["NDLS"], districts["HWH"]))
    rota = read_rota(file, (await service.rotas.staff()).active, known(service))
    await service.rotas.save(rota, "root", service.now())
    await service.oncall.refresh()
    for name, first in (("HWH", "bina"), ("NDLS", "asha")):
        chat = Chat(service)
        async with running(service, chat.on_turn):
            await chat.say(start(code_at(service, name)))
            await chat.say("", "l:hi")
            turn, _ = await chat.say("mujhe malik ne kamre me band kar diya hai bachao")
        case = await service.cases.get(turn.conversation.open_case)
        assert case and (case.place, case.district) == (name, districts[name])
        row = await service.db["alerts"].find_one({"case": case.id})
        assert row and row["to"] == [first]
