"""Identifiers in what people write: every kind, every script, nothing guessed, and no time lost on hostile texts."""

from __future__ import annotations

import time

import pytest

from bot.domain.identifiers import Identifier, IdentifierKind
from bot.recruiters.build import detail_key
from bot.recruiters.identifiers import identifier, identifiers_of


def found(text: str) -> set[tuple[str, str]]:
    return {(item.kind.value, item.value) for item in identifiers_of(text)}


@pytest.mark.parametrize(
    "written",
    [
        "0000010037", "+91 00000 10037", "फोन:०००००-१००३७।", "ফোন ০০০০০১০০৩৭", "தொலைபேசி ௦௦௦௦௦ ௧௦௦௩௭", "فون ۰۰۰۰۰۱۰۰۳۷",
        "https://wa.me/910000010037?text=hi", "wa.me/910000010037", "https://api.whatsapp.com/send?phone=910000010037&text=x",
        "t.me/+910000010037", "ਫ਼ੋਨ ੦੦੦੦੦੧੦੦੩੭", "00000\u200b10037",
    ],
)  # fmt: skip
def test_a_phone_is_one_phone_in_any_writing(written: str) -> None:
    """Digits of any script, prefixes, and chat links that carry a number."""
    assert found(written) == {("phone", "0000010037")}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("pay ramesh.jobs@ybl now", {("upi", "ramesh.jobs@ybl")}),
        ("पैसे RAMESH@okaxis पर भेजें", {("upi", "ramesh@okaxis")}),
        ("upi://pay?pa=ramesh@paytm&pn=Ramesh", {("upi", "ramesh@paytm")}),
        ("ramesh @ okaxis", {("upi", "ramesh@okaxis")}),
        ("ramesh@okaxis.", {("upi", "ramesh@okaxis")}),
        ("9800000001@ybl", {("upi", "9800000001@ybl"), ("phone", "9800000001")}),
        ("mail hr@agency.example", {("email", "hr@agency.example")}),
        ("hr@agency.co.in, ramesh@ybl", {("email", "hr@agency.co.in"), ("upi", "ramesh@ybl")}),
        ("ＨＲ＠Agency.Example", {("email", "hr@agency.example")}),
        ("follow @rameshjobs today @ home", set()),
    ],
)
def test_upi_ids_are_kept_apart_from_emails(written: str, expected: set[tuple[str, str]]) -> None:
    """What stands behind the sign decides: with a dot it is mail, without it is a bank."""
    assert found(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://www.Dream-Jobs.example.com/apply?id=3#x", "dream-jobs.example.com"),
        ("see www.dreamjobs.travel", "dreamjobs.travel"),
        ("dreamjobs.in par jao", "dreamjobs.in"),
        ("http://dreamjobs.in:8080/", "dreamjobs.in"),
        ("https://t.me/Gulf_Jobs/221", "t.me/gulf_jobs"),
        ("https://t.me/s/Gulf_Jobs", "t.me/gulf_jobs"),
        ("telegram.me/gulf_jobs", "t.me/gulf_jobs"),
        ("https://t.me/joinchat/AbC", "t.me/joinchat/abc"),
        ("https://www.instagram.com/gulf.jobs/?hl=en", "instagram.com/gulf.jobs"),
        ("https://m.facebook.com/profile.php?id=1000555", "facebook.com/1000555"),
        ("facebook.com/gulfjobs.", "facebook.com/gulfjobs"),
        ("https://www.facebook.com/groups/123456", "facebook.com/groups/123456"),
        ("youtube.com/@gulfjobs", "youtube.com/gulfjobs"),
        ("https://chat.whatsapp.com/HgTr55", "chat.whatsapp.com/hgtr55"),
        ("bit.ly/3xYz", "bit.ly/3xyz"),
    ],
)
def test_web_addresses_are_normalised(written: str, expected: str) -> None:
    """Scheme, www and path go; where many share a domain, the path that tells who stays."""
    assert found(written) == {("web", expected)}


@pytest.mark.parametrize("text", ["https://emigrate.gov.in/x", "instagram.com", "https://www.google.com/search?q=a", "8.30 baje", "salary 12.500 p.m.", "ok.bye", "paise liye.us ne", "ghar.me", "My son B.Com", "PNR no: 6712903345"])  # fmt: skip
def test_what_names_nobody_is_no_web_address(text: str) -> None:
    """Official sites, bare platforms, times and sums say nothing about a recruiter."""
    assert found(text) == set()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("BR 01 AB 1234", "BR01AB1234"), ("br-01-ab-1234", "BR01AB1234"), ("BR1AB1234", "BR01AB1234"),
        ("गाड़ी BR०१AB१२३४ थी", "BR01AB1234"), ("DL 3C AB 1234", ""), ("22 BH 1234 AA", "22BH1234AA"), ("22BH1234A", "22BH1234A"),
        ("OR 02 B 1234", "OD02B1234"), ("XX 01 AB 1234", ""), ("up 5 km 20", ""),
    ],
)  # fmt: skip
def test_vehicles(written: str, expected: str) -> None:
    """State, office, series, number; only with the letters of a real State; no licence is made of it."""
    assert found(written) == ({("vehicle", expected)} if expected else set())


@pytest.mark.parametrize(
    "written",
    [
        "account 12345678901", "A/C No: 1234 5678 901", "a/c-12345678901", "खाता संख्या १२३४५६७८९०१", "12345678901 IFSC SBIN0001234",
        "SBIN0001234 12345678901", "কাউকে অ্যাকাউন্ট ১২৩৪৫৬৭৮৯০১", "கணக்கு எண் 12345678901", "ఖాతా 12345678901", "ಖಾತೆ 12345678901",
        "അക്കൗണ്ടിൽ 12345678901", "ખાતા નંબર 12345678901", "ଆକାଉଣ୍ଟ 12345678901", "ਖਾਤਾ ਨੰਬਰ 12345678901", "اکاؤنٹ نمبر 12345678901",
        "12345678901 mera khata hai",
    ],
)  # fmt: skip
def test_an_account_stands_beside_a_word_that_says_so(written: str) -> None:
    """In every script, before or behind the number."""
    assert found(written) == {("account", "12345678901")}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("account 9800000001", {("phone", "9800000001")}),
        ("account wale ka +91 98000 00001", {("phone", "9800000001")}),
        ("12345678901", set()),
        ("aadhaar 234567890123, account 12345678901", {("account", "12345678901")}),
        ("mera khata hai, aadhaar 234567890123", set()),
        ("account se pehle 18001027222 par call", set()),
        ("a/c 12345678901 phone 9800000001", {("account", "12345678901"), ("phone", "9800000001")}),
        ("a/c 123456789012345678", {("account", "123456789012345678")}),
        ("a/c 1234567890123456789", set()),
    ],
)
def test_a_phone_never_becomes_an_account(written: str, expected: set[tuple[str, str]]) -> None:
    """Nor does an Aadhaar number, a toll-free number, or a row of digits without a word."""
    assert found(written) == expected


def test_a_whole_report_is_taken_apart() -> None:
    """Several kinds in one text, each once, the licence whole."""
    text = """रमेश नाम के एजेंट ने ८०,००० रुपये लिए। फोन ०००००-१००३७ या 00000 10074
    licence B-0006/SAM/PER/100/5/9006/2022, खाता 12345678901 IFSC SBIN0001234
    upi ramesh@okaxis, gaadi BR 01 AB 1234, t.me/gulf_jobs, फिर 00000 10037"""
    assert found(text) == {
        ("phone", "0000010037"), ("phone", "0000010074"), ("licence", "b0006samper100590062022"),
        ("account", "12345678901"), ("upi", "ramesh@okaxis"), ("vehicle", "BR01AB1234"), ("web", "t.me/gulf_jobs"),
    }  # fmt: skip
    assert len(identifiers_of(text)) == 7


def test_names_are_never_taken_from_prose() -> None:
    """Only a responder types an alias."""
    assert found("Ramesh Kumar of Patna, called Guddu bhaiya, took 80,000 on 12-10-2026 at 10.30") == set()


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("phone", "+91 98000 00001", "9800000001"), ("phone", "123", None), ("account", "1234 5678 901", "12345678901"),
        ("account", "9800000001", None), ("alias", "  Guddu   Bhaiya ", "guddu bhaiya"), ("alias", " .. ", None),
        ("licence", "B-1/x/22", "b1x22"), ("licence", "x", None), ("upi", "a1@ybl", "a1@ybl"), ("upi", "a@b.com", None),
        ("web", "https://t.me/x1", "t.me/x1"), ("email", "A@B.example", "a@b.example"), ("vehicle", "br 1 a 1234", "BR01A1234"),
    ],
)  # fmt: skip
def test_what_a_responder_types(kind: str, typed: str, value: str | None) -> None:
    """Brought to the same normal form, or refused."""
    made = identifier(IdentifierKind(kind), typed)
    assert (made.value if made else None) == value


def test_an_alias_is_known_by_its_sound() -> None:
    """Two scripts, one name."""
    one, other = (identifier(IdentifierKind.ALIAS, name) for name in ("गुड्डू", "Guddu"))
    assert one and other and one.key == other.key


def test_an_identifier_does_not_print() -> None:
    """Logs and tracebacks show the kind only."""
    made = Identifier(IdentifierKind.PHONE, "9800000001")
    assert "9800000001" not in f"{made} {made!r} {[made]}"
    assert made.shown == "98000 00001"


def test_a_hostile_text_takes_no_time() -> None:
    """Linear enough: the longest accepted texts in under a second each."""
    units = (
        "1 ", "a1/", "@", "B-1/1", "91-(", "a.", "a@", "a@b", "www.", "https://", "t.me/", "br 1 ", "account 1", "a/c 123456789 ",
        "खाता ", "1-", "-", "a-", "a_", "%", ".",
    )  # fmt: skip
    for unit in units:
        start = time.process_time()
        identifiers_of(unit * 20_000)
        assert time.process_time() - start < 1, unit


@pytest.mark.parametrize(
    "written",
    [
        "https://www.Kalinga.example", "http://kalinga.co.in/", "https://t.me/kalinga", "kalinga.in/jobs", "Kalinga@OkBank",
        "9876543210@ybl", "https://facebook.com/kalinga", "https://emigrate.gov.in", "https://m.kalinga.in",
    ],
)  # fmt: skip
def test_the_quick_way_of_the_index_gives_the_same_form(written: str) -> None:
    """A list's plain web address or UPI id is compared in the form in which a text's is found."""
    kind = IdentifierKind.UPI if "@" in written else IdentifierKind.WEB
    found = identifier(kind, written)
    assert detail_key(kind, written) == (found.value if found else written.casefold())
