"""A scorecard while it is computed: lines of progress, then the scorecard itself."""

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

_computing: set[str] = set()
"""Users whose scorecard this process computes now: a second one would pay for the same simulations."""


async def scorecard_lines(
    deps: Dependencies, store: BaseStore, user_id: str, limit: int
) -> AsyncIterator[bytes]:
    """``{"done": 3, "of": 20}`` for each episode, then ``{"scorecard": ...}``, or ``{"detail": ...}``
    if it fails after the first line.

    The computation stops when the caller stops reading; the next one reuses its simulations.

    Raises:
        Conflict: one is being computed for this user.
        NothingLabelled, ConfigurationError, ServiceError, DataError: nothing was tested.
    """
    if user_id in _computing:
        raise Conflict("A scorecard of yours is being computed already: wait until that has ended.")
    _computing.add(user_id)
    lines_sent = 0
    progress: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    computation: asyncio.Task[Scorecard] = asyncio.create_task(
        compute_scorecard(
            deps, store, user_id, limit, lambda n, of: progress.put_nowait({"done": n, "of": of})
        )
    )
    computation.add_done_callback(lambda _: progress.put_nowait(None))
    try:
        while step := await progress.get():
            lines_sent += 1
            yield _line(step)
        yield _line({"scorecard": (await computation).stored()})
    except PersonaAgentError as error:
        if not lines_sent:
            raise
        yield _line({"detail": sentence(error)})
    finally:
        computation.cancel()
        _computing.discard(user_id)


def _line(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
