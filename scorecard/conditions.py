"""The conditions that the scorecard compares: what the actor is told under each of them."""

from collections.abc import Sequence
from typing import Literal

from personaagent.core.alignment import EpisodeContext
from personaagent.core.records import Episode, Persona
from personaagent.core.settings import Settings
from personaagent.nodes.agent.prompt_budget import fit_episodes
from personaagent.nodes.alignment.actor_prompt import ActorPrompt, build_actor_prompt
from personaagent.prompts.render import render

Condition = Literal["none", "rag", "initial", "then"]
CONDITIONS: dict[Condition, str] = {
    "none": "no persona, no memory",
    "rag": "plain RAG",
    "initial": "initial persona",
    "then": "persona of that time",
}
"""What an episode is tested with; the last two are the whole agent."""


def told_under(
    settings: Settings,
    episode: Episode,
    scene: EpisodeContext,
    recalled: Sequence[Episode],
    initial: Persona,
    then: Persona,
) -> dict[Condition, ActorPrompt]:
    """What the actor is told for the episode's query; ``recalled`` are the episodes of its scene."""
    known = {each.id: each for each in recalled}

    def plain(prompt: str) -> ActorPrompt:
        sources = [episode.id, *known]
        return ActorPrompt(system_prompt=prompt, episode=episode, context=scene, sources=sources)

    return {
        "none": plain(render("plain")),
        "rag": plain(rag_prompt(recalled, settings)),
        "initial": build_actor_prompt(initial.rules, episode, scene, known, settings),
        "then": build_actor_prompt(then.rules, episode, scene, known, settings),
    }


def persona_at(episode: Episode, versions: Sequence[Persona]) -> Persona:
    """The latest of ``versions`` (oldest first) from before the episode; else the first of all."""
    before = [each for each in versions if each.created_at < episode.created_at]
    return (before or versions[:1])[-1]


def rag_prompt(recalled: Sequence[Episode], settings: Settings) -> str:
    """The system prompt of plain RAG: the recalled episodes, as many as the budget has room for."""
    memories, _ = fit_episodes(recalled, render("plain_rag", memories=""), settings)
    return render("plain_rag", memories=memories)
