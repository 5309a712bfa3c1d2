"""One turn of a conversation on this machine, streamed as it happens."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from personaagent.core.answer import Answer, ToolUse
from personaagent.core.errors import DataError
from personaagent.core.records import Usage
from personaagent.core.states import AgentContext
from personaagent.core.text import check_message, check_text
from personaagent.graphs.agent import NAME, TAGS, build, recursion_limit
from personaagent.local.turn_events import TurnEvent, TurnEvents
from personaagent.memory.data_folder import Files, conversation_thread
from personaagent.nodes.agent.remember import this_turn, tool_calls
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.run_errors import run_errors

Graph = CompiledStateGraph[Any, AgentContext, Any, Any]
THREAD_NAME_CHARS = 128


@dataclass(frozen=True)
class TurnRunner:
    """The agent's graph, compiled over the files of this machine."""

    graph: Graph
    incognito_graph: Graph
    files: Files
    max_query_chars: int
    expect: Callable[[str], None]
    """See ``Memory.expect``."""
    take_notices: Callable[[], list[str]]
    """What the models' endpoints have refused since it was last asked, told with the answer."""

    @classmethod
    def over(cls, deps: Dependencies, files: Files) -> Self:
        """Compile the graph twice: with the checkpoints on disk, and with none that last."""
        return cls(
            graph=_compile(deps, files, files.saver),
            incognito_graph=_compile(deps, files, InMemorySaver()),
            files=files,
            max_query_chars=deps.settings.max_query_chars,
            expect=deps.memory.expect,
            take_notices=deps.models.take_notices,
        )

    async def stream(
        self,
        text: str,
        user_id: str,
        *,
        thread_id: str | None = None,
        task: str | None = None,
        top_k: int | None = None,
        incognito: bool = False,
        answers: Sequence[str] = (),
        reasoning: bool = False,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Run one turn and yield what happens; the ``Answer`` comes last.

        Args:
            text: the user's message.
            user_id: whose memory and persona answer.
            thread_id: the conversation to continue, by a name of the user's own; None starts one.
            task: a label for this kind of question, stored with the episode.
            top_k: how many episodes to recall; None takes the setting.
            incognito: store neither an episode nor a checkpoint.
            answers: the only possible answers; empty for any text.
            reasoning: yield the model's reasoning too (``Reasoning``).

        Raises:
            UsageError: the text, user, thread, task or answers are not valid; nothing was done.
            ServiceError, ConfigurationError, DataError: the turn failed; nothing of it was stored.
        """
        context = AgentContext(
            user_id=user_id,
            task=task,
            top_k=top_k,
            incognito=incognito,
            answers=tuple(answers),
            reasoning=reasoning,
        )
        text = check_message(text, self.max_query_chars)
        thread = check_text(thread_id or uuid4().hex, "thread", THREAD_NAME_CHARS)
        thread_id, turn = conversation_thread(user_id, thread), uuid4().hex
        graph = self.incognito_graph if incognito else self.graph
        self.expect(text)
        started = time.monotonic()
        state: dict[str, Any] = {}
        events = TurnEvents()
        remembered = False
        chunks = _stream_graph(graph, text, context, thread_id, turn)
        try:
            with run_errors():
                async with aclosing(chunks):  # a cancelled one ends now, not when it is collected
                    async for mode, chunk in chunks:
                        if mode == "values":
                            state = chunk
                        remembered |= mode == "updates" and "remember" in chunk
                        for event in events.read(mode, chunk):
                            yield event
        except BaseException:
            if not remembered:
                with suppress(DataError):  # no later turn sends what stays (``conversation``)
                    await self.files.delete_turn(thread_id, turn)
            raise
        answer = _answer(state, user_id, thread, time.monotonic() - started)
        warnings = answer.warnings + self.take_notices()
        yield answer.model_copy(
            update={"reasoning": events.reasoning or None, "warnings": warnings}
        )


def _compile(deps: Dependencies, files: Files, saver: BaseCheckpointSaver[Any]) -> Graph:
    graph: Graph = build(deps).compile(store=files.store, checkpointer=saver, name=NAME)
    return graph.with_config(tags=TAGS, recursion_limit=recursion_limit(deps.settings))


def _stream_graph(
    graph: Graph, text: str, context: AgentContext, thread_id: str, turn: str
) -> AsyncGenerator[tuple[str, Any], None]:
    config: RunnableConfig = {
        "configurable": {"thread_id": thread_id},
        "metadata": {"turn": turn},  # which its checkpoints have too
    }
    return graph.astream(  # type: ignore[return-value]
        {"messages": [HumanMessage(text)]},
        config,
        context=context,
        stream_mode=["messages", "updates", "values"],
        durability="exit",
    )


def _answer(state: dict[str, Any], user_id: str, thread: str, seconds: float) -> Answer:
    turn = this_turn(state["messages"])
    return Answer(
        reply=turn[-1].text,
        user_id=user_id,
        thread_id=thread,
        episode_id=state["episode_id"] or None,
        persona_version=state["persona"]["version"],
        recalled=[episode["id"] for episode in state["recalled"]],
        tool_calls=[ToolUse(name=call["name"], args=call["args"]) for call in tool_calls(turn)],
        usage=Usage.model_validate(state["usage"]).summed(),
        seconds=round(seconds, 3),
        warnings=state["warnings"],
        decision=state.get("decision"),
    )


async def last_answer(events: AsyncIterator[TurnEvent]) -> Answer | None:
    """Read a turn to its end; None where it ends without an answer."""
    answer = None
    async for event in events:
        if isinstance(event, Answer):
            answer = event
    return answer
