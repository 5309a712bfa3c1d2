"""Our own HTTP routes, served beside LangGraph's by whatever server runs ``langgraph.json``."""

from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from personaagent.server.caller import user_of
from personaagent.server.error_handlers import install
from personaagent.server.errors import answers
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

mine = APIRouter(
    max_body_size=BODY_BYTES,
    dependencies=[Depends(user_of)],
    responses=answers(400, 401, 413, 422, 500, 503),
)
"""All that is a user's: nobody gets further without being one."""
for each in (me, persona, profile, episodes, exchange, alignments, scorecard):
    mine.include_router(each.router)

app = FastAPI(
    title="PersonaAgent",
    summary="The memory and the persona of the user who calls.",
    version=version("personaagent"),
    # Its spans and logs hold paths, queries and errors, which no setting of traces would cover.
    telemetry={"tracing": False, "logs": False},
)
app.include_router(mine)
app.include_router(operation.router)
install(app)
