"""The lines of a conversation and of a case's history, ready to be shown: everything of a person's as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.console.facts import told_line, why_not
from bot.domain.approvals import RequestKind
from bot.domain.attachments import Attachment
from bot.domain.cases import CUSTODY, CaseAction, CaseEvent
from bot.domain.risk import GRAVITY
from bot.domain.shown import visible as visible
from bot.domain.tasks import TaskRule
from bot.domain.why import reason
from bot.ports import Line

Word = Callable[[str], str]
#: The history's lines that only say that something happened: a rule's id, or words that stand in the conversation.
WITHOUT_DETAIL = frozenset({CaseAction.REPLY, CaseAction.OPEN, CaseAction.RAISE, CaseAction.ASK_CONSENT})


def spoken(
    line: Line, file: Attachment | None, via: str, locale: str, word: Word, languages: Mapping[str, str]
) -> dict[str, Any]:
    """Return one line of a transcript; *file*: what came with it; *via*: the merged case whose person it is, or "".

    *locale*: what that person speaks; *languages*: the names of all, for a choice of language.
    """
    why, ours = why_not(line.error, line.state), line.who != "person"
    return {
        "id": line.id,
        "at": line.at.isoformat(timespec="seconds"),
        "who": line.who,
        "text": visible(line.text.reveal()),
        "state": word(f"send.state.{line.state}") if ours else "",
        "carrier": line.carrier,
        "how": "" if line.carrier in {"", "text"} else word(f"page.carrier.{line.carrier}"),
        "choices": [visible(languages.get(choice.removeprefix("l:"), choice)) for choice in line.choices],
        "lang": locale or "und",
        "via": via,
        "why": word(f"send.why.{why}") if why else "",
        "failed": ours and line.state == "failed",
        "template": visible(line.template),
        "file": _file(file),
    }


def _file(item: Attachment | None) -> str:
    """Return what a line shows of its file: the `picture` or `sound`, or `file` for what can only be named."""
    return "" if not item else item.kind.value if item.shown else "file"


def past(event: CaseEvent, word: Word) -> dict[str, str]:
    """Return one line of a case's history."""
    detail = "" if event.action in WITHOUT_DETAIL else visible(event.detail.reveal())
    if why := reason(event):
        detail = word(f"why.{why[0].value}") + visible(why[1])
    elif event.action is CaseAction.TELL:
        detail = told_line(event.detail.reveal(), word, visible)
    if event.action is CaseAction.RAISE:
        detail = _dangers(event.detail.reveal(), word)
    for rule in TaskRule if event.action in {CaseAction.TASK, CaseAction.TASK_DONE} else ():
        if detail.partition(":")[0] == rule.value:
            detail = word(f"case.rule.{rule.value}") + detail[len(rule.value) :]
    for kind in RequestKind if event.action in CUSTODY else ():
        if detail.partition(":")[0] == kind.value:
            detail = word(f"seal.kind.{kind.value}") + detail[len(kind.value) :]
    action = word(f"action.{event.action.value}")
    return {"at": event.at.isoformat(timespec="seconds"), "who": event.who, "action": action, "detail": detail}


def _dangers(detail: str, word: Word) -> str:
    """Name the danger that was told again, or what the case was and is about; "" where the line does not say."""
    kinds = detail.partition(": ")[0].split(" → ")
    return " → ".join(word(f"risk.{kind}") for kind in kinds) if set(kinds) <= set(GRAVITY) else ""
