"""Names: one key space for scripts, initials, legal forms and fillers."""

from __future__ import annotations

import pytest

from bot.recruiters.index import same_name
from bot.recruiters.names import name_of
from bot.recruiters.sound import distance
from tests.recruiters import LEXICON


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("KKR Overseas", "K. K. R. Oversea's"),
        ("k k r overseas", "K. K. R. Overseas"),
        ("के के आर ओवरसीज", "K. K. R. Overseas"),
        ("Sun Rise Travels", "Sunrise Travel"),
        ("SURYODAYA  overseas", "Suryodaya Overseas"),
        ("Ｓｕｒｙｏｄａｙａ Overseas", "Suryodaya Overseas"),
        ("Suryodaya HR Consultants", "Suryodaya HR Consultants Pvt. Ltd."),
        ("Suryodaya HR Consultants Private Limited", "Suryodaya HR Consultants (P) Pvt Ltd".replace("(P) ", "")),
        ("Himgiri Intl", "Himgiri International"),
        ("हिमगिरी इंटरनेशनल प्रा. लि.", "Himgiri International Pvt Ltd"),
        ("सूर्योदय ओवरसीज", "Suryodaya Overseas"),
        ("नवजीवन मैनपावर सर्विसेज", "Navjeevan Manpower Services"),
        ("Navjeevan Manpower Services", "नवजीवन मैनपावर सर्विसेज"),
        ("Navjeevan Man Power Services", "Navjeevan Manpower Services"),
        ("ಸೂರ್ಯೋದಯ ಓವರ್ಸೀಸ್", "Suryodaya Overseas"),
        ("సూర్యోదయ ఓవర్సీస్ ప్రైవేట్ లిమిటెడ్", "Suryodaya Overseas Pvt Ltd"),
        ("സൂര്യോദയ ഓവർസീസ്", "Suryodaya Overseas"),
        ("સૂર્યોદય ઓવરસીઝ", "Suryoday Overseas"),
        ("ਕੇ ਕੇ ਆਰ ਓਵਰਸੀਜ਼", "K. K. R. Overseas"),
        ("எஸ். ஆர். ஓவர்சீஸ்", "S. R. Overseas"),
        ("কে কে আর ওভারসিজ", "K. K. R. Overseas"),
        ("ब्लूस्टार ओवरसीज", "Bluestar Overseas"),
        ("মহানদী সিকিউরিটি", "Mahanadi Security"),
    ],
)
def test_one_name_in_two_writings_is_the_same(asked: str, known: str) -> None:
    """Script, spacing, initials, case and a legal form left out do not make another name."""
    assert same_name(LEXICON.name(asked), LEXICON.name(known))


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("KR Overseas", "K. K. R. Overseas"),
        ("KKR Travels", "K. K. R. Overseas"),
        ("Suryodya Overseas", "Suryodaya Overseas"),
        ("Udandeep Overseas", "Udaandeep Overseas"),
        ("Suryodaya Overseas Pvt Ltd", "Suryodaya Overseas"),
        ("Suryodaya", "Suryodaya Overseas"),
        ("Suryodaya Placement", "Suryodaya Overseas"),
        ("Kumar Raj Overseas", "Raj Kumar Overseas"),
        ("Safar 24 Travels", "Safar 25 Travels"),
        ("संजीवनी ओवरसीज", "Sanjeevan Overseas"),
        ("Suryodaya Oversaes", "Suryodaya Overseas"),
        ("overseas manpower", "Manpower Overseas"),
        ("bluestar ovarsiz", "Blustar Overseas"),
        ("جنت ٹریولز", "Janata Travels"),
        ("बीएसएन ओवरसीज", "B. S. M. Overseas"),
        ("", ""),
    ],
)
def test_a_name_that_is_only_near_is_another(asked: str, known: str) -> None:
    """One letter, one trade word or an added legal form is enough to be somebody else."""
    assert not same_name(LEXICON.name(asked), LEXICON.name(known))


def test_fillers_are_set_apart_not_dropped() -> None:
    """Fillers are kept with what they stand for; the telling word stands alone."""
    name = LEXICON.name("Suryodaya HR Consultancy Pvt Ltd")
    assert len(name.core) == 1
    assert name.trade == ("consultancy", "hr")
    assert name.legal == {"pvt", "ltd"}


def test_a_name_never_runs_over_a_full_stop() -> None:
    """What stands behind a comma, a line's end or a full stop is another thing said; initials keep together."""
    assert len(LEXICON.segments("Himgiri Recruiters, Patna. Overseas jobs | K. K. R. Overseas")) == 4


@pytest.mark.parametrize(
    ("written", "core", "trade"),
    [
        ("जेएमडी एंटरप्राइजेज", ("jmd",), ("enterprise",)),
        ("ഏബിസി ഇന്റർനാഷണൽ", ("abc",), ("international",)),
        ("suryoday internationel", ("suriodai",), ("international",)),
        ("suryodayoverseas", ("suriodai",), ("overseas",)),
        ("5uryoday 0verseas", ("suriodai",), ("overseas",)),
        ("Suryoday rnanpower", ("suriodai",), ("manpower",)),
    ],
)
def test_what_was_meant_is_guessed_and_only_guessed(
    written: str, core: tuple[str, ...], trade: tuple[str, ...]
) -> None:
    """Run together, misspelt or misread: mending finds the words, and the name as it stands does not claim them."""
    words = LEXICON.words(written)
    mended = name_of(LEXICON.mended(words))
    assert (mended.core, mended.trade) == (core, trade)
    assert name_of(words) != mended


@pytest.mark.parametrize(
    ("left", "right", "script", "near"),
    [
        ("makanati", "mahanadi", "Taml", True),
        ("bisvakarma", "visvakarma", "Beng", True),
        ("surioday", "suriodayi", "", False),
        ("kaveri", "koiri", "Arab", True),
        ("ramesvar", "ganesvar", "Deva", False),
        ("garden", "gadren", "", True),
    ],
)
def test_errors_that_people_make_cost_less(left: str, right: str, script: str, *, near: bool) -> None:
    """What a script cannot write costs nothing; a consonant that is simply another costs a whole letter; it is symmetric."""
    cost = distance(left, right, script, 9)
    assert (cost <= (0.3 if script else 1.0)) == near or (script == "" and cost == pytest.approx(0.6))
    assert distance(right, left, script, 9) == pytest.approx(cost)
    assert distance(left, left, script, 0) == 0
