"""Our own HTTP routes, served beside LangGraph's by whatever server runs ``langgraph.json``."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from personaagent.core.errors import PersonaAgentError
from personaagent.server import page
from personaagent.server.auth import tokens
from personaagent.server.current_user import current_user
from personaagent.server.data_folder import watching_deletions
from personaagent.server.error_handlers import add_error_handlers
from personaagent.server.errors import error_responses
from personaagent.server.foreign_failures import ForeignFailures
from personaagent.server.graphs import dependencies
from personaagent.server.limits import BODY_BYTES
from personaagent.server.machine_user import MachineUser
from personaagent.server.memory_server import serving_memory
from personaagent.server.nightly_schedule import NightlySchedule
from personaagent.server.nights import nightly_alignment
from personaagent.server.request_checks import RequestChecks
from personaagent.server.request_limits import RequestLimits
from personaagent.server.request_metrics import MeasureRequests, NoteRoute
from personaagent.server.routes import (
    alignments,
    backup,
    budget,
    costs,
    destinations,
    episodes,
    exchange,
    forgettings,
    mcp,
    me,
    openai_chat,
    operation,
    persona,
    profile,
    prompt,
    remembering,
    scorecard,
    sign_in,
    statements,
    threads,
    undo,
)
from personaagent.server.routes import tokens as tokens_route
from personaagent.server.routes.openai_errors import ErrorsOfOpenAI
from personaagent.server.titles import ThreadTitles
from personaagent.server.user_limits import deleting_old_accounts

log = logging.getLogger(__name__)

STARTUP_FAILED = 3
"""The exit code that servers end with when an application does not start."""
OF_THE_USER: dict[str, Any] = {
    "dependencies": [Depends(current_user)],
    "responses": error_responses(400, 401, 413, 422, 429, 500, 503),
}
"""What all routes of a user share: without one, nobody gets further."""


def _routes() -> APIRouter:
    router = APIRouter()
    limited = APIRouter(max_body_size=BODY_BYTES, **OF_THE_USER)
    for module in (
        me,
        persona,
        profile,
        statements,
        episodes,
        forgettings,
        threads,
        undo,
        prompt,
        remembering,
        destinations,
        budget,
        costs,
        alignments,
        scorecard,
        tokens_route,
    ):
        limited.include_router(module.router)
    router.include_router(limited)
    for module in (exchange, backup, mcp):  # these have limits of their own
        router.include_router(module.router, **OF_THE_USER)
    router.include_router(
        openai_chat.router, dependencies=[Depends(current_user)], responses=openai_chat.ERRORS
    )
    for module in (operation, sign_in, page):
        router.include_router(module.router)
    return router


@asynccontextmanager
async def _lifespan(served: FastAPI) -> AsyncIterator[None]:
    """Let a wrong setting end the start, not every request."""
    try:
        settings = (await dependencies.aget()).settings
        await tokens.aget()
        schedule = NightlySchedule(settings)
    except PersonaAgentError as error:
        log.critical("The server cannot start: %s", error)
        raise SystemExit(STARTUP_FAILED) from None
    async with (
        watching_deletions(),
        serving_memory(settings),
        deleting_old_accounts(),
        nightly_alignment(served, settings, schedule),
    ):
        yield


app = FastAPI(
    title="PersonaAgent",
    summary="The memory and the persona of the user who calls.",
    version=version("personaagent"),
    lifespan=_lifespan,
    # FastAPI's spans and logs hold paths, queries and errors, which our trace settings do not cover.
    telemetry={"tracing": False, "logs": False},
)
app.include_router(_routes())
app.add_middleware(NoteRoute)
app.add_middleware(RequestChecks)
app.add_middleware(ForeignFailures)
app.add_middleware(ThreadTitles)
add_error_handlers(app)
app.add_middleware(RequestLimits)
app.add_middleware(MachineUser)
app.add_middleware(ErrorsOfOpenAI)
app.add_middleware(MeasureRequests)
