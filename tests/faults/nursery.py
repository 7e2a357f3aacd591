"""Victims by fork: a process that has imported the service and read the content once has a child for each start.

The child is a process of its own, killed as any other; only what every start would repeat unchanged is done beforehand.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOOK_EVERY = 0.02
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.faults.victim"])


class Victim:
    """One process of the whole service, seen as `asyncio.subprocess.Process` would show it."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        """None while it lives; minus the signal that ended it."""
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    async def wait(self) -> int:
        while (code := self.returncode) is None:
            await asyncio.sleep(LOOK_EVERY)
        return code


async def bear(environment: Mapping[str, str], log: Path) -> Victim:
    """Start a victim with this environment; what it prints goes to the end of *log*."""
    process = _forks.Process(target=_live, args=(dict(environment), str(log)), daemon=True)
    await asyncio.to_thread(process.start)
    return Victim(process)


def _live(environment: dict[str, str], log: str) -> None:
    from tests.faults import victim  # noqa: PLC0415 - the process that asks needs nothing of it

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    random.seed()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    asyncio.run(victim.main())
