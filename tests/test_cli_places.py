"""The commands about places as an organisation runs them: exit codes, one clear line for each fault, JSON, a PDF."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from pymongo import MongoClient

#: Each of these starts the program several times, and letters for a poster are made.
pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]
HEAD = "code,kind,name_en,state,district,latitude,longitude,languages"
GOOD = f"{HEAD}\nDHAR,bus_stand,Dharmatala bus stand,WB,Kolkata,22.56,88.35,bn hi en\n"


@pytest.fixture
def run(tmp_path: Path, mongodb_uri: str) -> Iterator[Run]:
    given = {
        **os.environ, "SAHYATRI_DATA": str(tmp_path / "data"), "MONGODB_URI": mongodb_uri,
        "MONGODB_NAME": f"t{secrets.token_hex(6)}", "PUBLIC_URL": "https://sahyatri.example.org",
    }  # fmt: skip

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "bot", "places", *arguments]
        return subprocess.run(whole, cwd=ROOT, env=given, capture_output=True, text=True, check=False)

    yield command
    client: MongoClient[dict[str, object]] = MongoClient(mongodb_uri)
    with client:
        client.drop_database(given["MONGODB_NAME"])


def test_from_a_file_to_a_poster_and_its_withdrawal(run: Run, tmp_path: Path) -> None:
    """A faulty file is refused with a line for each fault; a good one gives a poster that can be scanned, until revoked."""
    file, poster = tmp_path / "places.csv", tmp_path / "poster.pdf"
    file.write_text(GOOD.replace("bus_stand", "tram").replace("22.56", "222"), encoding="utf-8")
    done = run("import", str(file), "--apply")
    assert (
        done.returncode == 2
        and "row 2, column kind: 'tram'" in done.stderr
        and "quarantine as version 1" in done.stderr
    )
    file.write_text(GOOD, encoding="utf-8")
    done = run("import", str(file))
    assert done.returncode == 0 and "+ 1: DHAR" in done.stdout and "Nothing applied" in done.stdout
    found = json.loads(run("import", str(file), "--apply", "--json").stdout)
    assert found["in_force"] and found["version"] == 2 and found["added"] == ["DHAR"]
    done = run("poster", "DHAR", "--out", str(poster), "--locales", "en", "--kind", "sticker")
    assert done.returncode == 0 and "no name in" not in done.stderr, done.stderr
    code = json.loads(run("codes", "DHAR", "--json").stdout.splitlines()[1])["code"]
    page = pypdfium2.PdfDocument(poster.read_bytes())[0]
    assert zxingcpp.read_barcodes(page.render(scale=2).to_pil())[0].text == f"https://sahyatri.example.org/q/{code}"
    done = run("poster", "DHAR", "--out", str(poster), "--locales", "en,bn")
    assert done.returncode == 0 and "DHAR has no name in bn: “Dharmatala bus stand” stands there" in done.stderr
    assert "Withdrawn" in run("revoke", code, "--apply", "--reason", "test").stdout
    done = run("poster", "DHAR", "--out", str(poster), "--kind", "sticker")
    assert done.returncode == 2 and "begin a new series" in done.stderr
    assert run("stats", "--json").stdout == ""
