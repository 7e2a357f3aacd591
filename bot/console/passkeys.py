"""WebAuthn ceremonies: a challenge goes out, an authenticator signs it, once and within its time.

The browser's answer comes as a field of an ordinary form, so that the console's one guard covers it too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bot.console.auth import Session
from bot.domain.passkeys import CHALLENGE_LASTS, LONGEST_NAME, MOST_PASSKEYS, Challenge, ChallengeFor, Passkey
from bot.ports import Responder

Service = Any
NAME: Final = "Sahyatri"
LONGEST_ANSWER: Final = 20_000
CHALLENGE_BYTES: Final = 32
LOCAL: Final = "localhost"
#: What the library raises at answers that are no answers.
MALFORMED: Final = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


class NotProved(Exception):
    """The answer of an authenticator that does not count, for whatever reason: the person is told only that."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who we are to an authenticator. id: our host name. origin: as the browser writes it."""

    id: str
    origin: str


def party(public_url: str, host: str) -> Party:
    """Return who we are; without a public address passkeys work at http://localhost only, as browsers rule.

    *host*: what the browser asked for, of which only the port counts.
    """
    if not public_url:
        port = host.rpartition(":")[2]
        return Party(LOCAL, f"http://{LOCAL}:{port}" if port.isdigit() else f"http://{LOCAL}")
    url = urlsplit(public_url)
    return Party(url.hostname or "", f"{url.scheme}://{url.netloc}")


class Ceremonies:
    """Gives challenges out and checks what comes back."""

    def __init__(self, service: Service) -> None:
        """Challenges and passkeys are kept in the database, so that any process can finish what another began."""
        self._service = service

    async def begin(self, request: web.Request, purpose: ChallengeFor, session: Session | None) -> dict[str, Any]:
        """Return a challenge's name and what the browser's call needs, as JSON values."""
        person = session.responder.id if session else ""
        bound = self._service.sessions.name(session.token) if session else ""
        name, value = secrets.token_urlsafe(CHALLENGE_BYTES), secrets.token_bytes(CHALLENGE_BYTES)
        challenge = Challenge(name, purpose, value, person, bound)
        await self._service.passkeys.give(challenge, self._service.now() + CHALLENGE_LASTS)
        known = [PublicKeyCredentialDescriptor(bytes.fromhex(key.id)) for key in await self._known(session)]
        us = self._party(request)
        if purpose is ChallengeFor.REGISTER and session:
            options = options_to_json_dict(self._to_register(us, session.responder, value, known))
        else:
            options = options_to_json_dict(
                generate_authentication_options(
                    rp_id=us.id,
                    challenge=value,
                    timeout=int(CHALLENGE_LASTS.total_seconds() * 1000),
                    allow_credentials=known,
                    user_verification=UserVerificationRequirement.REQUIRED,
                )
            )
        return {"challenge": name, "options": options}

    async def _known(self, session: Session | None) -> list[Passkey]:
        """At the login nothing is named: whoever asks must not learn who has which passkey."""
        return list(await self._service.passkeys.of(session.responder.id)) if session else []

    def _to_register(
        self, us: Party, person: Responder, value: bytes, known: list[PublicKeyCredentialDescriptor]
    ) -> Any:  # noqa: ANN401 - the library's options
        return generate_registration_options(
            rp_id=us.id,
            rp_name=NAME,
            user_name=person.id,
            user_id=self._handle(person.id),
            user_display_name=person.name,
            challenge=value,
            timeout=int(CHALLENGE_LASTS.total_seconds() * 1000),
            exclude_credentials=known,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )

    async def register(self, request: web.Request, session: Session, label: str) -> Passkey:
        """Keep a new passkey. Raise `NotProved`."""
        answer, challenge = await self._answer(request, ChallengeFor.REGISTER, session)
        us = self._party(request)
        try:
            made = verify_registration_response(
                credential=answer,
                expected_challenge=challenge.value,
                expected_rp_id=us.id,
                expected_origin=us.origin,
                require_user_verification=True,
            )
        except MALFORMED as error:
            raise NotProved(type(error).__name__) from error
        person, now = session.responder.id, self._service.now()
        name = " ".join(label.split())[:LONGEST_NAME] or NAME
        key = Passkey(made.credential_id.hex(), person, name, made.credential_public_key, made.sign_count, now)
        if len(await self._service.passkeys.of(person)) >= MOST_PASSKEYS or not await self._service.passkeys.add(key):
            raise NotProved("too many, or known already")
        return key

    async def prove(self, request: web.Request, purpose: ChallengeFor, session: Session | None) -> Passkey:
        """Return the passkey whose owner has just shown that they hold it and are who they are. Raise `NotProved`."""
        answer, challenge = await self._answer(request, purpose, session)
        us = self._party(request)
        try:
            credential = parse_authentication_credential_json(answer)
            handle = credential.response.user_handle
            key: Passkey | None = await self._service.passkeys.get(bytes(credential.raw_id).hex())
            if not key or (session and key.person != session.responder.id):
                raise NotProved("not a passkey of this person")
            if handle and bytes(handle) != self._handle(key.person):
                raise NotProved("another person's name")
            found = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge.value,
                expected_rp_id=us.id,
                expected_origin=us.origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.count,
                require_user_verification=True,
            )
        except MALFORMED as error:
            raise NotProved(type(error).__name__) from error
        if not await self._service.passkeys.used(key, found.new_sign_count, self._service.now()):
            raise NotProved("used by somebody else at the same time")
        return key

    async def _answer(
        self, request: web.Request, purpose: ChallengeFor, session: Session | None
    ) -> tuple[str, Challenge]:
        """Return the browser's answer and the challenge it is for, which is used up by this."""
        form = await request.post()
        answer, name = str(form.get("answer", "")), str(form.get("challenge", ""))[:100]
        challenge: Challenge | None = await self._service.passkeys.take(name, purpose, self._service.now())
        bound = self._service.sessions.name(session.token) if session else ""
        if not challenge or challenge.session != bound or not 0 < len(answer) <= LONGEST_ANSWER:
            raise NotProved("no challenge is out for this")
        return answer, challenge

    def _party(self, request: web.Request) -> Party:
        return party(self._service.config.public_url, request.host)

    def _handle(self, person: str) -> bytes:
        """Return the name by which an authenticator knows a person: it says nothing to who reads it there."""
        return bytes.fromhex(self._service.sealer.blind("passkey", person))
