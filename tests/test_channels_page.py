"""docs/channels.md: every test that a case names is there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_case_names_a_test_that_exists() -> None:
    """And each row of a table of cases names at least one."""
    page = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)
    assert len(named) > 25
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
    table = page.split("| case | what happens | test |")[1:]
    rows = [line for part in table for line in part.split("\n\n")[0].splitlines() if line.startswith("|")]
    assert all(NAMED.search(line) for line in rows if not line.startswith("|---")), rows
