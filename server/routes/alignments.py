"""``/me/alignments``: learning from what the user wanted, and asking them before it is published."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from personaagent.core.alignment import ProposalDecision
from personaagent.core.records import Record
from personaagent.server.alignment_queue import queue_alignment, resume_alignment
from personaagent.server.alignment_runs import (
    RunDetails,
    RunSummary,
    alignment_run,
    get_run_details,
    list_runs,
)
from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.errors import error_responses
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page

router = APIRouter(prefix="/me/alignments", tags=["alignments"])

REQUEST = "request"
"""Who asked for a run, in its record."""
RunId = Annotated[UUID, Path(description="Id of the run.")]


class AlignmentRequest(Record):
    """How a run differs from the settings."""

    dry_run: bool = Field(False, description="Publish nothing.")
    approve: bool = Field(False, description="Ask before publishing, by a proposal.")
    query: str = Field("", max_length=1000, description="Learn from episodes similar to this.")

    def options(self) -> dict[str, Any]:
        """The same, for the run's context."""
        similar = {"sampling": "similar", "query": self.query} if self.query.strip() else {}
        return {"dry_run": self.dry_run, "approve": self.approve, **similar}


@router.post("", status_code=202, responses=error_responses(409))
async def start(
    request: AlignmentRequest, memory: CurrentUserMemory, api: InternalClient
) -> RunSummary:
    """Queue a run; if one is queued or running already, return that one."""
    run = await queue_alignment(api, memory.user_id, REQUEST, **request.options())
    return alignment_run(run) if run else (await list_runs(api, memory.user_id, 1, 0))[0]


@router.get("")
async def list_alignments(
    memory: CurrentUserMemory, api: InternalClient, limit: Limit = 20, cursor: Cursor = None
) -> Page[RunSummary]:
    """The runs, newest first."""
    offset = decode_cursor(cursor, Annotated[int, Field(ge=0, le=1_000_000)]) or 0
    runs = await list_runs(api, memory.user_id, limit + 1, offset)
    return make_page(runs, limit, lambda _: offset + limit)


@router.get("/{run}", responses=error_responses(404))
async def show_alignment(run: RunId, memory: CurrentUserMemory, api: InternalClient) -> RunDetails:
    """A run: its progress, its proposal and its result."""
    return await get_run_details(api, memory.user_id, str(run))


@router.post("/decision", status_code=202, responses=error_responses(409))
async def answer_proposal(
    decision: ProposalDecision, memory: CurrentUserMemory, api: InternalClient
) -> RunSummary:
    """Approve, edit or refuse the proposal that waits; a new run continues from it."""
    return alignment_run(await resume_alignment(api, memory.user_id, decision))
