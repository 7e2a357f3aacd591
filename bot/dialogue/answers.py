"""Replies by purpose: which message, which values, which choices. Ids only; the words are content."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.content.model import AREAS, NONE_APPLIES, Content, Fact, Topic
from bot.dialogue.knowledge import Knowledge
from bot.domain.agencies import AgencyList, Check, Match, Verdict
from bot.domain.messages import ChoiceRef, Lane, Reply
from bot.domain.private import Private
from bot.domain.risk import Risk

PAGE = 7
MENU = ChoiceRef("c:menu", "core.menu.label")
PERSON = ChoiceRef("c:person", "core.person.label")
HELP_NOW = ChoiceRef("c:help", "core.help_now.label")
CHECK = ChoiceRef("c:check", "verify.label")
YES = ChoiceRef("c:yes", "core.yes.label")
NO = ChoiceRef("c:no", "core.no.label")
STALE_AFTER_DAYS = 45
QUERY_SHOWN = 60
ABROAD = frozenset({"distress_abroad"})
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
    draft = (Reply("core.draft_note"),) if content.locales[locale].status == "draft" else ()
    return (Reply("core.notice"), *draft, menu())


def area(name: str, page: int, content: Content) -> Reply:
    """List an area's topics, seven to a page."""
    topics = [topic.id for topic in content.topics.values() if topic.area == name]
    shown = topics[(page - 1) * PAGE : page * PAGE]
    more = (area_choice(name, page + 1),) if len(topics) > page * PAGE else ()
    return Reply(f"area.{name}.intro", choices=(*map(topic_choice, shown), *more, MENU))


def topic(found: Topic, content: Content, locale: str) -> tuple[Reply, ...]:
    """Answer a question: the short answer with its source and date, then what to do now with what else there is."""
    answer = Reply(f"{found.id}.answer")
    source = source_line(found)
    parts = tuple(
        ChoiceRef(f"p:{found.id}:{part}", f"core.{part}.label")
        for part in ("papers", "where")
        if content.words(locale, f"{found.id}.{part}") != NONE_APPLIES
    )
    related = tuple(topic_choice(name) for name in found.related if name in content.topics)[:3]
    return (answer, source, Reply(f"{found.id}.steps", choices=(*parts, *related, PERSON, MENU)))


def source_line(found: Topic) -> Reply:
    """Name the official sources and the oldest date on which one was checked."""
    if not found.facts:
        return Reply("core.unverified")
    names = list(dict.fromkeys(_source(fact) for fact in found.facts))[:3]
    oldest = min(fact.verified_on for fact in found.facts)
    message = "core.source" if all(fact.show == "show" for fact in found.facts) else "core.source_caveat"
    return Reply(message, {"source": "; ".join(names), "date": day(oldest)})


def topic_part(topic_id: str, part: str, content: Content) -> Reply:
    """Show the papers or the places of a topic."""
    related = tuple(topic_choice(name) for name in content.topics[topic_id].related if name in content.topics)[:2]
    back = ChoiceRef(f"t:{topic_id}", f"{topic_id}.title")
    return Reply(f"{topic_id}.{part}", choices=(back, *related, PERSON, MENU))


def helplines() -> Reply:
    """Give the numbers, the emergency ones first."""
    return Reply("find.helplines", choices=(HELP_NOW, PERSON, MENU))


def distress(risk: Risk) -> tuple[Reply, ...]:
    """Answer danger: who to call now, that a trained person is told, what may help while waiting. Leaves first."""
    first = "distress.first_abroad" if risk.kind in ABROAD else "distress.first"
    if risk.minor and risk.kind not in ABROAD:
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
    """Say honestly what the lists hold, and what to ask the recruiter next. Never "safe"."""
    best = check.matches[0] if check.matches else None
    listing = _listing(best, knowledge)
    values = {"query": query.strip()[:QUERY_SHOWN], **(_agency(best) if best else {}), **_list_values(listing)}
    said = [Reply(f"verify.{_variant(check, best)}", values)]
    if listing and listing.sample:
        said.append(Reply("verify.sample"))
    if listing and (today - listing.as_of).days > STALE_AFTER_DAYS:
        said.append(Reply("verify.stale", values))
    abroad = best is None or best.agency.kind == "overseas"
    choices = (CHECK, ChoiceRef("c:report_recruiter", "report.recruiter.label"), PERSON, MENU)
    return (*said, Reply("verify.next" if abroad else "verify.next_india", choices=choices))


def day(value: date) -> str:
    """Write a date as people here read it: 23-11-2026."""
    return value.strftime("%d-%m-%Y")


def values_of(reply: Reply, values: dict[str, str]) -> Reply:
    """Return *reply* with more placeholder values."""
    return replace(reply, values={**reply.values, **values})


def _source(fact: Fact) -> str:
    return fact.source


def _variant(check: Check, best: Match | None) -> str:
    if check.verdict is Verdict.LAPSED and best:
        return f"lapsed_{best.agency.standing.value if best.agency.standing.value != 'active' else 'expired'}"
    return check.verdict.value


def _listing(best: Match | None, knowledge: Knowledge) -> AgencyList | None:
    if best:
        return knowledge.lists.get(best.agency.source)
    return next(iter(knowledge.lists.values()), None)


def _agency(best: Match) -> dict[str, str]:
    found = best.agency
    until = day(found.valid_until) if found.valid_until else "–"
    return {"name": found.name, "licence": found.licence or "–", "place": found.place or "–", "until": until}


def _list_values(listing: AgencyList | None) -> dict[str, str]:
    return {"source": listing.title, "as_of": day(listing.as_of)} if listing else {"source": "–", "as_of": "–"}
