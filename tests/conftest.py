"""One real mongod for the whole run; each test that asks gets a database and keys of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import Service, open_service
from bot.config import Config, load_config
from bot.content.load import load
from bot.content.model import Content
from bot.local import local_mongod
from tests.databases import DATABASES
from tests.platforms import unchecked

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not at hand to check our calls by."""
    for line in unchecked():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def content() -> Content:
    return load(ROOT / "content")


async def _as_it_is(content: Content, _: object) -> tuple[Content, tuple[()]]:
    """Signing thousands of messages for each test would take longest (see `tests.service.test_phones`)."""
    return content, ()


@pytest.fixture(scope="session", autouse=True)
def _shipped_content_is_read_once(content: Content) -> Iterator[None]:
    """Reading it takes more than a second, and no test changes the shipped files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "bot.app.load_content", lambda root: content if root.resolve() == ROOT / "content" else load(root)
        )
        patch.setattr("bot.app.hold_phones", _as_it_is)
        yield


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A one-member replica set with test commands, run by a loop of its own."""
    folder = tmp_path_factory.mktemp("mongod")
    loop = asyncio.new_event_loop()
    stack = contextlib.AsyncExitStack()
    parameters = ("--setParameter", "enableTestCommands=1", "--setParameter", "minSnapshotHistoryWindowInSeconds=5")
    # What a test leaves is really removed, and soon: else each of a thousand databases would keep its files open.
    started = stack.enter_async_context(local_mongod(folder, 0, lambda _: None, (*parameters, "--syncdelay", "10")))
    uri = loop.run_until_complete(started)
    with DATABASES.at(uri):
        yield uri
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def database() -> Iterator[str]:
    """The name of an empty database."""
    name = DATABASES.lend()
    yield name
    DATABASES.give_back(name)


@pytest.fixture
def config(tmp_path: Path, database: str) -> Config:
    return load_config(SAHYATRI_DATA=tmp_path, MONGODB_NAME=database)


@pytest_asyncio.fixture
async def service(config: Config, mongodb_uri: str) -> AsyncIterator[Service]:
    """The whole service over a fresh database, with no NLU to be reached and nothing running yet."""
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as opened:
        yield opened
