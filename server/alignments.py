"""The runs of the user's alignment, as they stand on their thread."""

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

PAGE = 10


class Started(Record):
    """A run: ``pending`` in the queue; one that has put its proposal to the user, whose answer goes on
    with it as another run, is a ``success`` or ``interrupted``, as the server has it."""

    id: str
    status: Literal["pending", "running", "error", "success", "timeout", "interrupted"]
    created_at: Moment


class RunStatus(Started):
    """A run, how far it is, and what came of it.

    ``proposal`` is what waits for the user's word; ``problem`` what a run that failed failed of.
    """

    progress: Progress | None = None
    proposal: Proposal | None = None
    result: Alignment | None = None
    problem: str | None = None


def started(run: Run) -> Started:
    """The run as a route shows it."""
    return Started.model_validate(_known(run))


async def runs(api: LangGraphClient, user_id: str, limit: int, offset: int) -> list[Started]:
    """The user's runs, newest first."""
    try:
        found = await api.runs.list(alignment_thread(user_id), limit=limit, offset=offset)
    except NotFoundError:
        return []  # there was never one
    return [*map(started, found)]


async def get_run_status(api: LangGraphClient, user_id: str, run_id: str) -> RunStatus:
    """How the run stands.

    Raises:
        Unknown: the user has no such run.
    """
    thread = alignment_thread(user_id)
    try:
        run = await api.runs.get(thread, run_id)
        told = await _told(api, thread, run_id)
    except NotFoundError as error:
        raise Unknown(f"There is no alignment '{run_id}' of yours: list them.") from error
    return RunStatus.model_validate(_known(run) | told)


async def _told(api: LangGraphClient, thread: str, run_id: str) -> dict[str, Any]:
    """What the last checkpoint of the run says. Not every server finds it by its metadata."""
    before: Any = None
    while page := await api.threads.get_history(thread, limit=PAGE, before=before):
        for state in page:
            if (state["metadata"] or {}).get("run_id") == run_id:
                return _read(state, latest=before is None and state is page[0])
        before = {"configurable": page[-1]["checkpoint"]}
    return {}


def _known(run: Run) -> dict[str, Any]:
    return {"id": run["run_id"], "status": run["status"], "created_at": run["created_at"]}


def _read(last: ThreadState, *, latest: bool) -> dict[str, Any]:
    """What the last checkpoint of a run says of it; its proposal waits while none came after it."""
    state: Any = last["values"]
    if state.get("trigger") or not state.get("plan"):
        return {}  # it has not begun: what stands there is of the run before
    compared = {"simulate", "compare"}.isdisjoint(last["next"])
    proposals = [each["value"] for task in last["tasks"] for each in task["interrupts"]]
    errors = [error for task in last["tasks"] if (error := task.get("error"))]
    return {
        "progress": progress_of(state, compared=compared),
        "proposal": proposals[0] if proposals and latest else None,
        "result": state["result"] or None,
        "problem": kept_sentence(errors[0]) if errors else None,
    }
