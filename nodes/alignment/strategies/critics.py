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
from personaagent.nodes.alignment.critique_input import CritiqueInput, as_persona
from personaagent.nodes.alignment.strategies.protocols import Gradient
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

SHOWN_CHARS = 120
"""Of what is given and of what is wanted, each."""
POINT_CHARS = 240
MOST_POINTS = 3


class _Point(BaseModel):
    """What is seen comes before what to do about it: a small model repeats the rules else.

    Lengths are for the grammar: what an endpoint without one says beyond is cut where it is shown.
    """

    given: str = Field(json_schema_extra={"maxLength": SHOWN_CHARS})
    wanted: str = Field(json_schema_extra={"maxLength": SHOWN_CHARS})
    point: str = Field(json_schema_extra={"maxLength": POINT_CHARS})
    episodes: list[str] = Field(json_schema_extra={"maxItems": 8})


class _Critique(BaseModel):
    points: list[_Point] = Field(json_schema_extra={"maxItems": MOST_POINTS})


class BatchCritic:
    """One call for all failing episodes; every point cites those that show it."""

    async def critique(self, case: CritiqueInput) -> Gradient:
        """The points that cite an episode there is; ids that do not exist are dropped."""
        messages = [SystemMessage(case.show()), HumanMessage(render("critique"))]
        model = await case.deps.models.chat("critic")
        try:
            async with case.deps.model_slots:
                answer, used = await invoke_structured(
                    model, messages, _Critique, role="critic", names={"episodes": [*case.names]}
                )
        except UnusableAnswer:
            return Gradient("", [], Usage().add("critic", RoleUsage(llm_calls=1)))
        points = [each for each in answer.points if each.point.strip() and case.ids(each.episodes)]
        kept = points[:MOST_POINTS]
        return Gradient(
            "\n".join(_line(each, case) for each in kept),
            [Point(text=each.point, evidence=case.ids(each.episodes)) for each in kept],
            Usage().add("critic", used),
        )


def _line(point: _Point, case: CritiqueInput) -> str:
    names = [name for name, episode in case.names.items() if episode in case.ids(point.episodes)]
    given, wanted = shorten(point.given, SHOWN_CHARS), shorten(point.wanted, SHOWN_CHARS)
    seen = f"{', '.join(names)}: given {given}; wanted {wanted}"
    return " ".join(f"- {shorten(point.point, POINT_CHARS)} ({seen})".split())


class PerEpisodeCritic:
    """A call for each episode of the batch, concatenated (paper, Algorithm 1)."""

    async def critique(self, case: CritiqueInput) -> Gradient:
        """The feedback on all episodes that could be simulated."""
        batch = [each for each in case.batch if case.losses[each.id].score is not None]
        found = await asyncio.gather(*(self._one(case, each) for each in batch))
        usage = Usage()
        for _, used in found:
            usage = usage.add("critic", used)
        points = [
            Point(text=text, evidence=[episode.id])
            for episode, (text, _) in zip(batch, found, strict=True)
        ]
        return Gradient("\n\n".join(point.text for point in points), points, usage)

    async def _one(self, case: CritiqueInput, episode: Episode) -> tuple[str, RoleUsage]:
        prompt = render(
            "paper_gradient",
            persona=render_persona(as_persona(case.rules)),
            episode=fence("episode", case.show_episode(episode)),
        )
        model = await case.deps.models.chat("critic")
        async with case.deps.model_slots:
            reply = await invoke_model(model, [HumanMessage(prompt)], role="critic")
        return reply.text.strip(), usage_of(reply)
