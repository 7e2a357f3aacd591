"""A value that a person told us: it never prints, and is read only on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Private:
    """Text that must not reach a log, a traceback or a `repr`.

    `reveal()` is the only way to the words, so a search for it lists every reader.
    """

    _value: str

    def reveal(self) -> str:
        """Return the words themselves."""
        return self._value

    def __repr__(self) -> str:
        return f"Private(<{len(self._value)} characters>)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)


NOTHING_SAID = Private("")
