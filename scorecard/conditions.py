"""The conditions that the scorecard compares, and the actor's prompt under each of them."""

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
"""Each condition in words; the last two are the complete agent."""


def prompts_by_condition(
    episode: Episode,
    context: EpisodeContext,
    recalled: Sequence[Episode],
    initial: Persona,
    then: Persona,
    settings: Settings,
) -> dict[Condition, ActorPrompt]:
    """The actor's prompt for the episode's query under each condition.

    Args:
        recalled: the episodes that ``context`` recalled.
        initial: the first version of the persona.
        then: the version of the episode's time.
    """
    recalled_by_id = {each.id: each for each in recalled}
    sources = [episode.id, *recalled_by_id]

    def without_persona(prompt: str) -> ActorPrompt:
        return ActorPrompt(
            system_prompt=prompt, episode=episode, context=context, sources=sources, plain=True
        )

    return {
        "none": without_persona(render("plain")),
        "rag": without_persona(rag_prompt(recalled, settings)),
        "initial": build_actor_prompt(initial.rules, episode, context, recalled_by_id, settings),
        "then": build_actor_prompt(
            then.rules, episode, context, recalled_by_id, settings, then.weights
        ),
    }


def persona_at(episode: Episode, versions: Sequence[Persona]) -> Persona:
    """The latest of ``versions`` (oldest first) from before the episode, or else the first."""
    earlier = [each for each in versions if each.created_at < episode.created_at]
    return (earlier or versions[:1])[-1]


def rag_prompt(recalled: Sequence[Episode], settings: Settings) -> str:
    """The system prompt of plain RAG, with as many recalled episodes as the token budget allows."""
    memories, _ = fit_episodes(recalled, render("plain_rag", memories=""), settings)
    return render("plain_rag", memories=memories)
