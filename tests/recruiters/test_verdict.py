"""Verdicts that a person may act on: nothing that is contradicted or only near is ever called listed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.agencies import Agency, Standing, Verdict
from bot.recruiters.extract import licence_key
from bot.recruiters.index import Index
from bot.recruiters.verdict import check, is_active
from tests.recruiters import LEXICON

TODAY = date(2026, 11, 24)
LATER = date(2028, 1, 1)


def agency(number: int, name: str, standing: Standing = Standing.ACTIVE, **more: object) -> Agency:
    """Return a made-up agency with a licence and a phone that follow from *number*."""
    row = Agency(
        id=str(number), name=name, licence=f"B-{number:04}/SAM/PER/100/5/{9000 + number}/2020", standing=standing,
        valid_until=LATER, place="Patna", phones=(f"00000 {10000 + number * 37}",), source="t",
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


A = agency(1, "Suryodaya Overseas", emails=("office@suryodaya.example",))
B = agency(2, "Himgiri International", place="Kochi")
GONE = agency(3, "Rajhanslok Manpower Services", Standing.CANCELLED)
OLD = agency(4, "Kalpataru Recruiters", valid_until=TODAY - timedelta(days=1))
ILLEGAL = agency(5, "Swapnalok Gulf Jobs", Standing.UNREGISTERED, licence="", phones=("00000 77001",))
ROWS = (A, B, GONE, OLD, ILLEGAL)
INDEX = Index.of(ROWS, LEXICON)


def verdict(query: str, index: Index = INDEX) -> Verdict:
    return check(query, index, TODAY).verdict


@pytest.mark.parametrize(
    "query",
    [
        f"Suryodaya Overseas {B.phones[0]}",
        f"Suryodaya Overseas {B.licence}",
        f"{A.licence} {B.phones[0]}",
        f"Suryodaya Overseas {A.phones[0]} 98765 43210",
        f"Suryodaya Overseas {A.licence} 98765 43210",
        f"Himgiri International {A.licence} {A.phones[0]}",
        f"Ramesh Kumar {A.phones[0]}",
        f"Zylophon Travels {A.licence}",
        f"{A.phones[0]} {B.phones[0]}",
        "Suryodaya Overseas other@suryodaya.example",
        "Suryodaya Overseas Kochi",
        "New Suryodaya Overseas",
        "Suryodaya Overseas Kumar Group",
        "Suryodaya Overseas Pvt Ltd",
        "Suryodaya Overseas 9876 5432",
        "kal ek aadmi aaya tha usne kaha ki naukri dilayega New Suryodaya Overseas se",
        f"kal ek aadmi aaya tha Zylophon Manpower ka, Dubai bhejega, phone {A.phones[0]} par call karna",
        f"kal ek aadmi aaya tha, Suryodaya Overseas ka naam liya, Dubai bhejega, phone {B.phones[0]} par call karna",
    ],
)
def test_a_contradiction_is_a_lookalike(query: str) -> None:
    """One detail that belongs to somebody else, or to nobody known, is enough; what differs is named."""
    found = check(query, INDEX, TODAY)
    assert found.verdict is Verdict.LOOKALIKE
    assert found.matches[0].differs


@pytest.mark.parametrize(
    "query",
    [
        "Suryodaya Overseas", "kya Suryodaya Overseas asli company hai?", "क्या सूर्योदय ओवरसीज सही है", A.licence, A.phones[0],
        f"Suryodaya Overseas, Patna, {A.phones[0]}, {A.licence}", "Suryodaya Overseas office@suryodaya.example",
        "office@suryodaya.example", f"{A.licence} {A.phones[0]}", A.licence.replace("/", "").replace("-", ""),
        f"Ramesh bhai ne Dubai me kaam dilane ko bola hai, company ka naam Suryodaya Overseas hai, phone {A.phones[0]}",
        "Suryodaya Overseas, Himgiri International",
    ],
)  # fmt: skip
def test_what_agrees_in_every_detail_is_listed(query: str) -> None:
    """Name, licence, phone, e-mail and place, alone or together, asked as people ask."""
    found = check(query, INDEX, TODAY)
    assert found.verdict is Verdict.LISTED
    assert found.matches[0].agrees
    assert not found.matches[0].differs


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Rajhanslok Manpower Services", Verdict.LAPSED),
        (GONE.licence, Verdict.LAPSED),
        ("Kalpataru Recruiters", Verdict.LAPSED),
        (OLD.phones[0], Verdict.LAPSED),
        ("Suryodaya Overseas aur Rajhanslok Manpower Services", Verdict.LAPSED),
        ("Swapnalok Gulf Jobs", Verdict.UNREGISTERED),
        ("स्वप्नलोक गल्फ जॉब्स", Verdict.UNREGISTERED),
        ("00000 77001", Verdict.UNREGISTERED),
        ("Suryodaya Overseas 00000 77001", Verdict.UNREGISTERED),
        ("Swapnalok Gulf Jobs 98765 43210", Verdict.UNREGISTERED),
        ("Swapnlok Gulf Jobs", Verdict.LOOKALIKE),
        ("Suryoday Overseas", Verdict.LOOKALIKE),
        ("Suryodaya Oversaes", Verdict.LOOKALIKE),
        ("SuryodayaOverseas", Verdict.LOOKALIKE),
        ("KR Overseas", Verdict.NOT_FOUND),
        ("Ramesh Kumar", Verdict.NOT_FOUND),
        ("overseas manpower", Verdict.NOT_FOUND),
        ("इंटरनेशनल सर्विसेज प्रा. लि.", Verdict.NOT_FOUND),
        ("Pvt Ltd", Verdict.NOT_FOUND),
        ("kya yeh company sahi hai", Verdict.NOT_FOUND),
        ("98765 43210", Verdict.NOT_FOUND),
        ("", Verdict.NOT_FOUND),
        ("🙏 ???", Verdict.NOT_FOUND),
    ],
)
def test_each_verdict(query: str, expected: Verdict) -> None:
    """Warnings come before good news; fillers alone find nothing."""
    assert verdict(query) is expected


RICH = agency(
    6, "Kalinga Placement", emails=("hr@kalinga.example",), webs=("https://www.kalinga-placement.in/jobs",),
    upis=("kalinga@okbank",), address="Plot 14, Janpath Road, Unit 3", place="Bhubaneswar",
)  # fmt: skip
THEIRS = agency(
    7, "Fast Visa Chacha", Standing.UNREGISTERED, licence="", address="Shop 9, Station Bazar Road", place="Patna"
)


@pytest.mark.parametrize(
    ("query", "expected", "agrees"),
    [
        ("hr@kalinga.example", Verdict.LISTED, "email"),
        ("HR@KALINGA.EXAMPLE Kalinga Placement", Verdict.LISTED, "email"),
        ("kalinga-placement.in", Verdict.LISTED, "email"),
        ("http://kalinga-placement.in/apply?x=1", Verdict.LISTED, "email"),
        ("pay to kalinga@okbank", Verdict.LISTED, "upi"),
        ("Kalinga Placement kalinga@okbank", Verdict.LISTED, "upi"),
        ("plot 14 janpath road", Verdict.LOOKALIKE, "address"),
        ("kal wo Plot 14 Janpath Road wale office me bulaya tha, kaam Dubai ka hai bola aur paisa maanga", Verdict.LOOKALIKE, "address"),
        ("Shop 9 Station Bazar Road", Verdict.LOOKALIKE, "address"),
        ("Fast Visa Chacha Shop 9 Station Bazar Road", Verdict.UNREGISTERED, "address"),
    ],
)  # fmt: skip
def test_a_recruiter_is_known_by_every_detail(query: str, expected: Verdict, agrees: str) -> None:
    """Mail, web and UPI name one recruiter; a street alone is never enough to call anybody listed or unregistered."""
    found = check(query, Index.of([A, RICH, THEIRS], LEXICON), TODAY)
    assert found.verdict is expected
    assert agrees in found.matches[0].agrees


@pytest.mark.parametrize(
    ("query", "differs"),
    [
        ("Kalinga Placement other@okbank", "upi"),
        ("Kalinga Placement kalinga-jobs.com", "email"),
        ("Kalinga Placement jobs@other.example", "email"),
        ("Kalinga Placement Patna", "place"),
    ],
)
def test_another_address_under_a_known_name_is_told(query: str, differs: str) -> None:
    found = check(query, Index.of([A, RICH, THEIRS], LEXICON), TODAY)
    assert found.verdict is Verdict.LOOKALIKE
    assert differs in found.matches[0].differs


def test_the_last_day_still_counts_and_no_date_does_not() -> None:
    """Active means active on the day of asking; a row without a date is not called listed."""
    assert verdict("Suryodaya Overseas", Index.of([replace(A, valid_until=TODAY)], LEXICON)) is Verdict.LISTED
    assert verdict("Suryodaya Overseas", Index.of([replace(A, valid_until=None)], LEXICON)) is Verdict.LAPSED
    assert not is_active(replace(A, standing=Standing.SUSPENDED), TODAY)


def test_branches_of_one_licence_count_together() -> None:
    """A branch's phone is the firm's phone; a cancelled branch row taints the licence."""
    branch = replace(A, id="1b", place="Delhi", phones=("00000 55001",))
    both = Index.of([A, branch], LEXICON)
    assert verdict(f"Suryodaya Overseas {branch.phones[0]} {A.phones[0]}", both) is Verdict.LISTED
    tainted = Index.of([A, replace(branch, standing=Standing.CANCELLED)], LEXICON)
    assert verdict(A.phones[0], tainted) is Verdict.LAPSED


def test_two_agencies_of_one_name_are_told_apart_by_a_number() -> None:
    """The name alone gives the warning; with its own licence number the active one is listed."""
    twin = replace(GONE, name=A.name)
    index = Index.of([A, twin], LEXICON)
    assert verdict(A.name, index) is Verdict.LAPSED
    assert verdict(f"{A.name} {A.licence}", index) is Verdict.LISTED
    assert verdict(f"{A.name} {twin.licence}", index) is Verdict.LAPSED


def test_a_listed_name_that_is_also_on_the_unregistered_list_warns() -> None:
    """Somebody has used that name without registration: the person must hear it."""
    index = Index.of([A, replace(ILLEGAL, name=A.name)], LEXICON)
    assert verdict(A.name, index) is Verdict.UNREGISTERED
    assert verdict(f"{A.name} {A.phones[0]}", index) is Verdict.LISTED


def test_a_name_made_of_fillers_only_is_found_only_whole() -> None:
    """An agency may be called so; half of its words, or their order changed, are nobody's name."""
    index = Index.of([replace(A, name="Global Manpower Services")], LEXICON)
    assert verdict("Global Manpower Services", index) is Verdict.LISTED
    assert verdict("Manpower Services", index) is Verdict.NOT_FOUND
    assert verdict("Services Global Manpower", index) is Verdict.NOT_FOUND


@given(
    st.sampled_from([A, B]),
    st.integers(0, 60),
    st.sampled_from("0123456789"),
    st.sampled_from(["swap", "set", "drop", "add"]),
)
@settings(max_examples=300, deadline=None)
def test_one_wrong_character_in_a_licence_is_never_listed(row: Agency, place: int, digit: str, how: str) -> None:
    """Changed, swapped, lost or added: a look-alike that names the agency, with or without its name."""
    number = row.licence
    digits = [at for at, char in enumerate(number) if char.isdigit()]
    at = digits[place % len(digits)]
    wrong = {
        "set": number[:at] + digit + number[at + 1 :],
        "drop": number[:at] + number[at + 1 :],
        "add": number[:at] + digit + number[at:],
        "swap": number[: at - 1] + number[at] + number[at - 1] + number[at + 1 :],
    }[how]
    if licence_key(wrong) == licence_key(number):
        return
    assert check(wrong, INDEX, TODAY).verdict is not Verdict.LISTED
    assert check(f"{row.name} {wrong}", INDEX, TODAY).verdict is not Verdict.LISTED
    if how == "set":
        found = check(wrong, INDEX, TODAY)
        assert found.verdict is Verdict.LOOKALIKE
        assert row in [match.agency for match in found.matches]


@given(
    st.sampled_from([A, B]),
    st.integers(0, 9),
    st.sampled_from("0123456789"),
    st.sampled_from(["set", "drop", "add", "swap"]),
)
@settings(max_examples=300, deadline=None)
def test_one_wrong_digit_in_a_phone_is_never_listed(row: Agency, at: int, digit: str, how: str) -> None:
    """A number one digit off, too short or too long is "did you mean", never an answer; with the name it differs."""
    number = row.phones[0].replace(" ", "")
    wrong = {
        "set": number[:at] + digit + number[at + 1 :],
        "drop": number[:at] + number[at + 1 :],
        "add": "9" + number[:at] + digit + number[at:],
        "swap": number[: max(at - 1, 0)] + number[at] + number[max(at - 1, 0)] + number[at + 1 :] if at else number,
    }[how]
    if wrong[-10:] == number:
        return
    assert check(wrong, INDEX, TODAY).verdict is not Verdict.LISTED
    if how in {"set", "swap"}:
        found = check(f"{row.name} {wrong}", INDEX, TODAY)
        assert found.verdict is Verdict.LOOKALIKE
        assert "phone" in found.matches[0].differs
        assert check(wrong, INDEX, TODAY).verdict is Verdict.LOOKALIKE


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_check(text: str) -> None:
    """Any text has a verdict, at most five matches, and is not listed unless it carries a listed name or detail."""
    found = check(text, INDEX, TODAY)
    assert len(found.matches) <= 5
    if not any(row.name.split()[0].casefold() in text.casefold() for row in ROWS):
        assert found.verdict is not Verdict.LISTED
    assert (found.verdict is Verdict.NOT_FOUND) == (not found.matches)


def test_a_long_paste_does_not_hold_up_the_others() -> None:
    """The longest text that is read takes well under half a second of one core."""
    index = Index.of(ROWS, LEXICON)
    start = time.process_time()
    check("Suryodya overseas me kaam hai Himgiri manpower " * 200, index, TODAY)
    assert time.process_time() - start < 0.5
