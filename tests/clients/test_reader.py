"""Reading pictures: real child processes, real limits, files of people who mean harm; tesseract itself is stood in for."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from pathlib import Path

import pytest

from bot.clients import picture
from bot.clients.picture import NotAPicture, dark_on_light, fitted, page_of, turned
from bot.clients.reader import MOST_PAGE, ReadingFailed, TesseractReader, open_reader, run, words_in
from tests import pictures

TABLES = Path(__file__).resolve().parent / "tesseract"
INSTALLED = frozenset({"eng", "hin", "ben"})


def reader(program: str, *, at_once: int = 1, seconds: float = 10.0) -> TesseractReader:
    return TesseractReader(program, INSTALLED, at_once, seconds)


async def decoded(data: bytes) -> bytes:
    """What the decoding process makes of a file: "" where it refuses it."""
    try:
        return await run(picture.COMMAND, data, MOST_PAGE, 10.0)
    except ReadingFailed:
        return b""


# --- what tesseract says


def test_a_real_table_is_read_line_by_line() -> None:
    """Written by tesseract 5.3.0 for a poster of ours: every line, number and licence is there."""
    words = words_in((TABLES / "poster_en.tsv").read_text(encoding="utf-8")).splitlines()
    assert words == [
        "AL SAFA TRAVELS & MANPOWER",
        "Urgent hiring: 20 drivers, 10 helpers for Dubai",
        "Salary Rs 60,000 + free food and room",
        "Visit visa in 3 days. Pay Rs 45,000 before you fly",
        "Call / WhatsApp: 98765 43210",
        "Licence No. B-1234/DEL/PER/1000+/5/9876/2015",
    ]


def test_a_real_table_in_hindi_keeps_its_number_whole() -> None:
    words = words_in((TABLES / "poster_hi.tsv").read_text(encoding="utf-8"))
    assert "45,000" in words and "98765 43210" in words


def test_guesses_are_left_out() -> None:
    assert words_in(pictures.table("Suryodaya", sure=39.9)) == ""
    assert words_in(pictures.table("Suryodaya", sure=40.0)) == "Suryodaya"


@pytest.mark.parametrize(
    "table",
    [
        "",
        "\t" * 11,
        "5\t" * 20,
        "no table at all",
        pictures.HEAD,
        "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\tnan\tword",
        "\0\ufffd",
    ],
)
def test_what_is_no_table_is_no_words(table: str) -> None:
    assert words_in(table) == ""


def test_control_and_direction_characters_do_not_get_through() -> None:
    assert words_in(pictures.table("Al\u202eafas\x1b[31m")) == "Alafas[31m"


def test_words_have_an_end() -> None:
    assert len(words_in(pictures.table(*["word " * 50] * 200))) == 4000


def laid_out(*lines: str, block: int = 1) -> str:
    """A table in which each letter is ten pixels wide."""
    rows = []
    for number, line in enumerate(lines, 1):
        left = 0
        for at, word in enumerate(line.split(), 1):
            rows.append(f"5\t1\t{block}\t1\t{number}\t{at}\t{left}\t{number * 20}\t{len(word) * 10}\t15\t96\t{word}")
            left += len(word) * 10 + 10
    return "\n".join(rows)


def test_a_sentence_that_ran_out_of_room_goes_on() -> None:
    """As in a chat bubble; a line still ends there for names, which never run over it."""
    words = words_in(laid_out("Give your passport to us", "before you go with the van", "tonight"))
    assert words == "Give your passport to us\u2028before you go with the van\u2028tonight"
    assert words.splitlines()[0] == "Give your passport to us"


def test_a_list_of_short_lines_is_no_sentence() -> None:
    assert words_in(laid_out("AL SAFA TRAVELS AND MANPOWER", "Patna", "Call us")).count("\n") == 2


def test_a_wage_is_not_taken_for_the_fee_in_the_next_line() -> None:
    words = words_in(laid_out("Salary 60,000 and free food", "Registration fee 500 rupees", "only"))
    assert words == "Salary 60,000 and free food\nRegistration fee 500 rupees\u2028only"


def test_blocks_stay_apart() -> None:
    table = laid_out("filled to the very edge", "filled to the very edge") + "\n" + laid_out("another block", block=2)
    assert words_in(table).split("\n")[-1] == "another block"


# --- which languages


@pytest.mark.parametrize(
    ("locale", "asked"), [("hi", "eng+hin"), ("hi-Latn", "eng+hin"), ("bn", "eng+ben"), ("ta", "eng"), ("", "eng")]
)
def test_the_locale_and_english_as_far_as_installed(locale: str, asked: str) -> None:
    assert reader("tesseract").languages(locale) == asked


def test_without_the_program_its_data_or_the_wish_there_is_no_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert open_reader("auto", 1) is None
    for languages, found in ((("osd",), False), (("eng", "osd"), True)):
        pictures.program(tmp_path, "", languages)
        assert bool(open_reader("auto", 1)) is found
    assert open_reader("off", 1) is None
    (tmp_path / "tesseract").write_text("#!/bin/false\n")
    assert open_reader("auto", 1) is None


# --- the page


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_each_kind_becomes_a_grey_page_large_enough(kind: str) -> None:
    page = page_of(pictures.picture(kind, 400, 300))
    assert page.startswith(b"P5\n1200 900\n255\n") and len(page) == 16 + 1200 * 900
    assert min(page[16:]) >= 250


@pytest.mark.parametrize(
    ("size", "page"),
    [((360, 640), (900, 1600)), ((100, 50), (300, 150)), ((1600, 900), (1600, 900)), ((8000, 4000), (3000, 1500))],
)
def test_small_letters_are_enlarged_and_large_pictures_made_smaller(
    size: tuple[int, int], page: tuple[int, int]
) -> None:
    assert fitted(*size) == page


def test_turning() -> None:
    """Rows ab/cd/ef: a quarter against the clock, half a circle, three quarters."""
    assert turned(b"abcdef", 2, 3, 0) == (b"abcdef", 2, 3)
    assert turned(b"abcdef", 2, 3, 1) == (b"bdface", 3, 2)
    assert turned(b"abcdef", 2, 3, 2) == (b"fedcba", 2, 3)
    assert turned(b"abcdef", 2, 3, -1) == (b"ecafdb", 3, 2)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_a_camera_held_otherwise_is_put_upright(orientation: int, corner: tuple[int, int]) -> None:
    """A black mark in the first corner of what the sensor saw stands where the EXIF note says that it was."""
    grey = b"".join((b"\0" * 40 if row < 20 else b"\xff" * 40) + b"\xff" * 80 for row in range(80))
    head, _, rows = page_of(pictures.lying(pictures.picture("jpeg", 120, 80, grey), orientation)).partition(b"\n255\n")
    width, height = map(int, head.split()[1:])
    assert (width, height) == ((360, 240) if orientation in {1, 3} else (240, 360))
    corners = {
        (down, right): rows[(down * height + 10 * (1 if down == 0 else -1)) % height * width :][
            (right * width + 10 * (1 if right == 0 else -1)) % width
        ]
        for down in (0, -1)
        for right in (0, -1)
    }
    assert [at for at, shade in corners.items() if shade < 60] == [corner]


def test_a_dark_band_is_turned_into_its_negative_but_a_rule_is_not() -> None:
    light, dark = b"\xff" * 10, b"\0" * 8 + b"\xff" * 2
    assert (
        dark_on_light(light * 30 + dark * 20 + light * 5, 10) == light * 30 + (b"\xff" * 8 + b"\0" * 2) * 20 + light * 5
    )
    assert dark_on_light(light + dark * 3 + light, 10) == light + dark * 3 + light


# --- files of people who mean harm


JPEG = pictures.picture("jpeg", 300, 200, bytes(random.Random(1).randbytes(300 * 200)))
PNG = pictures.picture("png", 300, 200, bytes(random.Random(2).randbytes(300 * 200)))
WEBP = pictures.picture("webp", 300, 200, bytes(random.Random(3).randbytes(300 * 200)))
HOSTILE = {
    "empty": b"",
    "text called .jpg": b"this is no picture\n" * 100,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "only the first bytes": b"\xff\xd8\xff",
    "PNG head without a body": b"\x89PNG\r\n\x1a\n",
    "20000 x 20000 PNG": pictures.png(20000, 20000, 20000),
    "PNG of more than it says it may be": pictures.png(2**31 - 1, 2**31 - 1, 1),
    "one pixel": pictures.picture("png", 1, 1),
    "WebP of nothing": b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\xff" * 64,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_no_picture_we_take_is_refused_at_once(data: bytes) -> None:
    started = time.monotonic()
    assert await decoded(data) == b""
    assert time.monotonic() - started < 8
    assert await reader("/never/reached").read(data, "hi") == ""


async def test_a_bomb_gets_no_more_memory_than_its_own_size_asks_for() -> None:
    """100 pixels wide by its head, 200,000 rows in its body: the rest is never unpacked."""
    page = await decoded(pictures.png(100, 100, 200_000))
    assert page.startswith(b"P5\n300 300\n")


@pytest.mark.parametrize("whole", [JPEG, PNG, WEBP], ids=["jpeg", "png", "webp"])
async def test_truncated_and_damaged_files_end_well(whole: bytes) -> None:
    """Cut off anywhere or with bytes turned over: a page or a refusal, never a crash of ours and never a hang."""
    chance = random.Random(7)
    damaged = [whole[: len(whole) * part // 8] for part in range(1, 8)]
    for _ in range(5):
        spoilt = bytearray(whole)
        for _ in range(40):
            spoilt[chance.randrange(12, len(spoilt))] = chance.randrange(256)
        damaged.append(bytes(spoilt))
    for data in damaged:
        page = await decoded(data)
        assert not page or page.startswith(b"P5\n")


def test_the_decoder_names_no_reason_that_could_hold_words() -> None:
    with pytest.raises(NotAPicture, match=r"^neither JPEG, PNG nor WebP$"):
        page_of(b"secret words")


# --- the program: what it gets, and what it cannot do


async def test_it_gets_the_page_the_languages_and_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:secret")
    does = """
    told = [*page.split()[:3], *sorted(os.environ), asked, os.getcwd()]
    print(HEAD)
    for number, word in enumerate(told):
        text = word if isinstance(word, str) else word.decode()
        print("\\t".join(["5", "1", "1", "1", "1", str(number), "0", "0", "9", "9", "96.0", text]))
    """
    told = (await reader(pictures.program(tmp_path, does)).read(pictures.picture("jpeg", 400, 300), "hi")).split()
    assert told[:3] == ["P5", "1200", "900"]
    assert set(told[3:-2]) <= {"LC_ALL", "LC_CTYPE", "OMP_THREAD_LIMIT", "PATH", "TESSDATA_PREFIX"}
    assert told[-2:] == ["eng+hin", "/"]


async def test_a_slow_one_is_killed_and_leaves_nothing_running(tmp_path: Path) -> None:
    program = pictures.program(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)")
    started = time.monotonic()
    assert await reader(program, seconds=3).read(JPEG, "en") == ""
    assert time.monotonic() - started < 6
    assert pictures.alive(program) == []


async def test_who_stops_waiting_stops_the_program_too(tmp_path: Path) -> None:
    program = pictures.program(tmp_path, "time.sleep(600)")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await reader(program).read(JPEG, "en")
    assert pictures.alive(program) == []


BAD = {
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
    "exit 1": "sys.exit(1)",
    "more memory than allowed": "hog = bytearray(4 * 1024**3)\nprint(HEAD)",
    "words without end": "while True: sys.stdout.write('x' * 65536)",
    "never reads": "sys.stdin.close()\nsys.exit(3)",
    "not UTF-8": "sys.stdout.buffer.write(b'5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t9\\t96\\t\\xff\\xfe\\n')",
    "bytes of all kinds": "sys.stdout.buffer.write(bytes(range(256)) * 100)",
    "nothing": "pass",
}


@pytest.mark.parametrize("does", BAD.values(), ids=BAD.keys())
async def test_whatever_it_does_the_answer_is_no_words(tmp_path: Path, does: str) -> None:
    program = pictures.program(tmp_path, does)
    started = time.monotonic()
    assert await reader(program).read(JPEG, "en") == ""
    assert time.monotonic() - started < 9
    assert pictures.alive(program) == []


async def test_it_cannot_leave_a_file_behind(tmp_path: Path) -> None:
    """The kernel ends a process that writes one: nothing of a picture reaches the disk."""
    left = tmp_path / "left"
    does = f"open({str(left)!r}, 'wb', buffering=0).write(page)\nprint(HEAD)"
    assert await reader(pictures.program(tmp_path, does)).read(JPEG, "en") == ""
    assert not left.exists() or left.read_bytes() == b""
    assert {path.name for path in tmp_path.iterdir()} <= {"tesseract", "left"}


async def test_a_program_that_is_gone_is_no_words(tmp_path: Path) -> None:
    assert await reader(str(tmp_path / "tesseract")).read(JPEG, "en") == ""


async def test_no_more_at_once_than_there_are_places(tmp_path: Path) -> None:
    """Each run tells when it began and ended by the machine's clock; with one place no two overlap."""
    does = """
    began = time.monotonic()
    time.sleep(0.2)
    print(HEAD)
    for number, at in enumerate((began, time.monotonic())):
        print("\\t".join(["5", "1", "1", "1", "1", str(number), "0", "0", "9", "9", "96.0", str(at)]))
    """
    one = reader(pictures.program(tmp_path, does))
    told = await asyncio.gather(*(one.read(JPEG, "en") for _ in range(3)))
    spans = sorted(tuple(map(float, words.split())) for words in told)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


async def test_a_file_that_is_too_large_is_not_even_decoded(tmp_path: Path) -> None:
    program = pictures.saying(tmp_path, "Suryodaya Overseas")
    assert await reader(program).read(JPEG, "en") == "Suryodaya Overseas"
    assert await reader(program).read(JPEG + b"\0" * (5 * 1024 * 1024), "en") == ""


def test_the_decoding_process_is_ours_and_apart() -> None:
    assert "-I" in picture.COMMAND and Path(picture.COMMAND[0]).is_absolute()
