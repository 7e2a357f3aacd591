"""Words for the responders' group, which reads one language: that of its pages."""

from __future__ import annotations

from collections.abc import Callable

from bot.content.model import Content
from bot.content.render import fill


class GroupWords:
    """The group's own words."""

    def __init__(self, content: Callable[[], Content]) -> None:  # noqa: D107
        self._content = content

    def __call__(self, key: str, **values: str) -> str:
        """Return the words of `console.telegram.<key>` with *values* filled in."""
        return self.of(f"console.telegram.{key}", **values)

    def of(self, message: str, **values: str) -> str:
        """Return the words of any message; the last part of its name where it has none."""
        try:
            return fill(self._content().words("en", message), values)
        except KeyError:
            return message.rpartition(".")[2].replace("_", " ")
