"""Alignment on one machine: a user's run from its start, or from where it was killed, to its end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_progress import Progress, progress_of
from personaagent.core.alignment_state import AlignmentContext, Plan, alignment_thread
from personaagent.core.errors import ModelError, Unapproved
from personaagent.graphs.alignment import NAME, RECURSION_LIMIT, TAGS, build
from personaagent.local.files import Files
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.run_errors import run_errors

Approve = Callable[[dict[str, Any]], Awaitable[Any]]
"""Asks the user whether to publish: given a ``Proposal`` as JSON, gives True, False, or a
``Decision`` likewise."""


class Step(Progress):
    """A step that a run has just done, and how it stands then; ``node`` is the node that has ended."""

    node: str


OnStep = Callable[[Step], None]


class LocalAlignment:
    """Aligns one user at a time with their own lock and thread; many users side by side."""

    def __init__(self, deps: Dependencies, files: Files) -> None:
        self._parts = deps
        self._files = files
        self._graph: CompiledStateGraph[Any, AlignmentContext, Any, Any] = build(deps).compile(
            store=files.store, checkpointer=files.saver, name=NAME
        )

    async def align(
        self,
        context: AlignmentContext,
        *,
        trigger: str,
        approve: Approve | None = None,
        on_step: OnStep | None = None,
    ) -> Alignment:
        """Run to the end; a run of the same plan that did not get there is gone on with.

        Raises:
            Conflict: the user is being aligned already; nothing was done.
            Unapproved: the settings say that the user is asked, and there is no ``approve``.
            ServiceError, ConfigurationError, DataError: the run failed; nothing was changed, and
                what was finished of it is not done again.
        """
        config: RunnableConfig = {
            "configurable": {"thread_id": alignment_thread(context.user_id)},
            "recursion_limit": RECURSION_LIMIT,
            "tags": TAGS,
        }
        with self._files.alone(context.user_id), run_errors():
            begun = await self._begun(context, config)
            given: Any = None if begun else {"trigger": trigger}
            while True:
                result = question = None
                async for node, state in self._steps(given, context, config):
                    if node == "__interrupt__":
                        question = state
                    elif node == "publish":
                        result = state["result"]
                    elif on_step is not None:
                        on_step(_step(node, state))
                if result is not None:
                    return Alignment.model_validate(result)
                if question is None:
                    raise ModelError("The alignment ended without a result: try again.")
                if approve is None:
                    raise Unapproved(
                        f"What was learned of '{context.user_id}' waits for their word: "
                        "`personaagent align` asks for it."
                    )
                given = Command(resume=await approve(question))

    async def _steps(
        self, given: Any, context: AlignmentContext, config: RunnableConfig
    ) -> AsyncIterator[tuple[str, Any]]:
        """Each node that finishes, with the state then; or ``__interrupt__`` with its question."""
        state: dict[str, Any] = {}
        node = ""
        run: AsyncIterator[tuple[str, Any]] = self._graph.astream(  # type: ignore[assignment]
            given,
            config,
            context=context,
            stream_mode=["updates", "values"],
            durability="sync",
        )
        async for mode, part in run:
            if mode == "values":
                state = part
                if node:
                    yield node, state
                node = ""
                continue
            for name, update in part.items():
                if name == "__interrupt__":
                    yield name, update[0].value
                elif name == "simulate":
                    answered = (update or {}).get("simulated", {})
                    state = {**state, "simulated": state["simulated"] | answered}
                    yield name, state
                else:
                    node = name

    async def _begun(self, context: AlignmentContext, config: RunnableConfig) -> bool:
        """Whether the last run did not come to its end, was to do just the same, and still can.

        One that failed in ``compare`` cannot: the simulations that failed stand in its state. The
        others are kept, so that beginning anew does not pay for them again.
        """
        last = await self._graph.aget_state(config)
        plan = last.values.get("plan")
        failed = any(task.error for task in last.tasks if task.name == "compare")
        if not last.next or last.values.get("trigger") or not plan or failed:
            return False
        asked = Plan.of(
            context,
            self._parts.settings,
            run=plan["run"],
            trigger=plan["trigger"],
            at=plan["started_at"],
        )
        memory = self._parts.memory.of(self._files.store, context.user_id)
        current = await memory.personas.current()
        published = current.proof is not None and current.proof.run == plan["run"]
        stands: bool = published or current.version == last.values["from_version"]
        return stands and asked.stored() == plan


def _step(node: str, state: dict[str, Any]) -> Step:
    return Step(node=node, **dict(progress_of(state, compared=node not in ("sample", "simulate"))))
