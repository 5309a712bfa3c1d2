"""How losses become a gradient in words."""

import asyncio

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from personaagent.core.alignment import Point
from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import Episode, RoleUsage, Usage
from personaagent.core.text import shorten
from personaagent.memory.personas import render_persona
from personaagent.models.invoke import invoke_model
from personaagent.models.structured import invoke_structured
from personaagent.models.usage import usage_of
from personaagent.nodes.alignment.actor_prompt import draft_persona
from personaagent.nodes.alignment.critique_input import CritiqueInput
from personaagent.nodes.alignment.strategies.protocols import Gradient
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

QUOTE_CHARS = 120
"""Of the given and of the wanted answer, as a point quotes them."""
POINT_CHARS = 240
MOST_POINTS = 3


class _Point(BaseModel):
    """The observation comes before the advice: a small model repeats the rules otherwise.

    The lengths bind a grammar. A longer reply, from an endpoint without one, is shortened when it
    is shown.
    """

    given: str = Field(json_schema_extra={"maxLength": QUOTE_CHARS})
    wanted: str = Field(json_schema_extra={"maxLength": QUOTE_CHARS})
    point: str = Field(json_schema_extra={"maxLength": POINT_CHARS})
    episodes: list[str] = Field(json_schema_extra={"maxItems": 8})


class _Critique(BaseModel):
    points: list[_Point] = Field(json_schema_extra={"maxItems": MOST_POINTS})


class BatchCritic:
    """One call for all failing episodes; every point cites those that show it."""

    async def critique(self, critique_input: CritiqueInput) -> Gradient:
        """The points that cite an existing episode; other ids are dropped."""
        try:
            critique, used = await _ask_for_points(critique_input)
        except UnusableAnswer:
            return Gradient("", [], Usage().add("critic", RoleUsage(llm_calls=1)))
        points = [
            point
            for point in critique.points
            if point.point.strip() and critique_input.ids(point.episodes)
        ][:MOST_POINTS]
        return Gradient(
            "\n".join(_format_point(point, critique_input) for point in points),
            [Point(text=p.point, evidence=critique_input.ids(p.episodes)) for p in points],
            Usage().add("critic", used),
        )


async def _ask_for_points(critique_input: CritiqueInput) -> tuple[_Critique, RoleUsage]:
    messages = [SystemMessage(critique_input.format()), HumanMessage(render("critique"))]
    model = await critique_input.deps.models.chat("critic")
    names = {"episodes": [*critique_input.names]}
    async with critique_input.deps.model_slots:
        return await invoke_structured(model, messages, _Critique, role="critic", names=names)


def _format_point(point: _Point, critique_input: CritiqueInput) -> str:
    cited = critique_input.ids(point.episodes)
    names = [name for name, episode in critique_input.names.items() if episode in cited]
    given, wanted = shorten(point.given, QUOTE_CHARS), shorten(point.wanted, QUOTE_CHARS)
    observation = f"{', '.join(names)}: given {given}; wanted {wanted}"
    return " ".join(f"- {shorten(point.point, POINT_CHARS)} ({observation})".split())


class PerEpisodeCritic:
    """A call for each episode of the batch; the replies are concatenated (paper, Algorithm 1)."""

    async def critique(self, critique_input: CritiqueInput) -> Gradient:
        """The feedback on all episodes that could be simulated."""
        scored = [e for e in critique_input.batch if critique_input.losses[e.id].score is not None]
        replies = await asyncio.gather(
            *(_ask_for_feedback(critique_input, episode) for episode in scored)
        )
        usage = Usage()
        for _, used in replies:
            usage = usage.add("critic", used)
        points = [
            Point(text=feedback, evidence=[episode.id])
            for episode, (feedback, _) in zip(scored, replies, strict=True)
        ]
        return Gradient("\n\n".join(point.text for point in points), points, usage)


async def _ask_for_feedback(
    critique_input: CritiqueInput, episode: Episode
) -> tuple[str, RoleUsage]:
    prompt = render(
        "paper_gradient",
        persona=render_persona(draft_persona(critique_input.rules)),
        episode=fence("episode", critique_input.format_episode(episode)),
    )
    model = await critique_input.deps.models.chat("critic")
    async with critique_input.deps.model_slots:
        reply = await invoke_model(model, [HumanMessage(prompt)], role="critic")
    return reply.text.strip(), usage_of(reply)
