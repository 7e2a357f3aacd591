"""Several cases at once: each by the rules of one, and the page that says what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.scope import colleagues, sees
from bot.console.views import Views
from bot.domain.cases import Case, IllegalTransition, Outcome
from bot.domain.roles import Role
from bot.domain.tasks import OpenTasks
from bot.ports import NotOwner

Service = Any
LONGEST_TEXT: Final = 2000
#: Cases that one form may change.
MOST_AT_ONCE: Final = 50
FIELDS: Final = ("do", "text", "to", "key", "outcome", "anyway")
#: What a supervisor may also do to a case that is not their own.
ALSO_OF_OTHERS: Final = frozenset({"transfer", "close"})
#: What each refusal of one case is called on the page.
REFUSED: Final[Mapping[type[Exception], str]] = {
    OpenTasks: "open_tasks", NotOwner: "moved_on", IllegalTransition: "moved_on", LookupError: "not_there",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one case. kind: its words, "" for a case that is not shown. why: "" if it was done."""

    id: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks for, and who asks."""

    session: Session
    form: Mapping[str, str]

    @property
    def who(self) -> str:
        """The login of who asks."""
        return self.session.responder.id

    @property
    def key(self) -> str:
        """The name of this wish: the same form sent twice is one; another wish from the same page is another."""
        said = "\n".join(self.form[name] for name in ("text", "to", "outcome"))
        return f"{self.form['key'][:40]}:{self.form['do'][:20]}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    @property
    def outcome(self) -> Outcome | None:
        """How the people fare, None where it was not said."""
        said = self.form["outcome"]
        return Outcome(said) if said in set(Outcome) else None

    def may(self, case: Case) -> bool:
        """Say whether it may be done to this case: one's own; a supervisor gives away and closes others' as well."""
        of_others = self.session.responder.role == Role.SUPERVISOR and self.form["do"] in ALSO_OF_OTHERS
        return case.owner == self.who or of_others


class ManyViews:
    """The route of the form under the queue."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of
        self._verbs: dict[str, Callable[[Case, Asked], Awaitable[Case]]] = {
            "note": self._note, "transfer": self._transfer, "release": self._release, "close": self._close,
        }  # fmt: skip

    async def change_many(self, request: web.Request) -> web.Response:
        """Note, give away, release or close the ticked cases, one after the other; the form again changes nothing."""
        session, posted = self._session(request), await request.post()
        asked = Asked(session, {name: str(posted.get(name, ""))[:LONGEST_TEXT] for name in FIELDS})
        ids = list(dict.fromkeys(str(name)[:64] for name in posted.getall("cases", [])))[:MOST_AT_ONCE]
        found = [await self._one(name, asked) for name in ids]
        if session.responder.role == Role.PARTNER:
            await self._service.people.clear()  # a case may have been taken out of their view at the same moment
        self._service.wake_console.set()
        return self._views.page("queue_done.html", request, session, found=found)

    async def _one(self, name: str, asked: Asked) -> Done:
        case: Case | None = await self._service.cases.get(name)
        if case is None or not sees(asked.session, case):
            return Done(name, "", "not_there")
        again = await self._service.cases.acted(case.id, asked.key)
        why = "" if again else await self._why_not(case, asked) or await self._do(case, asked)
        action = asked.form["do"] if asked.form["do"] in self._verbs else "change"
        await self._views.record(asked.who, action + (" refused" if why else ""), case.id)
        return Done(case.id, self._views.word(f"console.kind.{case.kind.value}", asked.session), why)

    async def _why_not(self, case: Case, asked: Asked) -> str:
        """Return why it may not be done, as the id of words; "" if it may."""
        if asked.form["do"] not in self._verbs or not asked.form["text"].strip():
            return "empty"
        if not asked.may(case):
            return "not_yours"
        return await self._why_not_to(case, asked) if asked.form["do"] == "transfer" else ""

    async def _why_not_to(self, case: Case, asked: Asked) -> str:
        """A colleague who may see this case and has room for one more, where the form does not say: all the same."""
        to = asked.form["to"]
        if to not in await colleagues(self._service, asked.session, case):
            return "no_colleague"
        if case.owner == to:
            return "theirs"
        return "" if asked.form["anyway"] == "yes" or await self._has_room(to) else "limit"

    async def _has_room(self, login: str) -> bool:
        """Counted anew for each case: those given a moment ago count."""
        staff = await self._service.rotas.staff()
        own = next((person.capacity for person in self._service.oncall.rota.people if person.login == login), 0)
        room: int = own or self._service.config.cases_each
        return bool(staff.load.get(login, 0) < room)

    async def _do(self, case: Case, asked: Asked) -> str:
        try:
            await self._verbs[asked.form["do"]](case, asked)
        except tuple(REFUSED) as error:
            return next(why for kind, why in REFUSED.items() if isinstance(error, kind))
        return ""

    async def _note(self, case: Case, asked: Asked) -> Case:
        done: Case = await self._service.respond.note(case, asked.who, asked.form["text"], asked.key)
        return done

    async def _release(self, case: Case, asked: Asked) -> Case:
        done: Case = await self._service.respond.release(case, asked.who, asked.form["text"], asked.key)
        return done

    async def _transfer(self, case: Case, asked: Asked) -> Case:
        form, respond = asked.form, self._service.respond
        verb = respond.transfer if case.owner == asked.who else respond.give
        done: Case = await verb(case, asked.who, form["to"], form["text"], asked.key)
        return done

    async def _close(self, case: Case, asked: Asked) -> Case:
        form = asked.form
        done: Case = await self._service.respond.close(
            case, asked.who, form["text"], asked.key, asked.outcome, owner=case.owner
        )
        return done
