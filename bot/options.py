"""What several groups of commands take: how one is run, and the options that mean the same everywhere."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import typer

from bot.config import Config

#: Runs a command with the settings; every foreseeable failure is one clear line and exit code 2.
Run = Callable[[Callable[[Config], Awaitable[None]]], None]
#: Opens the service for the length of a block.
Opened = Callable[..., AbstractAsyncContextManager[Any]]
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="JSON lines in and out")]
Apply = Annotated[bool, typer.Option("--apply", help="do it; without it only say what would be done")]
By = Annotated[str, typer.Option("--by", help="who does it, for the record; else the name of the account")]
Reason = Annotated[str, typer.Option("--reason", help="why, for the record")]


def say(text: str) -> None:
    """Tell whoever typed a command; what it prints is kept apart."""
    print(text, file=sys.stderr, flush=True)
