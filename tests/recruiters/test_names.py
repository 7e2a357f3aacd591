"""Names: one key space for scripts, initials, legal forms and fillers."""

from __future__ import annotations

import pytest

from bot.recruiters.index import same_name
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
