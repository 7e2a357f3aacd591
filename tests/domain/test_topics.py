"""The group's own shapes: button ids, commands, link codes, what must be handled in order."""

from __future__ import annotations

import pytest

from bot.domain.private import Private
from bot.domain.topics import CODE_LETTERS, GroupKind, GroupUpdate, Press, button, command, link_code, pressed


@pytest.mark.parametrize("press", list(Press))
def test_a_button_means_what_it_was_made_for(press: Press) -> None:
    """Within Telegram's 64 bytes, for a case's id and for a question's."""
    for about in ("0123456789ab", "0123456789abcdef"):
        assert len(button(press, about).encode()) <= 64
        assert pressed(button(press, about)) == (press, about)


@pytest.mark.parametrize("data", ["", "g:c", "g:c:", "c:help", "x:y:z", ":::"])
def test_another_id_is_no_button_of_ours(data: str) -> None:
    assert pressed(data) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/note she is calm", ("note", "she is calm")),
        ("/note@a_bot\ntwo\nlines", ("note", "two\nlines")),
        ("/RELEASE", ("release", "")),
        ("/", ("", "")),
        ("note: no command", None),
        ("see /console", None),
    ],
)
def test_commands(text: str, meant: tuple[str, str] | None) -> None:
    assert command(text) == meant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/link ABCD2345", "ABCD2345"),
        ("/link abcd2345 ", "ABCD2345"),
        ("/unlink", ""),
        ("/link", None),
        ("/link me", None),
        ("/link help me please", None),
        ("/link ABCD2345 they locked me in", None),
        ("/unlink me", None),
        ("ABCD2345", None),
    ],
)
def test_only_the_whole_shape_is_a_code(text: str, code: str | None) -> None:
    """So that no cry for help is swallowed."""
    assert link_code(text) == code


def test_letters_of_codes_are_not_confused() -> None:
    assert not set("0O1IL") & set(CODE_LETTERS)


def test_a_press_waits_for_nothing() -> None:
    """Messages of a topic are handled in order, edits with them; each press by itself."""

    def update(kind: GroupKind, key: str) -> GroupUpdate:
        return GroupUpdate(key, 1, kind, "-1", Private("7"), 9)

    assert update(GroupKind.MESSAGE, "a").line == update(GroupKind.EDIT, "b").line
    assert update(GroupKind.PRESS, "a").line != update(GroupKind.PRESS, "b").line
