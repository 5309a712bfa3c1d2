"""A user with hidden preferences, and models for alignment that read their prompts.

Every answer is about a topic. A preference is a rule, and what an answer that follows it says
more: the actor adds it where the rule stands in its persona, and the user always wants all of
theirs. The critic sees what is missing in the failures, the editor reads the critic.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.graphs.alignment import build
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.answer_scores import rouge_score
from personaagent.nodes.dependencies import Dependencies
from tests.support.memories import START, index_in_memory
from tests.support.scripted_model import Prompt, Reply, scripted_dependencies

PREFERENCES = {
    "Give distances in kilometres.": "measured in kilometres as usual",
    "Mention the nearest railway station.": "close to the railway station",
    "Add how the weather will be.": "under a clear sunny sky",
    "Close with a wish for the day.": "and have a lovely day",
}
"""Rules that a user may want followed, and what following one adds to an answer."""

Propose = Callable[[Prompt, list[str]], list[dict[str, Any]]]
"""What an editor proposes, from its prompt and the preferences that the critic named."""


def answer_to(query: str, rules: Sequence[str]) -> str:
    """The answer to ``query`` by an agent that follows ``rules``."""
    topic = query.removeprefix("Tell me about ").rstrip("?.")
    added = [words for rule, words in PREFERENCES.items() if rule in rules]
    return " ".join([f"The walk to {topic} takes an hour", *added])


def useful(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
    """An editor that proposes each preference that the critic named, with all shown as evidence."""
    shown = re.findall(r"^(E\d+)", prompt.system, re.MULTILINE)
    return [{"action": "add", "rule": "", "text": rule, "evidence": shown} for rule in missing]


@dataclass
class Scripted:
    """A responder for all roles: actor, critic and editor, each reading its prompt."""

    propose: Propose = useful
    critique: Callable[[Prompt], Reply] | None = None
    actor: Callable[[Prompt], Reply] | None = None
    calls: dict[str, int] = field(default_factory=dict)

    def __call__(self, prompt: Prompt) -> Reply:
        form = prompt.options.get("response_format", {}).get("json_schema", {}).get("name")
        role = {"Critique": "critic", "Proposals": "editor"}.get(form, "actor")
        self.calls[role] = self.calls.get(role, 0) + 1
        if role == "critic":
            return (self.critique or criticise)(prompt)
        if role == "editor":
            missing = [r for r, words in PREFERENCES.items() if words in prompt.messages[2].text]
            return json.dumps({"proposals": self.propose(prompt, missing)})
        return (self.actor or act)(prompt)


def act(prompt: Prompt) -> Reply:
    """The actor: follows the rules that stand in its persona, if it has one."""
    persona = prompt.system.partition("<persona>")[2].partition("</persona>")[0]
    return answer_to(prompt.last, [rule for rule in PREFERENCES if rule in persona])


def criticise(prompt: Prompt) -> Reply:
    """The critic: names the words that the user wanted and the answer lacks, not the rule."""
    points = []
    for words in PREFERENCES.values():
        failing = [
            name
            for name, answered, wanted in re.findall(
                r"^(E\d+).*?given answer: (.*?)\nwanted answer: (.*?)$",
                prompt.system,
                re.MULTILINE | re.DOTALL,
            )
            if words in wanted and words not in answered
        ]
        if failing:
            point = f"Say what is lacking: {words}."
            points.append({"given": "", "wanted": words, "point": point, "episodes": failing})
    return json.dumps({"points": points})


@dataclass
class World:
    """One user's memory, the graph over it, and the prompts of the models."""

    deps: Dependencies
    prompts: list[Prompt]
    store: BaseStore
    saver: BaseCheckpointSaver[Any]
    responder: Callable[[Prompt], Reply]
    user: str = "anna"
    between: tuple[str, Callable[[], Awaitable[None]]] | None = None
    """What happens once a node has ended, beside the run."""

    @property
    def memory(self) -> UserMemory:
        """The user's memory."""
        return self.deps.memory.of(self.store, self.user)

    async def remember(self, *episodes: Episode) -> None:
        """Store and index the episodes."""
        await self.memory.episodes.add(episodes)
        await self.memory.indexer.refresh(len(episodes))

    async def align(self, **context: Any) -> Alignment:
        """A run of alignment, to its end."""
        state = await self.run({"trigger": "test"}, **context)
        return Alignment.model_validate(state["result"])

    def goes_on(self, responder: Callable[[Prompt], Reply]) -> None:
        """Another process, with these models, goes on with the same memory."""
        deps, _ = scripted_dependencies(self.deps.settings, responder)
        self.deps = replace(deps, memory=self.deps.memory)

    async def losses(self, episode_ids: Sequence[str]) -> dict[str, float | None]:
        """The loss of these episodes under the persona as it stands, in a world without cache.

        Simulated with nothing but the rules before it: the losses of alignment itself are not used.
        """
        rules = (await self.memory.personas.current()).rules
        losses: dict[str, float | None] = {}
        for episode in await self.memory.episodes.find(episode_ids):
            persona = "\n".join(rule.text for rule in rules)
            prompt = Prompt(
                [SystemMessage(f"<persona>{persona}</persona>"), HumanMessage(episode.query)],
                [],
                {},
            )
            answer = self.responder(prompt)
            assert isinstance(answer, str)
            score, _ = rouge_score(answer, episode.ground_truth or "")
            losses[episode.id] = None if score is None else 1 - score
        return losses

    async def write_plan(self, after: str, **values: Any) -> None:
        """Write into the plan of the run, as the owner of its thread may, when a node has ended."""
        state = await self._graph().aget_state(self._config())
        plan = state.values["plan"] | values
        await self._graph().aupdate_state(self._config(), {"plan": plan}, as_node=after)

    async def run(self, graph_input: Any, **context: Any) -> dict[str, Any]:
        """Invoke the graph; returns its state."""
        state: dict[str, Any] = {}
        async for mode, part in self._graph().astream(
            graph_input,
            self._config(),
            context=AlignmentContext(user_id=self.user, **context),
            stream_mode=["updates", "values"],
        ):
            if mode == "values":
                state = part
            elif self.between and self.between[0] in part:
                await self.between[1]()
        return state

    def _graph(self) -> Any:
        return build(self.deps).compile(store=self.store, checkpointer=self.saver)

    def _config(self) -> RunnableConfig:
        thread = {"thread_id": f"alignment:{self.user}"}
        return {"configurable": thread, "recursion_limit": 400}


def world(home: Any, responder: Callable[[Prompt], Reply], **settings: Any) -> World:
    """A world of its own for the user Anna; free texts are compared by ROUGE-L."""
    made = load_settings(home=home, **({"align_text_metric": "rouge"} | settings))
    deps, prompts = scripted_dependencies(made, responder, index_in_memory())
    return World(deps, prompts, InMemoryStore(), InMemorySaver(), responder)


def walks(count: int, wanted: Sequence[str], **fields: Any) -> list[Episode]:
    """So many of Anna's episodes, a day apart, in which she wanted these rules followed."""
    return [
        Episode(
            id=f"walk{number}",
            user_id="anna",
            query=f"Tell me about {place}?",
            response=answer_to(f"Tell me about {place}?", []),
            ground_truth=answer_to(f"Tell me about {place}?", wanted),
            created_at=START + timedelta(days=number),
            **fields,
        )
        for number, place in enumerate(PLACES[:count])
    ]


PLACES = (
    "the old mill", "the harbour", "the castle", "the lighthouse", "the oak forest",
    "the waterfall", "the monastery", "the market square", "the quarry", "the windmill",
    "the lake shore", "the botanical garden", "the chapel", "the ferry landing",
    "the observatory", "the orchard", "the amphitheatre", "the viaduct", "the vineyard",
    "the salt marsh", "the town hall", "the zoo", "the cave", "the dam", "the museum",
    "the tower", "the arboretum", "the beach", "the canyon", "the fortress",
)  # fmt: skip
