"""The lists in memory: built once, mapped at the next start, and answered from with reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.agencies import check_json, first_lists
from bot.app import Service
from bot.dialogue import answers
from bot.domain.agencies import Verdict
from bot.recruiters.names import Lexicon
from bot.service.lists import Recruiters
from bot.store.index_files import IndexFiles
from tests.conftest import NOW


class Refusing:
    """Keeps nothing and has nothing, and says whether it was asked."""

    saved = 0

    def load(self, key: str) -> None:
        return None

    def save(self, key: str, arrays: object) -> None:
        self.saved += 1


async def test_the_second_start_reads_files_and_not_rows(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await first_lists(service, lambda _: None)
    lexicon, files = Lexicon(service.content.firm_words), IndexFiles(tmp_path / "index")
    first = Recruiters(service.agencies, lexicon, files, service.now)
    assert await first.refresh()
    assert not await first.refresh()

    def no_rows(*_: object) -> None:
        raise AssertionError("rows were read again")

    monkeypatch.setattr(service.agencies, "each_row", no_rows)
    second = Recruiters(service.agencies, lexicon, files, service.now)
    assert await second.refresh()
    assert second.check("Suryodaya Overseas") == first.check("Suryodaya Overseas")
    assert second.check("Suryodaya Overseas").verdict is Verdict.LISTED


async def test_without_a_place_to_keep_it_the_index_is_built(service: Service) -> None:
    await first_lists(service, lambda _: None)
    nowhere = Refusing()
    recruiters = Recruiters(service.agencies, Lexicon(service.content.firm_words), nowhere, service.now)
    assert await recruiters.refresh()
    assert nowhere.saved == 1
    assert recruiters.check("सूर्योदय ओवरसीज").verdict is Verdict.LISTED


def said(service: Service, query: str) -> list[str]:
    """Return the message ids of the answer, the details that differ among them."""
    knowledge = service.knowledge()
    replies = answers.verdict(knowledge.check_recruiter(query), query, knowledge, NOW.date())
    return [reply.message for reply in replies] + [item.message for reply in replies for item in reply.items]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Suryodaya Overseas", ["verify.listed", "verify.sample", "verify.next"]),
        (
            "Suryodaya Overseas 98765 43210",
            ["verify.lookalike", "verify.differs", "verify.differs.phone", "verify.sample"],
        ),
        ("Himgirli International 98765 43210", ["verify.lookalike", "verify.differs.name", "verify.differs.phone"]),
        ("Suryodaya Overseas B-0009/SAM/PER/100/5/9999/2020", ["verify.lookalike", "verify.differs.licence"]),
        ("0000010038", ["verify.meant_phone", "verify.next"]),
        ("B-0001/SAM/PER/100/5/9002/2020", ["verify.meant_licence", "verify.next"]),
        ("Fast Visa Chacha", ["verify.unregistered", "verify.next"]),
        ("Zylophon Quark", ["verify.not_found", "verify.ask_kind"]),
    ],
)
async def test_each_verdict_gives_its_reasons(service: Service, query: str, expected: list[str]) -> None:
    """Which details differ is told one by one; "did you mean" is told as such; what is not found asks which work."""
    await first_lists(service, lambda _: None)
    found = said(service, query)
    assert set(expected) <= set(found), found
    if "verify.meant_phone" in expected or "verify.meant_licence" in expected:
        assert "verify.differs" not in found


async def test_work_in_india_is_advised_in_its_own_way(service: Service) -> None:
    """The made-up lists of contractors, agencies in the States and guards each lead to other questions."""
    await first_lists(service, lambda _: None)
    asked = {
        "contractor": "verify.next_india",
        "placement": "verify.next_placement",
        "security": "verify.next_security",
    }
    for listing in await service.agencies.lists():
        kind = listing.source.removeprefix("sample-")
        for row in await service.agencies.first_rows(listing.source, listing.version, 1) if kind in asked else ():
            found = said(service, row.name)
            assert asked.pop(kind) in found
            assert "verify.listed" not in found
            assert "verify.sample_india" in found
    assert not asked


async def test_an_old_list_says_so_in_every_answer(service: Service) -> None:
    await first_lists(service, lambda _: None)
    knowledge = service.knowledge()
    old = {name: replace(listing, as_of=NOW.date() - timedelta(days=46)) for name, listing in knowledge.lists.items()}
    for query in ("Suryodaya Overseas", "Zylophon Quark", "0000010038", "Fast Visa Chacha"):
        replies = answers.verdict(knowledge.check_recruiter(query), query, replace(knowledge, lists=old), NOW.date())
        assert "verify.stale" in [reply.message for reply in replies], query


async def test_the_command_line_tells_why(service: Service) -> None:
    await first_lists(service, lambda _: None)
    found = check_json("0000010038", service.recruiters.check("0000010038"), service.recruiters.lists)
    assert found["verdict"] == "lookalike"
    assert found["matches"][0]["meant"] == "phone"
    assert found["matches"][0]["kind"] == "overseas"
