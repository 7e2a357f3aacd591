"""The table of cases in docs/whatsapp.md: every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from bot.channels.whatsapp_errors import OUTCOMES

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_test_that_the_table_names_exists() -> None:
    named = NAMED.findall((ROOT / "docs" / "whatsapp.md").read_text(encoding="utf-8"))
    assert len(named) >= 35
    for path, name in named:
        assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), name


def test_every_code_of_the_table_of_outcomes_is_told() -> None:
    """What an operator looks up after a page stands in the document."""
    text = (ROOT / "docs" / "whatsapp.md").read_text(encoding="utf-8")
    assert [code for code in OUTCOMES if str(code) not in text] == []
