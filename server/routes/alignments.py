"""``/me/alignments``: learning from what the user wanted, and asking them before it is published."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from personaagent.core.alignment import Decision
from personaagent.core.records import Record
from personaagent.server.alignment_queue import begin, decide
from personaagent.server.alignments import RunStatus, Started, get_run_status, runs, started
from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.errors import answers
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, first_of, place_at

router = APIRouter(prefix="/me/alignments", tags=["alignments"])

REQUEST = "request"
"""What the record says of who asked for a run."""
RunId = Annotated[UUID, Path(description="Id of the run.")]


class Wish(Record):
    """How a run is to differ from what the settings say."""

    dry_run: bool = Field(False, description="Publish nothing.")
    approve: bool = Field(False, description="Ask before publishing, by a proposal.")
    query: str = Field("", max_length=1000, description="Learn from episodes similar to this.")

    def options(self) -> dict[str, Any]:
        """The same, as options of a run's context."""
        similar = {"sampling": "similar", "query": self.query} if self.query.strip() else {}
        return {"dry_run": self.dry_run, "approve": self.approve, **similar}


@router.post("", status_code=202, responses=answers(409))
async def start(wish: Wish, mine: CurrentUserMemory, api: InternalClient) -> Started:
    """Queue a run; where one is queued or going on already, that is it."""
    run = await begin(api, mine.user_id, REQUEST, **wish.options())
    return started(run) if run else (await runs(api, mine.user_id, 1, 0))[0]


@router.get("")
async def list_alignments(
    mine: CurrentUserMemory, api: InternalClient, limit: Limit = 20, cursor: Cursor = None
) -> Page[Started]:
    """The runs, newest first."""
    offset = place_at(cursor, Annotated[int, Field(ge=0, le=1_000_000)]) or 0
    found = await runs(api, mine.user_id, limit + 1, offset)
    return first_of(found, limit, lambda _: offset + limit)


@router.get("/{run}", responses=answers(404))
async def show_alignment(run: RunId, mine: CurrentUserMemory, api: InternalClient) -> RunStatus:
    """How far a run is, what it proposes, and what came of it."""
    return await get_run_status(api, mine.user_id, str(run))


@router.post("/decision", status_code=202, responses=answers(409))
async def answer_proposal(
    decision: Decision, mine: CurrentUserMemory, api: InternalClient
) -> Started:
    """Approve, edit or refuse the proposal that waits; the run that goes on with it is another."""
    return started(await decide(api, mine.user_id, decision))
