"""Our own HTTP routes, served beside LangGraph's by whatever server runs ``langgraph.json``."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from personaagent.core.errors import PersonaAgentError
from personaagent.server.auth import tokens
from personaagent.server.current_user import user_of
from personaagent.server.errors import answers, install
from personaagent.server.graphs import dependencies
from personaagent.server.limits import BODY_BYTES
from personaagent.server.routes import (
    alignments,
    episodes,
    exchange,
    me,
    operation,
    persona,
    profile,
    scorecard,
)

log = logging.getLogger(__name__)

STARTUP_FAILED = 3
"""The exit code that servers end with when an application does not start."""
ABOUT_THE_USER: dict[str, Any] = {
    "dependencies": [Depends(user_of)],
    "responses": answers(400, 401, 413, 422, 500, 503),
}
"""What all routes about a user share: nobody gets further without being one."""


def _routes() -> APIRouter:
    router = APIRouter()
    limited = APIRouter(max_body_size=BODY_BYTES, **ABOUT_THE_USER)
    for each in (me, persona, profile, episodes, alignments, scorecard):
        limited.include_router(each.router)
    router.include_router(limited)
    router.include_router(exchange.router, **ABOUT_THE_USER)  # an import has a limit of its own
    router.include_router(operation.router)
    return router


@asynccontextmanager
async def _check_settings(_: FastAPI) -> AsyncIterator[None]:
    """End the start, rather than every request, where a setting is wrong."""
    try:
        await dependencies.aget()
        await tokens.aget()
    except PersonaAgentError as error:
        log.critical("The server cannot start: %s", error)
        raise SystemExit(STARTUP_FAILED) from None
    yield


app = FastAPI(
    title="PersonaAgent",
    summary="The memory and the persona of the user who calls.",
    version=version("personaagent"),
    lifespan=_check_settings,
    # Its spans and logs hold paths, queries and errors, which no setting of traces would cover.
    telemetry={"tracing": False, "logs": False},
)
app.include_router(_routes())
install(app)
