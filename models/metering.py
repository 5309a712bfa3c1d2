"""Who pays for model calls: each is reserved before it is made, and settled once its cost is known.

A node says who pays (``metered``); ``invoke_model`` does the rest, so that no call goes around it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from langchain_core.messages import AIMessage, BaseMessage

from personaagent.core.records import RoleUsage
from personaagent.core.settings import Role
from personaagent.core.tokens import estimate_tokens
from personaagent.models.usage import usage_of

Count = Callable[[AIMessage], None]
"""Says what the answer was."""
EXPECTED_ANSWER = 256
"""Tokens that a call under way counts for its answer."""


class Meter(Protocol):
    """A budget that model calls are paid from."""

    async def reserve(self, expected: RoleUsage) -> None:
        """Set aside what a call is expected to use.

        Raises:
            LimitReached: nothing is left; the call must not be made.
        """
        ...

    async def settle(self, role: Role, expected: RoleUsage, used: RoleUsage) -> None:
        """Replace what was set aside by what the call to ``role`` has used."""
        ...


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter | None) -> Iterator[None]:
    """Let ``meter`` pay for the model calls in this block, unless somebody pays for them already."""
    token = _meter.set(_meter.get() or meter)
    try:
        yield
    finally:
        _meter.reset(token)


@asynccontextmanager
async def metered_call(
    role: Role, messages: Sequence[BaseMessage], calls: int
) -> AsyncIterator[Count]:
    """Pay for an answer that takes so many ``calls`` at most.

    The caller passes the answer to the function that it gets.
    A call without an answer costs nothing, except one that was cancelled: nobody knows how much of it
    the endpoint has done.

    Raises:
        LimitReached: see ``Meter.reserve``.
    """
    meter = _meter.get()
    if meter is None:
        yield lambda _: None
        return
    read = sum(estimate_tokens(message.text) for message in messages)
    expected = RoleUsage(llm_calls=calls, input_tokens=read * calls, output_tokens=EXPECTED_ANSWER)
    used = RoleUsage()

    def count(answer: AIMessage) -> None:
        nonlocal used
        used = _counted(answer, read)

    await meter.reserve(expected)
    try:
        yield count
    except asyncio.CancelledError:
        used = expected
        raise
    finally:
        await asyncio.shield(meter.settle(role, expected, used))


def _counted(answer: AIMessage, read: int) -> RoleUsage:
    """What the answer cost; tokens are estimated where the endpoint does not count them."""
    usage = usage_of(answer)
    if answer.usage_metadata:
        return usage
    written = estimate_tokens(answer.text)
    return usage.model_copy(update={"input_tokens": read, "output_tokens": written})
