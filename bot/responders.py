"""`sahyatri responders …` and `sahyatri organisations …`: who may come in, from the command line.

Changes made here reach a running service at once: it reads people and organisations at every request, and puts back
within half a minute what somebody may not keep.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

import typer

from bot.config import Config, ConfigError
from bot.console.districts import name_of, read
from bot.domain.roles import Organisation, Role, problem
from bot.options import Run
from bot.ports import Responder, Stamp

Open = Callable[[Config], AbstractAsyncContextManager[Any]]
Service = Any
PASSWORD_BYTES: Final = 12
ROLES: Final = ", ".join(Role)
WRONG: Final = {
    "organisation_id": "a short name of small letters, digits and hyphens, and --name are needed",
    "organisation_labels": "--label: at least one; small letters, digits, hyphens",
}
Login = Annotated[str, typer.Argument(help="login name")]
Role_ = Annotated[str, typer.Option("--role", help=ROLES)]
House = Annotated[str, typer.Option("--organisation", help="the partner organisation's short name, for a partner")]


async def add(service: Service, login: str, name: str, role: str, organisation: str) -> str:
    """Add a person; return their one-time password. Raise `ConfigError`."""
    from bot.console.auth import hash_password  # noqa: PLC0415 - heavy, and not needed by --help

    await check_post(service, role, organisation)
    if await service.responders.get(login):
        raise ConfigError(f"{login} exists already; reset the password in the console under People")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    made = Responder(login, name, role, hash_password(password), must_change=True, organisation=organisation)
    await service.responders.save(made)
    await _record(service, "person added", login, role=role, organisation=organisation)
    return password


async def check_post(service: Service, role: str, organisation: str) -> None:
    """Raise `ConfigError` if there is no such role, or if it and the organisation do not go together."""
    if role not in set(Role):
        raise ConfigError(f"--role {role}: choose one of {ROLES}")
    if (role == Role.PARTNER) != bool(organisation):
        raise ConfigError("--organisation: a partner needs one, nobody else may have one")
    if organisation and not await service.organisations.get(organisation):
        known = ", ".join(one.id for one in await service.organisations.all()) or "none yet"
        raise ConfigError(f"--organisation {organisation}: unknown ({known}); add it with: sahyatri organisations set")


async def change(service: Service, login: str, role: str, organisation: str) -> None:
    """Give somebody another role; their sessions end. Raise `ConfigError`."""
    await check_post(service, role, organisation)
    person = await _person(service, login)
    await service.responders.post(login, role, organisation, active=person.active)
    await _ended(service, "person changed", login, role=role, organisation=organisation, was=person.role)


async def disable(service: Service, login: str) -> None:
    """Shut somebody out; their sessions end. Raise `ConfigError`."""
    person = await _person(service, login)
    await service.responders.post(login, person.role, person.organisation, active=False)
    await _ended(service, "person disabled", login)


async def forget_factors(service: Service, login: str) -> None:
    """Forget passkeys and codes of somebody who has lost them. Raise `ConfigError`."""
    await _person(service, login)
    await service.passkeys.drop(login)
    await service.responders.set_totp(login, "")
    await service.responders.set_recovery(login, ())
    await _ended(service, "second factor reset", login)


async def _ended(service: Service, action: str, login: str, **extra: str) -> None:
    await service.sessions.drop_all(login)
    await _record(service, action, login, **extra)
    await service.people.clear()


async def _person(service: Service, login: str) -> Responder:
    found: Responder | None = await service.responders.get(login)
    if not found:
        known = ", ".join(person.id for person in await service.responders.all())
        raise ConfigError(f"{login}: nobody has this login; there are {known or 'none'}")
    return found


async def set_organisation(
    service: Service, name_id: str, name: str, labels: list[str], districts: list[str]
) -> Organisation:
    """Add or change a partner organisation. Raise `ConfigError`."""
    codes = tuple(dict.fromkeys(read(typed, service.content) for typed in districts))
    unread = [typed for typed in districts if not read(typed, service.content)]
    made = Organisation(name_id, name.strip(), tuple(dict.fromkeys(labels)), codes)
    if unread or problem(made) == "organisation_districts":
        raise ConfigError(
            f"--district {', '.join(unread) or '(none)'}: not found, or found in two States; write for example"
            ' "Patna, Bihar", or "Bihar" for the whole State'
        )
    if wrong := problem(made):
        raise ConfigError(WRONG[wrong])
    await service.organisations.save(made)
    await _record(
        service, "organisation changed", name_id, labels=" ".join(made.labels), districts=", ".join(made.districts)
    )
    await service.people.clear()
    return made


def organisation_line(one: Organisation, service: Service) -> str:
    """Return an organisation in one line."""
    where = "; ".join(name_of(code, service.content) for code in one.districts)
    return f"{one.id}  {one.name}  labels: {', '.join(one.labels)}  districts: {where}"


async def person_line(service: Service, person: Responder) -> str:
    """Return a person in one line."""
    keys = len(await service.passkeys.of(person.id))
    parts = [person.id, person.name, person.role, person.organisation, "" if person.active else "shut out"]
    parts += ["one-time codes" if person.totp_secret else "", f"{keys} passkeys" if keys else ""]
    return "  ".join(part for part in parts if part)


async def _record(service: Service, action: str, about: str, **extra: str) -> None:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = "command line"
    await service.audit.record(Stamp(f"cli:{who}", action, about, extra=extra), service.now())


def add_commands(people: typer.Typer, organisations: typer.Typer, run: Run, opened: Open) -> None:
    """Add the commands to their groups; *run* and *opened* are the command line's own ways to work."""

    def with_service(work: Callable[[Service], Awaitable[None]]) -> None:
        async def whole(config: Config) -> None:
            async with opened(config) as service:
                await work(service)

        run(whole)

    _add_people(people, with_service)
    _add_organisations(organisations, with_service)


def _add_people(people: typer.Typer, with_service: Callable[[Callable[[Service], Awaitable[None]]], None]) -> None:
    @people.command("add")
    def responders_add(
        login: Login,
        name: Annotated[str, typer.Option("--name", help="name shown to colleagues")],
        role: Role_ = Role.RESPONDER.value,
        organisation: House = "",
    ) -> None:
        """Add a person with a one-time password, which is printed once."""

        async def work(service: Service) -> None:
            password = await add(service, login, name, role, organisation)
            print(f"{login} / {password}   (one-time password: it must be changed at the first login)")

        with_service(work)

    @people.command("list")
    def responders_list() -> None:
        """Say who may come in, as what, and with which second factor."""

        async def work(service: Service) -> None:
            for person in await service.responders.all():
                print(await person_line(service, person))

        with_service(work)

    @people.command("change")
    def responders_change(
        login: Login, role: Annotated[str, typer.Option("--role", help=ROLES)], organisation: House = ""
    ) -> None:
        """Give somebody another role or organisation; their sessions end."""
        with_service(lambda service: change(service, login, role, organisation))

    @people.command("disable")
    def responders_disable(login: Login) -> None:
        """Shut somebody out; their sessions end and their cases go back into the queue."""
        with_service(lambda service: disable(service, login))

    @people.command("forget-factors")
    def responders_forget_factors(login: Login) -> None:
        """Forget the passkeys and codes of somebody who has lost them; their sessions end."""
        with_service(lambda service: forget_factors(service, login))


def _add_organisations(
    organisations: typer.Typer, with_service: Callable[[Callable[[Service], Awaitable[None]]], None]
) -> None:
    @organisations.command("set")
    def organisations_set(
        name_id: Annotated[str, typer.Argument(help="short name: small letters, digits, hyphens")],
        name: Annotated[str, typer.Option("--name", help="full name")],
        label: Annotated[list[str], typer.Option("--label", help="a label whose cases it may see; may be repeated")],
        district: Annotated[
            list[str], typer.Option("--district", help='"Patna, Bihar", or "Bihar" for all of it; may be repeated')
        ],
    ) -> None:
        """Add or change a partner organisation with its labels and districts."""

        async def work(service: Service) -> None:
            print(organisation_line(await set_organisation(service, name_id, name, label, district), service))

        with_service(work)

    @organisations.command("list")
    def organisations_list() -> None:
        """Say which partner organisations there are and what they may see."""

        async def work(service: Service) -> None:
            for one in await service.organisations.all():
                print(organisation_line(one, service))

        with_service(work)
