"""Who brings new content learns which phone numbers it changes, and signs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.timeout(200)
def test_a_changed_number_is_shown_and_signed(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content, ignore=shutil.ignore_patterns("audio"))
    given = {
        **os.environ, "SAHYATRI_DATA": str(tmp_path / "data"), "SAHYATRI_CONTENT": str(content),
        "MONGODB_URI": mongodb_uri, "MONGODB_NAME": database,
    }  # fmt: skip

    def sign(*arguments: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "bot", "content", "sign-numbers", *arguments]
        return subprocess.run(whole, cwd=ROOT, env=given, capture_output=True, text=True, check=False)

    done = sign()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lines = content / "directory" / "helplines.yaml"
    lines.write_text(lines.read_text(encoding="utf-8").replace('number: "1098"', 'number: "1089"'), encoding="utf-8")
    for _ in range(2):
        done = sign()
        assert (done.returncode, done.stdout) == (1, "helpline child_1098: 1098 → 1089\n"), done.stderr
        assert "--apply" in done.stderr
    assert sign("--apply").returncode == 0
    assert sign().returncode == 0
