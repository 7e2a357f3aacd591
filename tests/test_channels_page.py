"""docs/channels.md: every case has its row, and every test that a row names is there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")
CASES = [f"D{number}" for number in range(1, 20)] + [f"E{number}" for number in range(1, 31)]


def page() -> str:
    return (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")


def test_every_case_names_a_test_that_exists() -> None:
    """And each row of a table of cases names at least one."""
    named = NAMED.findall(page())
    assert len(named) > 80
    for path, name in named:
        found = re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert found, f"{path}::{name}"
    table = page().split("| case | what happens | test |")[1:]
    rows = [line for part in table for line in part.split("\n\n")[0].splitlines() if line.startswith("|")]
    assert all(NAMED.search(line) for line in rows if not line.startswith("|---")), rows


def test_every_case_of_sending_and_receiving_has_its_row() -> None:
    """Once each, in order; none may be left out because it is hard."""
    _, _, part = page().partition("## All cases of sending (D) and receiving (E)")
    assert re.findall(r"^\| ([DE]\d+) \|", part, re.MULTILINE) == CASES
