"""``/me/scorecard``: what persona and memory are worth, in order of time."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies, ServerStore
from personaagent.server.errors import answers
from personaagent.server.scorecards import scorecard_lines
from personaagent.server.streams import LINES, begun

router = APIRouter(prefix="/me/scorecard", tags=["scorecard"])

SOME_LINES: dict[str, Any] = {
    "content": {LINES: {"schema": {"type": "string"}}},
    "description": 'A line an episode, `{"done": 3, "of": 20}`; last `{"scorecard": ...}`, or '
    '`{"detail": ...}` where it failed midway.',
}


@router.post("", response_class=StreamingResponse, responses={200: SOME_LINES, **answers(409)})
async def compute_scorecard(
    mine: CurrentUserMemory,
    deps: ServerDependencies,
    store: ServerStore,
    limit: Annotated[int, Query(ge=1, le=200, description="Labelled episodes, the newest.")] = 20,
) -> StreamingResponse:
    """Test each version of the persona on what came after it, within the limits of an alignment.

    Asks the models, and may take minutes. What was simulated before is not paid for again.
    """
    lines = scorecard_lines(deps, store, mine.user_id, limit)
    return StreamingResponse(await begun(lines), media_type=LINES)
