"""Replies by purpose: which message, which values, which choices. Ids only; the words are content."""

from __future__ import annotations

from datetime import date

from bot.content.model import AREAS, NONE_APPLIES, Content, Fact, Topic
from bot.dialogue.knowledge import Knowledge
from bot.domain.agencies import AgencyList, Check, Kind, Match, Verdict
from bot.domain.messages import ChoiceRef, Lane, Reply
from bot.domain.offers import Flag
from bot.domain.private import Private
from bot.domain.risk import Risk

PAGE = 7
MENU = ChoiceRef("c:menu", "core.menu.label")
PERSON = ChoiceRef("c:person", "core.person.label")
HELP_NOW = ChoiceRef("c:help", "core.help_now.label")
CHECK = ChoiceRef("c:check", "verify.label")
YES = ChoiceRef("c:yes", "core.yes.label")
NO = ChoiceRef("c:no", "core.no.label")
LISTEN = ChoiceRef("c:listen", "core.listen.label")
TEXT_ONLY = ChoiceRef("c:text_only", "core.text_only.label")
TRANSLATE = ChoiceRef("c:translate", "core.translate.label")
INDIA = ChoiceRef("c:work_india", "verify.india.label")
ABROAD = ChoiceRef("c:work_abroad", "verify.abroad.label")
REPORT = ChoiceRef("c:report_recruiter", "report.recruiter.label")
AFTER_CHECK = (CHECK, REPORT, PERSON, MENU)
PHONES = ChoiceRef("c:helplines", "find.helplines.label")
NEAR = ChoiceRef("c:near", "near.label")
FINDER = ChoiceRef("c:finder", "finder.label")
LESSONS = ChoiceRef("c:lessons", "lessons.label")
OTHER_STATE = ChoiceRef("c:other_state", "state.label")
#: Areas of which there are small lessons.
TAUGHT = frozenset({"rights", "prevention"})
#: WhatsApp's lists hold ten rows in all.
MOST_CHOICES = 10
#: The numbers that are always told, in this order.
FIRST_LINES = ("emergency_112", "child_1098", "women_181", "railway_139")
ALWAYS = (*FIRST_LINES, "legal_15100", "telemanas_14416", "cyber_1930", "ncw_14490")
STALE_AFTER_DAYS = 45
QUERY_SHOWN = 60
MOST_LISTS_NAMED = 3
#: What to ask next, by what the agencies of a list do.
NEXT: dict[str, str] = {
    Kind.OVERSEAS: "verify.next", Kind.CONTRACTOR: "verify.next_india", Kind.PLACEMENT: "verify.next_placement",
    Kind.SECURITY: "verify.next_security",
}  # fmt: skip
FAR_AWAY = frozenset({"distress_abroad"})
WOMEN = frozenset({"distress_violence", "distress_sexual", "forced_marriage"})


def topic_choice(topic_id: str) -> ChoiceRef:
    """Return the choice that opens a topic."""
    return ChoiceRef(f"t:{topic_id}", f"{topic_id}.title")


def area_choice(area: str, page: int = 1) -> ChoiceRef:
    """Return the choice that lists an area's topics."""
    return ChoiceRef(f"a:{area}:{page}", f"area.{area}.label" if page == 1 else "core.more.label")


def language_choices(content: Content) -> tuple[ChoiceRef, ...]:
    """Return one choice per offered locale, by its own name."""
    return tuple(ChoiceRef(f"l:{code}", text=Private(locale.own_name)) for code, locale in content.locales.items())


def few_languages(content: Content, locale: str) -> tuple[ChoiceRef, ...]:
    """Return the locale in use, those in the same script, the first and the source locale, and a way to all others."""
    script = content.locales[locale].script
    first = next(iter(content.locales))
    near = [code for code, other in content.locales.items() if other.script == script]
    codes = dict.fromkeys((locale, *near, first, "en"))
    refs = (ChoiceRef(f"l:{code}", text=Private(content.locales[code].own_name)) for code in codes)
    return (*refs, ChoiceRef("c:language", "core.language.label"))


def choose_language(content: Content) -> Reply:
    """Ask which language."""
    return Reply("core.choose_language", choices=language_choices(content))


def menu(message: str = "core.menu") -> Reply:
    """Show the menu: danger first, then what people ask most; ten choices at most."""
    areas = tuple(area_choice(area) for area in AREAS)
    tail = (CHECK, ChoiceRef("c:report", "report.label"), PERSON, ChoiceRef("c:language", "core.language.label"))
    return Reply(message, choices=(HELP_NOW, *areas, *tail))


def welcome(content: Content, locale: str) -> tuple[Reply, ...]:
    """Say once what this is, who may read, what must be reported; then the menu."""
    return (Reply("core.notice"), *draft_note(content, locale), menu())


def draft_note(content: Content, locale: str) -> tuple[Reply, ...]:
    """Say that no native reader has checked these words yet, where that is so."""
    return (Reply("core.draft_note"),) if content.locales[locale].status == "draft" else ()


def area(name: str, page: int, content: Content) -> Reply:
    """List an area's topics, seven to a page; the schemes begin with the finder, others end with the small lessons."""
    topics = [topic.id for topic in content.topics.values() if topic.area == name]
    size = PAGE - 1 if name == "schemes" else PAGE
    shown = topics[(page - 1) * size : page * size]
    more = (area_choice(name, page + 1),) if len(topics) > page * size else ()
    finder = (FINDER,) if name == "schemes" else ()
    lessons = (LESSONS,) if name in TAUGHT and page == 1 else ()
    return Reply(f"area.{name}.intro", choices=(*finder, *map(topic_choice, shown), *more, *lessons, MENU))


def topic(
    found: Topic, content: Content, locale: str, notes: tuple[Reply, ...] = (), *, by_state: bool = False
) -> tuple[Reply, ...]:
    """Answer a question: the short answer with its source and date, then what to do now with what else there is.

    *notes* hold in the person's State; *by_state*: there are such notes, but we do not know the State.
    """
    answer = Reply(f"{found.id}.answer")
    return (
        answer,
        *notes,
        source_line(found),
        Reply(f"{found.id}.steps", choices=_topic_choices(found, content, locale, by_state=by_state)),
    )


def _topic_choices(found: Topic, content: Content, locale: str, *, by_state: bool) -> tuple[ChoiceRef, ...]:
    """What else there is, the most useful first; ten in all."""
    parts = tuple(
        ChoiceRef(f"p:{found.id}:{part}", f"core.{part}.label")
        for part in ("papers", "where")
        if content.words(locale, f"{found.id}.{part}") != NONE_APPLIES
    )
    audiences = tuple(ChoiceRef(f"w:{found.id}:{name}", f"audience.{name}.label") for name in found.audiences)
    phones = (ChoiceRef(f"h:{found.id}", "core.phones.label"),) if found.helplines else ()
    state = (ChoiceRef(f"s:{found.id}", "state.label"),) if by_state else ()
    related = tuple(topic_choice(name) for name in found.related if name in content.topics)
    first = (*parts, *audiences, *phones, *state, LISTEN)
    return (*first, *related[: max(MOST_CHOICES - len(first) - 2, 0)], PERSON, MENU)


def source_line(found: Topic) -> Reply:
    """Name the official sources and the oldest date on which one was checked."""
    return sources(found.facts) if found.facts else Reply("core.unverified")


def sources(facts: tuple[Fact, ...]) -> Reply:
    """Name where *facts* come from, at most three, and the oldest date on which one was checked."""
    names = list(dict.fromkeys(_source(fact) for fact in facts))[:3]
    oldest = min(fact.verified_on for fact in facts)
    message = "core.source" if all(fact.show == "show" for fact in facts) else "core.source_caveat"
    return Reply(message, {"source": "; ".join(names), "date": day(oldest)})


def topic_part(topic_id: str, part: str, content: Content) -> Reply:
    """Show the papers or the places of a topic."""
    return Reply(f"{topic_id}.{part}", choices=_back(topic_id, content))


def for_audience(topic_id: str, audience: str, content: Content) -> Reply:
    """Show what is different for women, parents, children, or people who go abroad."""
    return Reply(f"{topic_id}.for_{audience}", choices=_back(topic_id, content))


def topic_phones(topic_id: str, content: Content) -> Reply:
    """Give the phone numbers of a topic, the emergency ones first."""
    own = content.topics[topic_id].helplines
    ordered = (*(line for line in FIRST_LINES if line in own), *(line for line in own if line not in FIRST_LINES))
    return Reply("core.phones", items=tuple(map(_line, ordered)), choices=_back(topic_id, content))


def _back(topic_id: str, content: Content) -> tuple[ChoiceRef, ...]:
    related = tuple(topic_choice(name) for name in content.topics[topic_id].related if name in content.topics)[:2]
    return (topic_choice(topic_id), *related, LISTEN, PERSON, MENU)


def helplines() -> Reply:
    """Give the numbers, the emergency ones first."""
    return Reply("find.helplines", items=tuple(map(_line, ALWAYS)), choices=(HELP_NOW, NEAR, PERSON, MENU))


def _line(helpline: str) -> Reply:
    return Reply(f"helpline.{helpline}")


def distress(risk: Risk) -> tuple[Reply, ...]:
    """Answer danger: who to call now, that a trained person is told, what may help while waiting. Leaves first."""
    first = "distress.first_abroad" if risk.kind in FAR_AWAY else "distress.first"
    if risk.minor and risk.kind not in FAR_AWAY:
        first = "distress.first_child"
    elif risk.kind in WOMEN:
        first = "distress.first_woman"
    elif risk.kind == "distress_self_harm":
        first = "distress.first_self_harm"
    elif risk.kind == "missing_person":
        first = "distress.first_missing"
    wait = Reply(
        f"distress.wait.{risk.kind}", choices=(ChoiceRef("c:fine", "distress.fine.label"),), lane=Lane.DISTRESS
    )
    return (Reply(first, lane=Lane.DISTRESS), wait)


def verdict(check: Check, query: str, knowledge: Knowledge, today: date) -> tuple[Reply, ...]:
    """Say honestly what the lists hold, why, and what to ask the recruiter next. Never "safe"."""
    best = check.matches[0] if check.matches else None
    lists = _listings(best, knowledge)
    values = {"query": query.strip()[:QUERY_SHOWN], **(_agency(best) if best else {}), **_list_values(lists)}
    abroad = best is None or best.agency.kind == Kind.OVERSEAS
    said = [Reply(f"verify.{_variant(check, best)}", values)]
    if best and best.differs and not best.meant and check.verdict is Verdict.LOOKALIKE:
        said.append(Reply("verify.differs", items=tuple(Reply(f"verify.differs.{name}") for name in best.differs)))
    if any(listing.sample for listing in lists):
        said.append(Reply("verify.sample" if abroad else "verify.sample_india"))
    if any((today - listing.as_of).days > STALE_AFTER_DAYS for listing in lists):
        said.append(Reply("verify.stale" if abroad else "verify.stale_india", values))
    return (
        *said,
        next_steps(best.agency.kind) if best else Reply("verify.ask_kind", choices=(INDIA, ABROAD, *AFTER_CHECK)),
    )


def next_steps(kind: str) -> Reply:
    """Say what to ask or do next: other rules hold for work abroad, for agencies, contractors and guards in India."""
    return Reply(NEXT.get(kind, "verify.next"), choices=AFTER_CHECK)


def offer(flags: tuple[Flag, ...], content: Content, *, urgent: bool) -> tuple[Reply, ...]:
    """Tell the warning signs of an offer with what they rest on; without any, that this says nothing."""
    look = (CHECK, topic_choice("recruitment_fees"), topic_choice("before_you_go"), PERSON, MENU)
    if not flags:
        return (Reply("offer.none"), Reply("offer.ask", choices=look))
    found = Reply("offer.found", items=tuple(Reply(f"flag.{flag.id}") for flag in flags))
    rest = sources(tuple(fact for flag in flags for fact in content.flag_facts[flag.id]))
    if urgent:
        return (found, rest, Reply("offer.urgent", choices=(PERSON, HELP_NOW, CHECK, MENU)))
    return (found, rest, Reply("offer.ask", choices=look))


def day(value: date) -> str:
    """Write a date as people here read it: 23-11-2026."""
    return value.strftime("%d-%m-%Y")


def _source(fact: Fact) -> str:
    return fact.source


def _variant(check: Check, best: Match | None) -> str:
    if check.verdict is Verdict.LAPSED and best:
        return f"lapsed_{best.agency.standing.value if best.agency.standing.value != 'active' else 'expired'}"
    if check.verdict is Verdict.LISTED and best and best.agency.kind != Kind.OVERSEAS:
        return "listed_india"
    if check.verdict is Verdict.LOOKALIKE and best and best.meant:
        return f"meant_{best.meant}"
    return check.verdict.value


def _listings(best: Match | None, knowledge: Knowledge) -> tuple[AgencyList, ...]:
    """Return the list that the best match stands on; without a match, all that were looked through."""
    if best:
        found = knowledge.lists.get(best.agency.source)
        return (found,) if found else ()
    return tuple(knowledge.lists.values())


def _agency(best: Match) -> dict[str, str]:
    found = best.agency
    until = day(found.valid_until) if found.valid_until else "–"
    return {"name": found.name, "licence": found.licence or "–", "place": found.place or "–", "until": until}


def _list_values(lists: tuple[AgencyList, ...]) -> dict[str, str]:
    """Name the lists, at most three, and the day of the oldest."""
    if not lists:
        return {"source": "–", "as_of": "–"}
    titles = [listing.title for listing in lists]
    source = "; ".join(titles[:MOST_LISTS_NAMED]) + (" …" if len(titles) > MOST_LISTS_NAMED else "")
    return {"source": source, "as_of": day(min(listing.as_of for listing in lists))}
