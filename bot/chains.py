"""`sahyatri audit verify`: whether the audit and every case's history are whole, to the last line that was written."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.app import Service

NUMBERS_SAID = 5


class Broken(Exception):
    """A chain that is not whole; says which and where."""


async def verify(service: Service, noted: str = "") -> AsyncIterator[str]:
    """Check everything; yield what is found, for people. Raise `Broken` after all of it was said.

    noted: the last line as an earlier run printed it, `number:digest`, written down outside of this machine. It finds
    what no key can: a database put back whole to how it was before.
    """
    problems = []
    try:
        chain = await service.audit.chain()
    except ValueError as error:
        problems.append(str(error))
        yield f"audit: {error}"
    else:
        yield f"audit: {chain.count} lines, whole; the last is {chain.count}:{chain.digest}"
        if chain.set_back:
            first = ", ".join(map(str, chain.set_back[:NUMBERS_SAID]))
            yield f"audit: the clock was set back before {len(chain.set_back)} lines, first {first}"
        if chain.made_anew:
            problems.append("a proof was made anew")
            said = ", ".join(map(str, chain.made_anew[:NUMBERS_SAID]))
            yield f"audit: a proof was removed and made anew, which happens once at most; lines {said}"
    if noted and not await _there(service, noted):
        problems.append("the noted line is not there any more")
        yield f"audit: line {noted.partition(':')[0]} is not what was noted"
    ids = await service.cases.every_id()
    broken = [(name, number) for name in ids if (number := await service.cases.broken_at(name))]
    for name, number in broken:
        yield f"case {name}: line {number} of its history was changed, removed, moved or cut off"
    yield f"cases: {len(ids) - len(broken)} of {len(ids)} histories whole"
    if problems or broken:
        raise Broken(f"{len(problems) + len(broken)} chains are not whole; keep the database as it is and ask for help")


async def _there(service: Service, noted: str) -> bool:
    number, _, digest = noted.partition(":")
    line = await service.audit.line(int(number)) if number.isascii() and number.isdigit() else None
    return line["digest"] == digest if line else number == "0"
