"""The conditions that the scorecard compares, and the actor's prompt under each of them."""

from collections.abc import Sequence
from typing import Literal

from personaagent.core.records import Episode, Persona
from personaagent.core.settings import Settings
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.format import show_episodes
from personaagent.nodes.alignment.simulator import ActorPrompt, EpisodeContext, Simulator
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
    simulator: Simulator,
    episode: Episode,
    context: EpisodeContext,
    recalled: Sequence[Episode],
    initial: Persona,
    then: Persona,
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
        return ActorPrompt(prompt=prompt, episode=episode, scene=context, sources=sources)

    return {
        "none": without_persona(render("plain")),
        "rag": without_persona(rag_prompt(recalled, simulator.deps.settings)),
        "initial": simulator.told(initial.rules, episode, context, recalled_by_id),
        "then": simulator.told(then.rules, episode, context, recalled_by_id),
    }


def persona_at(episode: Episode, versions: Sequence[Persona]) -> Persona:
    """The latest of ``versions`` (oldest first) from before the episode, or else the first."""
    earlier = [each for each in versions if each.created_at < episode.created_at]
    return (earlier or versions[:1])[-1]


def rag_prompt(recalled: Sequence[Episode], settings: Settings) -> str:
    """The system prompt of plain RAG, with as many recalled episodes as the token budget allows."""
    remaining = settings.prompt_tokens - estimate_tokens(render("plain_rag", memories=""))
    memories, _ = show_episodes(recalled, remaining)
    return render("plain_rag", memories=memories)
