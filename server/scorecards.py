"""A scorecard as it is computed: lines that say how far it is, and last the scorecard itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from langgraph.store.base import BaseStore

from personaagent.core.errors import Conflict, PersonaAgentError
from personaagent.nodes.dependencies import Dependencies
from personaagent.scorecard.run_scorecard import compute_scorecard
from personaagent.scorecard.scorecard import Scorecard
from personaagent.server.errors import sentence

_going_on: set[str] = set()
"""Whose is being computed in this process: a second at once would pay for the same simulations."""


async def scorecard_lines(
    deps: Dependencies, store: BaseStore, user_id: str, limit: int
) -> AsyncIterator[bytes]:
    """``{"done": 3, "of": 20}`` for each episode, then ``{"scorecard": ...}``; or, where it fails
    after the first of them, ``{"detail": ...}``.

    It is given up when nobody reads on; what was simulated is kept for the next time.

    Raises:
        Conflict: one is being computed for this user.
        NothingLabelled, ConfigurationError, ServiceError, DataError: nothing was tested.
    """
    if user_id in _going_on:
        raise Conflict("A scorecard of yours is being computed already: wait until that has ended.")
    _going_on.add(user_id)
    done = 0
    steps: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    work: asyncio.Task[Scorecard] = asyncio.create_task(
        compute_scorecard(
            deps, store, user_id, limit, lambda n, of: steps.put_nowait({"done": n, "of": of})
        )
    )
    work.add_done_callback(lambda _: steps.put_nowait(None))
    try:
        while step := await steps.get():
            done += 1
            yield _line(step)
        yield _line({"scorecard": (await work).stored()})
    except PersonaAgentError as error:
        if not done:
            raise
        yield _line({"detail": sentence(error)})
    finally:
        work.cancel()
        _going_on.discard(user_id)


def _line(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
