"""What authors and translators work with: coverage, stale facts, previews, and a spreadsheet of one locale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from bot.content.checks import CONSOLE_LOCALES, TELEGRAM_LIMITS, message_problems
from bot.content.model import TOPIC_PARTS, Content, Fact
from bot.content.render import LIMITS, render
from bot.domain.messages import ChannelName, ChoiceRef, Reply

COLUMNS: Final = ("message", "English", "facts", "words", "limit")
WORDS: Final = COLUMNS.index("words")
SHEET: Final = "words"
WIDTHS: Final = (34, 60, 40, 60, 10)
#: The area that only responders read.
FOR_RESPONDERS: Final = "console"
OPENING: Final = "<!-- coverage -->"
CLOSING: Final = "<!-- /coverage -->"


class SheetError(Exception):
    """A spreadsheet that cannot be taken: names the row, what is wrong and what to do, one problem a line."""


@dataclass(frozen=True, slots=True)
class Cover:
    """How many of an area's messages a locale has."""

    have: int
    of: int

    @property
    def percent(self) -> int:
        """Whole per cent, never rounded up to 100."""
        return self.have * 100 // self.of if self.of else 100


def coverage(content: Content) -> dict[str, dict[str, Cover]]:
    """Return locale → area → how much there is; the responders' own area exists in English and Hindi only."""
    areas: dict[str, list[str]] = {}
    for key in content.messages["en"]:
        areas.setdefault(content.area_of(key), []).append(key)
    return {
        code: {
            area: Cover(sum(key in content.messages[code] for key in keys), len(keys))
            for area, keys in areas.items()
            if area != FOR_RESPONDERS or code in CONSOLE_LOCALES
        }
        for code in content.locales
    }


def facts_of(content: Content) -> list[tuple[str, Fact]]:
    """Return every use of a fact with the file that uses it."""
    found = [(f"topics/{topic.id}.yaml", fact) for topic in content.topics.values() for fact in topic.facts]
    found += [(f"schemes/{scheme.id}.yaml", fact) for scheme in content.schemes.values() for fact in scheme.facts]
    found += [("directory/states.yaml", fact) for note in content.state_notes for fact in note.facts]
    found += [("recruiters/red_flags.yaml", fact) for facts in content.flag_facts.values() for fact in facts]
    found += [("directory/helplines.yaml", line.fact) for line in content.helplines.values()]
    return found


def coverage_table(content: Content) -> str:
    """Return the table of locales and areas, and the sums, as Markdown."""
    table = coverage(content)
    areas = list(dict.fromkeys(area for row in table.values() for area in row))
    lines = ["| locale | status | " + " | ".join(areas) + " |", "|" + "---|" * (len(areas) + 2)]
    for code, row in table.items():
        cells = [f"{row[area].percent} %" if area in row else "–" for area in areas]
        lines.append(
            f"| {code} {content.locales[code].own_name} | {content.locales[code].status} | " + " | ".join(cells) + " |"
        )
    return "\n".join([*lines, "", sums(content)])


def sums(content: Content) -> str:
    """Return the counts of what is covered."""
    facts = [fact for _, fact in facts_of(content)]
    messages = sum(len(messages) for messages in content.messages.values())
    oldest = min(fact.verified_on for fact in facts)
    return (
        f"{len(content.locales)} locales, {len(content.messages['en'])} messages in English, {messages} in all; "
        f"{len(content.topics)} topics, {len(content.schemes)} schemes in the finder; "
        f"{len({fact.id for fact in facts})} facts of the sheet in {len(facts)} places, "
        f"from {len({fact.source for fact in facts})} sources, the oldest read on {oldest}; "
        f"{len(content.helplines)} helplines, {len(content.states)} States and Union Territories, "
        f"{len(content.districts)} districts, {len(content.stations)} stations, {len(content.places)} poster points."
    )


def put_between_marks(path: Path, table: str) -> None:
    """Write *table* between the coverage marks of a file. Raise `SheetError` if it has none."""
    text = path.read_text(encoding="utf-8")
    before, opened, rest = text.partition(OPENING)
    _, closed, after = rest.partition(CLOSING)
    if not (opened and closed):
        raise SheetError(f"{path}: has no {OPENING} … {CLOSING}; add both lines where the table belongs")
    path.write_text(f"{before}{OPENING}\n{table}\n{CLOSING}{after}", encoding="utf-8")


def stale(content: Content, days: int, today: date) -> Iterator[str]:
    """Yield each use of a fact that was read more than *days* ago, or whose time is over, oldest first."""
    limit = today - timedelta(days=days)
    for place, fact in sorted(facts_of(content), key=lambda item: (item[1].verified_on, item[0])):
        if fact.verified_on < limit:
            yield f"{place}: {fact.id} was read on {fact.verified_on}; read {fact.url} again and set verified_on"
        elif fact.valid_to and fact.valid_to < today:
            yield f"{place}: {fact.id} was valid until {fact.valid_to}; ask {fact.source} whether it goes on"


def preview(content: Content, topic: str, locale: str) -> Iterator[tuple[str, str]]:
    """Yield (channel, what a person sees there) for a topic: every bubble with its choices."""
    replies = [Reply(f"{topic}.{part}") for part in TOPIC_PARTS[1:]]
    replies += [Reply(f"{topic}.for_{name}") for name in content.topics[topic].audiences]
    choices = (ChoiceRef(f"t:{topic}", f"{topic}.title"), ChoiceRef("c:menu", "core.menu.label"))
    replies = [Reply(reply.message, choices=choices) for reply in replies]
    for channel in (ChannelName.WHATSAPP, ChannelName.TELEGRAM, ChannelName.TERMINAL):
        limits = LIMITS[channel]
        bubbles = []
        for bubble in render(replies, locale, channel, content):
            text = bubble.text.reveal()
            labels = "  ".join(f"[{choice.label}]" for choice in bubble.choices)
            most = limits.text_with_choices if bubble.choices else limits.text
            shown = f"[{bubble.picture.name}: {bubble.picture.alt}]\n" if bubble.picture else ""
            head = f"--- {bubble.message_id} ({len(text)} of {most} characters)"
            bubbles.append(f"{head}\n{shown}{text}\n{labels}".rstrip())
        name = "plain text" if channel is ChannelName.TERMINAL else channel.value
        yield name, "\n".join(bubbles)


def write_sheet(content: Content, locale: str, path: Path) -> int:
    """Write one locale as a spreadsheet for translators; return how many messages it has."""
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise SheetError("the spreadsheet library gave no sheet")
    sheet.title = SHEET
    sheet.append([*COLUMNS])
    for number, width in enumerate(WIDTHS, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = width
    keys = _keys(content, locale)
    for key in keys:
        facts = "\n".join(f"{fact.id}: {fact.statement}" for fact in _facts(content, key))
        sheet.append([key, content.messages["en"][key], facts, content.messages[locale].get(key, ""), _limit_of(key)])
    right = content.locales[locale].direction == "rtl"
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        row[WORDS].alignment = Alignment(wrap_text=True, vertical="top", readingOrder=2 if right else 1)
        row[WORDS].fill = PatternFill("solid", fgColor="FFF8E1")
    sheet.freeze_panes = "B2"
    book.properties.title = f"Sahyatri {locale}"
    book.save(path)
    return len(keys)


def read_sheet(content: Content, locale: str, path: Path) -> dict[str, str]:
    """Return the words of a filled spreadsheet that differ from ours. Raise `SheetError` with every problem."""
    try:
        book = load_workbook(path, read_only=True)
    except (OSError, InvalidFileException, KeyError, ValueError, BadZipFile) as error:
        raise SheetError(f"{path}: is not a spreadsheet that can be read ({error}); save it as .xlsx") from error
    rows = book[SHEET].iter_rows(values_only=True) if SHEET in book.sheetnames else iter(())
    head = next(rows, ())
    if tuple(head[: len(COLUMNS)]) != COLUMNS:
        raise SheetError(f"{path}:1: has the columns {list(head)}, needs {', '.join(COLUMNS)}; use the exported sheet")
    problems: list[str] = []
    changed: dict[str, str] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        key, source, words = (str(row[at] or "").replace("\r\n", "\n").strip() for at in (0, 1, WORDS))
        if not key:
            continue
        place = f"{path.name}:{number}: message {key!r}"
        if key not in _keys(content, locale) or key in seen:
            problems.append(f"{place} {'stands twice' if key in seen else 'is not one of ours'}; remove the row")
            continue
        seen.add(key)
        if source != content.messages["en"][key]:
            problems.append(f"{place}: the English has changed since the export; export again and compare")
        elif words and words != content.messages[locale].get(key, ""):
            problems += [f"{place} {problem}" for problem in message_problems(key, words, content)]
            changed[key] = words
    if problems:
        raise SheetError("\n".join(problems))
    return changed


def write_messages(content: Content, root: Path, locale: str, changed: dict[str, str]) -> list[Path]:
    """Write changed words into content/messages/<locale>/, in the order of the source; return the files."""
    words = {**content.messages[locale], **changed}
    areas = dict.fromkeys(content.area_of(key) for key in changed)
    written = []
    for area in areas:
        path = root / "messages" / locale / f"{area}.yaml"
        status = content.statuses.get((locale, area), "draft") if locale == "en" else "draft"
        lines = [f"locale: {locale}", f"area: {area}", f"status: {status}", "messages:"]
        lines += [
            _block(key, words[key]) for key in content.messages["en"] if content.area_of(key) == area and key in words
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _block(key: str, words: str) -> str:
    if "\n" in words:
        return "\n".join([f"  {key}: |", *(f"    {line}".rstrip() for line in words.split("\n"))])
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'  {key}: "{quoted}"'


def _keys(content: Content, locale: str) -> list[str]:
    console = locale in CONSOLE_LOCALES
    return [key for key in content.messages["en"] if console or content.area_of(key) != FOR_RESPONDERS]


def _facts(content: Content, key: str) -> tuple[Fact, ...]:
    topic = content.topics.get(key.partition(".")[0])
    return topic.facts if topic else ()


def _limit_of(key: str) -> str:
    if most := next((most for start, most in TELEGRAM_LIMITS.items() if key.startswith(start)), 0):
        return str(most)
    return "24" if key.endswith((".label", ".title")) else "350" if key.endswith(".answer") or ".for_" in key else ""
