"""Identifiers in what people write: found by their form alone, in any script, and brought to one normal form.

Nothing is guessed: a name is never taken from prose, and a row of digits is an account only beside a word that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bot.domain import text as forms
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.recruiters.extract import LONGEST, email_key, extract, licence_key, phone_key

_LONGEST_VALUE: Final = 120
_LEAST_LICENCE: Final = 4
#: Licences in prose: fewer letters or digits and it may be a date or a wage ("on 12-10-2026", "rs 15000/month/head").
_LEAST_LETTERS: Final = 4
_LEAST_DIGITS: Final = 8
_LEAST_PHONE: Final = 8
_MOST_PHONE: Final = 15
_BREAK: Final = " | "
_PART: Final = r"[a-z0-9\-]{1,63}"
_EMAIL: Final = re.compile(rf"(?<![a-z0-9._%+\-])[a-z0-9._%+\-]{{1,64}}@{_PART}(?:\.{_PART}){{1,4}}")
#: `name@bank`: what follows the sign holds no dot, or it would be an e-mail.
_UPI: Final = re.compile(r"(?<![a-z0-9._\-])[a-z0-9][a-z0-9._\-]{1,63}@[a-z][a-z0-9]{1,63}(?![a-z0-9@\-]|\.[a-z0-9])")
#: With spaces around the sign only for handles that are known to be banks.
_SPACED_UPI: Final = re.compile(
    r"(?<![a-z0-9._\-])[a-z0-9][a-z0-9._\-]{1,63} ?@ ?(?:ok(?:axis|sbi|icici|hdfcbank)|ybl|ibl|axl|paytm|upi|apl|sbi"
    r"|pt(?:yes|axis|sbi|hdfc)|axisbank|icici|hdfcbank|kotak|barodampay|pnb|cnrb|unionbank|idfcbank|freecharge|airtel"
    r"|postbank|fam|jio|slice|waaxis|wahdfcbank|waicici|wasbi|yescred|naviaxis|superyes|ikwik|jupiteraxis)(?![a-z0-9@.\-])"
)
_MOBILE_UPI: Final = re.compile(r"[6-9][0-9]{9}")
_LINK: Final = re.compile(
    r"(?<![a-z0-9.@\-])(https?://|www\.)?"
    rf"((?:{_PART}\.){{1,4}}[a-z]{{2,24}}|(?<=://)[^\s/?#|]{{1,120}})(?::[0-9]{{1,5}})?(/[^\s|<>\"']{{0,400}}|[?#][^\s|<>\"']{{0,400}})?"
)
#: Endings that make a link of bare words; the second row, also words of our languages, only with a path behind them.
_ENDINGS: Final = (
    "com",
    "in",
    "org",
    "net",
    "info",
    "biz",
    "online",
    "site",
    "website",
    "xyz",
    "app",
    "ae",
    "qa",
    "kw",
)
_WORDY_ENDINGS: Final = (
    "me",
    "us",
    "my",
    "link",
    "top",
    "live",
    "co",
    "ly",
    "gl",
    "gy",
    "ee",
    "gle",
    "be",
    "gg",
    "page",
)
#: "B.Com" is a degree.
_LEAST_LABEL: Final = 2
#: Our own authorities' sites say nothing about a recruiter.
_OFFICIAL: Final = (".gov.in", ".nic.in", ".gov", ".ac.in", ".edu")
_PHONE_HOSTS: Final = frozenset({"wa.me", "api.whatsapp.com", "web.whatsapp.com"})
#: Many people share these: only with the path do they tell who. Host → how many parts of the path, and its one name.
_SHARED: Final[dict[str, tuple[int, str]]] = {
    "t.me": (1, "t.me"), "telegram.me": (1, "t.me"), "telegram.dog": (1, "t.me"),
    "instagram.com": (1, "instagram.com"), "instagr.am": (1, "instagram.com"), "facebook.com": (1, "facebook.com"),
    "fb.com": (1, "facebook.com"), "fb.me": (1, "fb.me"), "m.me": (1, "facebook.com"),
    "threads.net": (1, "threads.net"), "x.com": (1, "x.com"), "twitter.com": (1, "x.com"),
    "youtube.com": (2, "youtube.com"), "youtu.be": (1, "youtu.be"), "linkedin.com": (2, "linkedin.com"),
    "snapchat.com": (2, "snapchat.com"), "sharechat.com": (2, "sharechat.com"),
    "chat.whatsapp.com": (1, "chat.whatsapp.com"), "whatsapp.com": (2, "whatsapp.com"), "bit.ly": (1, "bit.ly"),
    "tinyurl.com": (1, "tinyurl.com"), "cutt.ly": (1, "cutt.ly"), "rb.gy": (1, "rb.gy"), "goo.gl": (2, "goo.gl"),
    "t.ly": (1, "t.ly"), "linktr.ee": (1, "linktr.ee"), "forms.gle": (1, "forms.gle"),
    "maps.app.goo.gl": (1, "maps.app.goo.gl"), "docs.google.com": (4, "docs.google.com"),
    "drive.google.com": (4, "drive.google.com"), "g.page": (2, "g.page"), "sites.google.com": (2, "sites.google.com"),
    "olx.in": (3, "olx.in"), "quikr.com": (3, "quikr.com"), "justdial.com": (3, "justdial.com"),
    "indiamart.com": (1, "indiamart.com"), "naukri.com": (2, "naukri.com"), "indeed.com": (2, "indeed.com"),
    "apna.co": (3, "apna.co"), "discord.gg": (1, "discord.gg"), "pinterest.com": (1, "pinterest.com"),
}  # fmt: skip
#: Whole companies: a link there tells nothing.
_NOBODY: Final = frozenset({"google.com", "google.co.in", "gmail.com", "yahoo.com", "wikipedia.org", "play.google.com"})
#: First parts of a path that are rooms, not names: the part behind them belongs to it.
_ROOMS: Final = frozenset({"joinchat", "s", "c", "share", "groups", "pages", "people", "p", "reel"})
_PROFILE_ID: Final = re.compile(r"[?&]id=([0-9]{5,20})")
_PHONE_IN_LINK: Final = re.compile(r"/(?:\+|%2b)?([0-9]{8,15})(?![0-9])|[?&]phone=(?:\+|%2b)?([0-9]{8,15})(?![0-9])")
_STATES: Final = (
    "an|ap|ar|as|br|cg|ch|dd|dl|dn|ga|gj|hp|hr|jh|jk|ka|kl|la|ld|mh|ml|mn|mp|mz|nl|od|or|pb|py|rj|sk|tg|tn|tr|ts"
    "|ua|uk|up|wb"
)
_GAP: Final = r"[ .\-]{0,2}"
_PLATE: Final = re.compile(
    rf"(?<![a-z0-9])({_STATES}){_GAP}([0-9]{{1,2}}){_GAP}([a-z]{{1,3}}){_GAP}([0-9]{{4}})(?![a-z0-9]|[/\\_\-][a-z0-9])"
)
_BH_PLATE: Final = re.compile(rf"(?<![a-z0-9])([0-9]{{2}}){_GAP}bh{_GAP}([0-9]{{4}}){_GAP}([a-z]{{1,2}})(?![a-z0-9])")
_DIGITS: Final = re.compile(r"(?<![0-9])[0-9](?:[ \-]?[0-9]){8,17}(?![ \-]?[0-9])")
_IFSC: Final = re.compile(r"(?<![a-z0-9])[a-z]{4}0[a-z0-9]{6}(?![a-z0-9])")
#: The ten digits of a railway booking are no phone.
_TICKET: Final = re.compile(r"(?<![a-z])pnr[^0-9|\n]{0,12}[0-9]{10}(?![0-9])")
#: Never an account: mobile numbers however prefixed, and toll-free ones.
_CALLABLE: Final = re.compile(r"(?:91|0|091|0091)?[6-9][0-9]{9}|1(?:800|860)[0-9]{6,7}")
#: Words, folded to one Latin form of all scripts, that say what the number beside them is.
_ACCOUNT_WORDS: Final = frozenset({
    "account", "acount", "acct", "act", "acc", "akaunt", "ekaunt", "akaont", "ajakaunt", "akavunt", "acountno", "kata",
    "kate", "katu", "kat", "katedar", "kanaku", "ifsc", "aiefaisi", "hisab",
})  # fmt: skip
_ACCOUNT_STARTS: Final = ("akaunt", "kanak", "katal", "katam", "acount", "akavunt")
_OTHER_WORDS: Final = frozenset({
    "fon", "fone", "pon", "mobail", "mobile", "mob", "vhatsap", "vhatsaip", "adar", "atar", "pan", "otp", "pin",
    "landline", "tel", "telefone", "helpline", "epic", "pasport", "invoice", "order", "ref", "utr",
})  # fmt: skip
_BEFORE: Final = 48
_BEHIND: Final = 24


def identifiers_of(text: str) -> tuple[Identifier, ...]:
    """Return every identifier that *text* holds, each once; what stands after 4,000 characters is not read."""
    rest = "\n".join(forms.normalise(line) for line in text[:LONGEST].splitlines())
    found: list[Identifier] = []
    for kind, pattern in (
        (IdentifierKind.EMAIL, _EMAIL),
        (IdentifierKind.UPI, _UPI),
        (IdentifierKind.UPI, _SPACED_UPI),
    ):
        for written in pattern.findall(rest):
            found += _address(kind, written)
        rest = pattern.sub(_BREAK, rest)
    for match in _LINK.finditer(rest):
        found += _link(*match.groups(default=""))
    rest = _LINK.sub(_without_link, rest)
    found += [_plate(match) for match in _PLATE.finditer(rest)]
    found += [_bh_plate(match) for match in _BH_PLATE.finditer(rest)]
    rest = _BH_PLATE.sub(_BREAK, _PLATE.sub(_BREAK, rest))
    rest = _IFSC.sub(" ifsc ", _TICKET.sub(_BREAK, rest))
    licences = tuple(key for key in extract(rest).licences if _is_telling(key))
    found += [Identifier(IdentifierKind.LICENCE, key) for key in licences]
    accounts, rest = _accounts(rest, licences)
    found += [Identifier(IdentifierKind.ACCOUNT, digits) for digits in accounts]
    found += [Identifier(IdentifierKind.PHONE, key) for key in extract(rest).phones]
    return _unique(found)


def identifier(kind: IdentifierKind, typed: str) -> Identifier | None:
    """Return what a responder typed as an identifier of *kind*, or None when it cannot be one."""
    plain = forms.normalise(typed[:_LONGEST_VALUE])
    if kind is IdentifierKind.ALIAS:
        alias = Identifier(kind, plain)
        return alias if alias.key else None
    if kind is IdentifierKind.LICENCE:
        key = licence_key(plain)
        return Identifier(kind, key) if len(key) >= _LEAST_LICENCE else None
    if kind is IdentifierKind.ACCOUNT:
        digits = forms.digits_of(plain)
        usable = _DIGITS.fullmatch(digits) and not _CALLABLE.fullmatch(digits)
        return Identifier(kind, digits) if usable else None
    if kind is IdentifierKind.PHONE:
        usable = _LEAST_PHONE <= len(forms.digits_of(plain)) <= _MOST_PHONE
        return Identifier(kind, phone_key(plain)) if usable else None
    return next((found for found in identifiers_of(plain) if found.kind is kind), None)


def is_own_domain(host: str) -> bool:
    """Say whether a domain names one recruiter by itself; many share t.me or facebook.com, and nobody is google.com."""
    return not (host in _SHARED or host in _PHONE_HOSTS or host in _NOBODY or host.endswith(_OFFICIAL))


def _address(kind: IdentifierKind, written: str) -> Iterable[Identifier]:
    """A UPI id that is a mobile number also tells the number: banks give it only to whoever holds the phone."""
    written = written.replace(" ", "").strip(".-")
    yield Identifier(kind, email_key(written))
    name = written.partition("@")[0]
    if kind is IdentifierKind.UPI and _MOBILE_UPI.fullmatch(name):
        yield Identifier(IdentifierKind.PHONE, name)


def _link(scheme: str, host: str, path: str) -> Iterable[Identifier]:
    """The domain; for a place that many share, the path that tells who; for a chat link with a number, the phone."""
    host = host.rstrip(".").removeprefix("www.").removeprefix("m.")
    if not _is_link(scheme, host, path):
        return
    number = _PHONE_IN_LINK.search(path)
    if number and (host in _PHONE_HOSTS or (_SHARED.get(host, (0, ""))[1] == "t.me" and path.startswith("/+"))):
        yield Identifier(IdentifierKind.PHONE, phone_key(number.group(1) or number.group(2)))
        return
    if host in _NOBODY or host.endswith(_OFFICIAL) or host in {"gov.in", "nic.in"}:
        return
    if host not in _SHARED and host not in _PHONE_HOSTS:
        yield Identifier(IdentifierKind.WEB, host)
        return
    depth, name = _SHARED.get(host, (2, host))
    if tail := _tail(path, depth):
        yield Identifier(IdentifierKind.WEB, f"{name}/{tail}"[:_LONGEST_VALUE])


def _is_link(scheme: str, host: str, path: str) -> bool:
    if "." not in host or scheme or host in _SHARED:
        return "." in host
    label, ending = host.split(".")[-2:]
    if len(label) < _LEAST_LABEL:
        return False
    return ending in _ENDINGS or (ending in _WORDY_ENDINGS and path.startswith("/") and path != "/")


def _tail(path: str, depth: int) -> str:
    if profile := _PROFILE_ID.search(path):
        return profile.group(1)
    stripped = (part.strip(".,;:!)]") for part in re.split(r"[?#]", path)[0].split("/"))
    parts = [part for part in stripped if part]
    if parts[:1] == ["s"]:
        del parts[0]
    if parts and parts[0] in _ROOMS:
        depth += 1
    return "/".join(parts[:depth]).removeprefix("@")


def _without_link(match: re.Match[str]) -> str:
    """Keep bare words with a dot between them: only links go."""
    host = match.group(2).rstrip(".").removeprefix("www.")
    return _BREAK if _is_link(match.group(1) or "", host, match.group(3) or "") else match.group(0)


def _plate(match: re.Match[str]) -> Identifier:
    state, office, series, number = match.groups()
    state = {"or": "od", "ts": "tg", "ua": "uk"}.get(state, state)
    return Identifier(IdentifierKind.VEHICLE, f"{state}{int(office):02d}{series}{number}".upper())


def _bh_plate(match: re.Match[str]) -> Identifier:
    return Identifier(IdentifierKind.VEHICLE, "{}bh{}{}".format(*match.groups()).upper())


def _accounts(text: str, licences: tuple[str, ...]) -> tuple[list[str], str]:
    """Return the account numbers and the text without them."""
    matches = list(_DIGITS.finditer(text))
    accounts, kept, last = [], [], 0
    for at, match in enumerate(matches):
        digits = forms.digits_of(match.group())
        if _CALLABLE.fullmatch(digits) or any(digits in licence for licence in licences):
            continue
        before = text[max(matches[at - 1].end() if at else 0, match.start() - _BEFORE) : match.start()]
        ahead = matches[at + 1].start() if at + 1 < len(matches) else len(text) + _BEFORE + 1
        behind = text[match.end() : min(ahead, match.end() + _BEHIND)]
        if _says_account(_near(before, -1), _near(behind, 0), alone=ahead - match.end() > _BEFORE):
            accounts.append(digits)
            kept.append(text[last : match.start()])
            last = match.end()
    return accounts, _BREAK.join([*kept, text[last:]])


def _says_account(before: str, behind: str, *, alone: bool) -> bool:
    """The nearest word before the number decides; without one, the words behind it, unless another number follows."""
    for word in reversed(_words(before)):
        if word in _OTHER_WORDS:
            return False
        if _is_account_word(word):
            return True
    following = _words(behind)
    return "ifsc" in following or (alone and any(map(_is_account_word, following)))


def _is_account_word(word: str) -> bool:
    return word in _ACCOUNT_WORDS or word.startswith(_ACCOUNT_STARTS)


def _near(text: str, part: int) -> str:
    """Return the part of *text* next to the number, as far as the line or the last thing found."""
    return re.split(r"[|\n]", text)[part]


def _is_telling(licence: str) -> bool:
    digits = sum(char.isdigit() for char in licence)
    return digits >= _LEAST_DIGITS and len(licence) - digits >= _LEAST_LETTERS


def _words(text: str) -> list[str]:
    text = text.replace("a/c", " account ").replace("a / c", " account ")
    return [forms.fold(forms.romanise(token)) for token in forms.tokens(text)]


def _unique(found: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(dict.fromkeys(found))
