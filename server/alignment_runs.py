"""The runs of a user's alignment, as they stand on their thread."""

from typing import Any, Literal

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from langgraph_sdk.schema import Run, ThreadState

from personaagent.core.alignment import Alignment, Proposal
from personaagent.core.alignment_progress import Progress, progress_of
from personaagent.core.alignment_state import alignment_thread
from personaagent.core.errors import Unknown
from personaagent.core.records import Moment, Record
from personaagent.server.errors import kept_sentence

GRAPH = "alignment"
CHECKPOINTS = 10
"""How many checkpoints are read at a time."""


class RunSummary(Record):
    """A run. ``pending``: it is queued.

    A run that has made a proposal is ``success`` or ``interrupted``, depending on the server; the
    answer to the proposal resumes it as another run.
    """

    id: str
    status: Literal["pending", "running", "error", "success", "timeout", "interrupted"]
    created_at: Moment


class RunDetails(RunSummary):
    """A run, its progress and its result.

    ``proposal``: waits for the user's decision; ``problem``: why the run failed.
    """

    progress: Progress | None = None
    proposal: Proposal | None = None
    result: Alignment | None = None
    problem: str | None = None


def run_options(user_id: str, **context: Any) -> dict[str, Any]:
    """How a run is created: for this user, and rejected while another runs on the thread.

    A server with tokens knows the user by itself; ``context`` is as of ``AlignmentContext``.
    """
    return {
        "context": {"user_id": user_id, **context},
        "multitask_strategy": "reject",
        "durability": "sync",
    }


def alignment_run(run: Run) -> RunSummary:
    """The run as a route shows it."""
    return RunSummary.model_validate(_run_fields(run))


async def list_runs(
    api: LangGraphClient, user_id: str, limit: int, offset: int
) -> list[RunSummary]:
    """The user's runs, newest first."""
    try:
        runs = await api.runs.list(alignment_thread(user_id), limit=limit, offset=offset)
    except NotFoundError:
        return []  # there has never been a run
    return [alignment_run(run) for run in runs]


async def get_run_details(api: LangGraphClient, user_id: str, run_id: str) -> RunDetails:
    """The run, with what its last checkpoint holds.

    Raises:
        Unknown: the user has no such run.
    """
    thread = alignment_thread(user_id)
    try:
        run = await api.runs.get(thread, run_id)
        checkpoint_fields = await _last_checkpoint_fields(api, thread, run_id)
    except NotFoundError as error:
        raise Unknown(f"There is no alignment '{run_id}' of yours: list them.") from error
    return RunDetails.model_validate(_run_fields(run) | checkpoint_fields)


async def _last_checkpoint_fields(api: LangGraphClient, thread: str, run_id: str) -> dict[str, Any]:
    """Looks through all checkpoints: not every server finds one by the metadata."""
    before: Any = None
    while page := await api.threads.get_history(thread, limit=CHECKPOINTS, before=before):
        for state in page:
            if (state["metadata"] or {}).get("run_id") == run_id:
                return _checkpoint_fields(state, latest=before is None and state is page[0])
        before = {"configurable": page[-1]["checkpoint"]}
    return {}


def _run_fields(run: Run) -> dict[str, Any]:
    return {"id": run["run_id"], "status": run["status"], "created_at": run["created_at"]}


def _checkpoint_fields(checkpoint: ThreadState, *, latest: bool) -> dict[str, Any]:
    """What the last checkpoint of a run holds; a proposal waits only on the thread's latest one."""
    state: Any = checkpoint["values"]
    if state.get("trigger") or not state.get("plan"):
        return {}  # the run has not begun: these are values of the run before
    compared = {"simulate", "compare"}.isdisjoint(checkpoint["next"])
    proposals = [
        interrupt["value"] for task in checkpoint["tasks"] for interrupt in task["interrupts"]
    ]
    errors = [error for task in checkpoint["tasks"] if (error := task.get("error"))]
    return {
        "progress": progress_of(state, compared=compared),
        "proposal": proposals[0] if proposals and latest else None,
        "result": state["result"] or None,
        "problem": kept_sentence(errors[0]) if errors else None,
    }
