"""The rota from its file to the page: read, kept, and named in what responders get."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.clients.rota_file import RotaError, lines, read_rota
from bot.console.districts import read
from bot.domain.cases import CaseAction
from bot.ports import Alert, Responder
from bot.running import running
from bot.store.clock import boot_seconds

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


async def staffed(service: Service) -> None:
    for name, role in {"asha": "responder", "bina": "responder", "sudha": "supervisor", "root": "admin"}.items():
        await service.responders.save(Responder(name, name.title(), role, "x"))


async def test_each_page_names_whom_it_is_for(service: Service, tmp_path: Path) -> None:
    """First on call, next, supervisors: in the alert, in the case's history, and in the address of the e-mail."""
    await staffed(service)
    file = tmp_path / "rota.yaml"
    file.write_text(ROTA)
    rota = read_rota(file, (await service.rotas.staff()).active, lambda name: read(name, service.content))
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
        read_rota(file, (await service.rotas.staff()).active, lambda name: read(name, service.content))
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
