"""The commands about people and partner organisations as an administrator runs them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

#: Starts the program a dozen times.
pytestmark = pytest.mark.timeout(400)
ROOT = Path(__file__).resolve().parent.parent


def test_people_and_partners_from_the_command_line(tmp_path: Path, mongodb_uri: str) -> None:
    """A partner needs an organisation, an organisation needs districts of ours; mistakes are one line and code 2."""
    name = f"t{secrets.token_hex(6)}"
    given = {**os.environ, "SAHYATRI_DATA": str(tmp_path), "MONGODB_URI": mongodb_uri, "MONGODB_NAME": name}

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments], capture_output=True, text=True, cwd=ROOT, env=given,
            timeout=90, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    house = ("organisations", "set", "prayas", "--name", "Prayas", "--label", "child", "--district")
    person = ("responders", "add", "pari", "--name", "Pari", "--role")
    for wrong, said in (
        ((*house, "Atlantis"), "Atlantis"),
        ((*house, "Aurangabad"), "Aurangabad"),
        ((*person, "partner"), "needs one"),
        ((*person, "partner", "--organisation", "prayas"), "none yet"),
        ((*person, "boss"), "supervisor"),
        (("responders", "disable", "nobody"), "nobody has this login"),
    ):
        code, out = run(*wrong)
        assert code == 2 and said in out and "Traceback" not in out, (wrong, out)
    assert run(*house, "Patna, Bihar", "--district", "Jharkhand")[0] == 0
    assert "labels: child  districts: Patna, Bihar; Jharkhand" in run("organisations", "list")[1]
    assert "one-time password" in run(*person, "partner", "--organisation", "prayas")[1]
    assert "pari  Pari  partner  prayas" in run("responders", "list")[1]
    assert run("responders", "change", "pari", "--role", "auditor")[0] == 0
    assert run("responders", "disable", "pari")[0] == 0
    assert "pari  Pari  auditor  shut out" in run("responders", "list")[1]
    ours = {"action": {"$not": {"$regex": "^list "}}}  # the first command also takes the lists that come with us
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        lines = [line["action"] for line in client[name]["audit"].find(ours).sort("number", 1)]
        client.drop_database(name)
    assert lines == ["organisation changed", "person added", "person changed", "person disabled"]
