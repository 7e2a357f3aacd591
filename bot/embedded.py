"""Brings up whatever is not given from outside: MongoDB and the NLU, for `up`, `chat`, `bench` and the tests."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bot.config import Config
from bot.local import LocalError, Say, local_mongod, local_nlu, nlu_ready

NLU_NOTE = "nlu.url"
NLU_PATIENCE = 90.0


@asynccontextmanager
async def database(config: Config, say: Say) -> AsyncIterator[str]:
    """Give the URI of the database: the configured one, else our own."""
    given = config.mongodb_uri.get_secret_value()
    if given:
        say("database: using MONGODB_URI")
        yield given
        return
    async with local_mongod(config.data, config.mongod_port, say) as uri:
        yield uri


@asynccontextmanager
async def understanding(config: Config, say: Say) -> AsyncIterator[tuple[str, str]]:
    """Give address and token of the NLU: the configured one, one that already runs here, else our own child."""
    if config.nlu_url:
        say("understanding: using NLU_URL")
        yield config.nlu_url, config.nlu_token.get_secret_value()
        return
    token = nlu_token(config.data)
    note = config.data / NLU_NOTE
    if note.exists() and await nlu_ready(note.read_text().strip(), 2.0):
        yield note.read_text().strip(), token
        return
    async with local_nlu(config.nlu_home, config.data, token, say) as url:
        note.write_text(url)
        try:
            yield url, token
        finally:
            note.unlink(missing_ok=True)


def nlu_token(data: Path) -> str:
    """Return the token shared with our own NLU server, made at first run with mode 600."""
    path = data / "keys" / "nlu.token"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


async def train(config: Config, say: Callable[[str], None]) -> None:
    """Train the NLU if no model fits the present data; prints what the trainer prints."""
    python = config.nlu_home / ".venv" / "bin" / "python"
    if not python.exists():
        raise LocalError(f"the NLU environment is missing ({python}); run: make setup")
    environment = {**os.environ, "PYTHONPATH": str(config.nlu_home.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = await asyncio.create_subprocess_exec(
        str(python), str(config.nlu_home / "train.py"), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    async for line in process.stdout:
        said = line.decode().rstrip()
        if said.startswith(("train", "the model", "scored")):
            say(f"understanding: {said}")
    if await process.wait():
        raise LocalError("training the NLU failed; run it by hand to see why: nlu/.venv/bin/python nlu/train.py")


@asynccontextmanager
async def everything(config: Config, say: Say, *, wait_for_nlu: bool) -> AsyncIterator[tuple[str, str, str]]:
    """Give (MongoDB URI, NLU address, NLU token); with *wait_for_nlu* the NLU has been given time to warm up."""
    async with AsyncExitStack() as stack:
        uri = await stack.enter_async_context(database(config, say))
        url, token = await stack.enter_async_context(understanding(config, say))
        if wait_for_nlu and not config.nlu_url:
            await nlu_ready(url, NLU_PATIENCE)
        yield uri, url, token
