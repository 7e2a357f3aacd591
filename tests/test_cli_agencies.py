"""The commands about lists as an administrator runs them: exit codes, one clear line, JSON for other programs."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.made_up_lists import write_csv, write_mapping

#: Each of these starts the program, with a database of its own, up to nine times.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "bot", "agencies")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def given(tmp_path: Path, mongodb_uri: str) -> dict[str, str]:
    """The environment of a command that works on a database of this test's own."""
    return {
        **os.environ, "SAHYATRI_DATA": str(tmp_path / "data"), "MONGODB_URI": mongodb_uri,
        "MONGODB_NAME": f"t{secrets.token_hex(6)}",
    }  # fmt: skip


@pytest.fixture
def run(given: dict[str, str]) -> Run:
    """Run a command to its end."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, env=given, timeout=50, check=False
        )

    return command


def test_a_list_from_import_through_quarantine_to_release(run: Run, tmp_path: Path) -> None:
    """A doubtful file ends with code 2 and one line, waits, is compared, and goes in force when a human says so."""
    mapping = str(write_mapping(tmp_path / "m.yaml"))
    whole, half = write_csv(tmp_path / "whole.csv", 40), write_csv(tmp_path / "half.csv", 20)
    done = run("import", str(whole), "--source", mapping, "--apply", "--by", "carla")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Long made-up list: 40 rows, +40 −0 ~0. In force as version 1.\n"
    held = run("import", str(half), "--source", mapping, "--apply", "--by", "carla")
    assert (held.returncode, held.stdout, held.stderr.count("\n")) == (2, "", 1)
    assert "it loses 20 of 40 rows. In quarantine as version 2" in held.stderr
    said = run("status").stdout
    assert "made-up: Long made-up list SAMPLE, version 1 (1 kept), 40 rows, as of 2026-11-23" in said
    assert "  IN QUARANTINE: version 2 of 2026-11-23, 20 rows, imported " in said
    assert "by carla: it loses 20 of 40 rows." in said
    lines = [json.loads(line) for line in run("diff", "made-up", "2", "--json").stdout.splitlines()]
    assert lines[-1] == {"counts": {"added": 0, "removed": 20, "changed": 0}}
    assert [line["change"] for line in lines[:-1]] == ["removed"] * 20
    assert all(line["id"].startswith("B-00000") for line in lines[:-1])
    assert run("diff", "made-up", "2", "1").stdout.splitlines()[-1] == "added 20, removed 0, changed 0"
    assert "Nothing applied yet" in run("release", "made-up", "2").stdout
    assert run("release", "made-up", "2", "--apply", "--reason", "I phoned").stdout.endswith("In force.\n")
    again = run("discard", "made-up", "2", "--apply")
    assert (again.returncode, again.stderr) == (
        2, "sahyatri: made-up: version 2 is kept, not quarantined; nothing to do\n",
    )  # fmt: skip
    back = run("rollback", "made-up", "1", "--apply")
    assert back.stdout.endswith("In force again.\n")


def test_a_file_that_cannot_be_read_is_an_error_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    mapping = str(write_mapping(tmp_path / "m.yaml"))
    (tmp_path / "broken.csv").write_text("Name,Other\nx,y\n", encoding="utf-8")
    done = run("import", str(tmp_path / "broken.csv"), "--source", mapping, "--apply")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "lacks the columns" in done.stderr
    assert "made-up:" not in run("status").stdout


def test_an_import_that_is_killed_leaves_the_old_list_in_force(run: Run, given: dict[str, str], tmp_path: Path) -> None:
    """SIGKILL while rows are being stored: the next command sees the old list whole, the next import is whole."""
    mapping = str(write_mapping(tmp_path / "m.yaml"))
    small, large = write_csv(tmp_path / "small.csv", 30), write_csv(tmp_path / "large.csv", 60_000)
    assert run("import", str(small), "--source", mapping, "--apply").returncode == 0
    with MongoClient[dict[str, object]](given["MONGODB_URI"]) as client:
        rows = client[given["MONGODB_NAME"]]["agencies"]
        with subprocess.Popen(
            [*COMMAND, "import", str(large), "--source", mapping, "--apply"], cwd=ROOT, env=given
        ) as child:
            while not rows.find_one({"source": "made-up", "version": 2}):
                assert child.poll() is None
                time.sleep(0.02)
            child.kill()
        assert 0 < rows.count_documents({"source": "made-up", "version": 2}) < 60_000
    assert "made-up: Long made-up list SAMPLE, version 1 (1 kept), 30 rows" in run("status").stdout
    assert run("rollback", "made-up", "2", "--apply").returncode == 2
    said = run("import", str(small), "--source", mapping, "--apply").stdout
    assert said == "Long made-up list: 30 rows, +0 −0 ~0. In force as version 3.\n"
