"""Alignment on one machine: a user's run from its start, or from where it was killed, to its end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_progress import Progress, progress_of
from personaagent.core.alignment_state import AlignmentContext, AlignmentPlan, alignment_thread
from personaagent.core.errors import ModelError, Unapproved
from personaagent.graphs.alignment import NAME, RECURSION_LIMIT, TAGS, build
from personaagent.memory.data_folder import Files
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.run_errors import run_errors

Approve = Callable[[dict[str, Any]], Awaitable[Any]]
"""Asks the user whether to publish: takes a ``Proposal`` as JSON, returns True, False or a
``ProposalDecision`` as JSON."""
INTERRUPT = "__interrupt__"


class AlignmentStep(Progress):
    """A step that a run has just finished, and its progress then; ``node`` is the node."""

    node: str


OnStep = Callable[[AlignmentStep], None]


@dataclass(frozen=True)
class AlignmentRunner:
    """Aligns users, each under a lock and on a thread of their own; many users side by side."""

    deps: Dependencies
    files: Files
    graph: CompiledStateGraph[Any, AlignmentContext, Any, Any]

    @classmethod
    def over(cls, deps: Dependencies, files: Files) -> Self:
        """Compile the graph over the files of this machine."""
        graph = build(deps).compile(store=files.store, checkpointer=files.saver, name=NAME)
        return cls(deps, files, graph)

    async def align(
        self,
        context: AlignmentContext,
        *,
        trigger: str,
        approve: Approve | None = None,
        on_step: OnStep | None = None,
    ) -> Alignment:
        """Run to the end; a run of the same plan that did not get there is resumed.

        Raises:
            Conflict: another alignment of the user is running; nothing was done.
            Unapproved: the settings ask for the user's approval, and there is no ``approve``.
            ServiceError, ConfigurationError, DataError: the run failed. Nothing was changed, and the
                next run does not repeat the steps that were finished.
        """
        with self.files.exclusive(context.user_id), run_errors():
            resumable = await self._resumable(context)
            graph_input: Any = None if resumable else {"trigger": trigger}
            while True:
                result, proposal = await self._run(graph_input, context, on_step)
                if result is not None:
                    alignment = Alignment.model_validate(result)
                    notices = self.deps.models.take_notices()
                    return alignment.model_copy(update={"warnings": notices + alignment.warnings})
                if proposal is None:
                    raise ModelError("The alignment ended without a result: try again.")
                if approve is None:
                    raise Unapproved(
                        f"What was learned about '{context.user_id}' waits for their approval: "
                        "`personaagent align` asks for it."
                    )
                graph_input = Command(resume=await approve(proposal))

    async def last(self, user_id: str) -> Alignment | None:
        """What the user's last run came to; None if there is none, or if it did not end."""
        snapshot = await self.graph.aget_state(_config(user_id))
        result = None if snapshot.next else snapshot.values.get("result")
        return Alignment.model_validate(result) if result else None

    async def _run(
        self, graph_input: Any, context: AlignmentContext, on_step: OnStep | None
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The result of the run, or the proposal that interrupted it."""
        result = proposal = None
        async for node, state in self._steps(graph_input, context):
            if node == INTERRUPT:
                proposal = state
            elif node == "publish":
                result = state["result"]
            elif on_step is not None:
                on_step(_step(node, state))
        return result, proposal

    async def _steps(
        self, graph_input: Any, context: AlignmentContext
    ) -> AsyncIterator[tuple[str, Any]]:
        """Each node that finishes, with the state then; or ``__interrupt__`` with its proposal."""
        state: dict[str, Any] = {}
        finished = ""
        chunks: AsyncIterator[tuple[str, Any]] = self.graph.astream(  # type: ignore[assignment]
            graph_input,
            _config(context.user_id),
            context=context,
            stream_mode=["updates", "values"],
            durability="sync",
        )
        async for mode, chunk in chunks:
            if mode == "values":
                state = chunk
                if finished:
                    yield finished, state
                finished = ""
                continue
            for node, update in chunk.items():
                if node == INTERRUPT:
                    yield node, update[0].value
                elif node == "simulate":  # its branches finish one by one, before the next values
                    answers = (update or {}).get("simulated", {})
                    state = {**state, "simulated": state["simulated"] | answers}
                    yield node, state
                else:
                    finished = node

    async def _resumable(self, context: AlignmentContext) -> bool:
        """Whether the last run broke off, had this very plan, and still stands on the same persona."""
        snapshot = await self.graph.aget_state(_config(context.user_id))
        if not _broke_off(snapshot):
            return False
        plan = snapshot.values["plan"]
        wanted = AlignmentPlan.of(
            context,
            self.deps.settings,
            run=plan["run"],
            trigger=plan["trigger"],
            at=plan["started_at"],
        )
        memory = self.deps.memory.of(self.files.store, context.user_id)
        current = await memory.personas.current()
        published = current.proof is not None and current.proof.run == plan["run"]
        unchanged: bool = published or current.version == snapshot.values["from_version"]
        return unchanged and wanted.stored() == plan | {"generation": ""}


def _broke_off(snapshot: StateSnapshot) -> bool:
    """Whether a run was begun and can be resumed.

    One that failed in ``compare`` cannot: the failed simulations are part of its state. A new run
    does not pay again for the others, which are stored.
    """
    begun = snapshot.values.get("plan") and not snapshot.values.get("trigger")
    failed = any(task.error for task in snapshot.tasks if task.name == "compare")
    return bool(snapshot.next and begun and not failed)


def _config(user_id: str) -> RunnableConfig:
    return {
        "configurable": {"thread_id": alignment_thread(user_id)},
        "recursion_limit": RECURSION_LIMIT,
        "tags": TAGS,
    }


def _step(node: str, state: dict[str, Any]) -> AlignmentStep:
    compared = node not in ("sample", "simulate")
    return AlignmentStep(node=node, **dict(progress_of(state, compared=compared)))
