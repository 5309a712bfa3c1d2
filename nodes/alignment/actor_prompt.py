"""What the actor gets in one simulation: a system prompt for other rules, and the episode's query."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from personaagent.core.alignment import EpisodeContext
from personaagent.core.records import Episode, Persona, Record, Rule
from personaagent.core.settings import Settings
from personaagent.core.weights import Weights
from personaagent.memory.earlier_answers import as_shown_for
from personaagent.nodes.agent.inject_persona import most_shown, system_prompt


class ActorPrompt(Record):
    """The prompt of one simulation: the system prompt, then the episode's query.

    ``sources`` are the ids of all episodes whose text may show in the answer. By ``weights`` a closed
    question is decided; if ``plain``, the model answers alone.
    """

    system_prompt: str
    episode: Episode
    context: EpisodeContext
    sources: list[str]
    weights: list[Weights] = Field(default_factory=list)
    plain: bool = False

    @property
    def key(self) -> tuple[str, str, bool]:
        """What makes prompts of one episode answer alike."""
        return self.system_prompt, str(self.weights), self.plain


def build_actor_prompt(
    rules: Sequence[Rule],
    episode: Episode,
    context: EpisodeContext,
    episodes_by_id: Mapping[str, Episode],
    settings: Settings,
    weights: Sequence[Weights] = (),
) -> ActorPrompt:
    """The prompt for the episode's query under a persona of these rules, on the episode's own day.

    ``episodes_by_id`` holds the recalled episodes; those that it lacks are left out.
    """
    recalled = [episodes_by_id[id] for id in context.recalled if id in episodes_by_id]
    most = most_shown(episode.task, weights, choice=context.choice)
    as_shown = as_shown_for(episode.query, recalled[:most])
    prompt, _ = system_prompt(
        draft_persona(rules),
        context.profile,
        as_shown,
        settings,
        at=episode.created_at,
        zone=settings.zone,
        query=episode.query,
        choice=context.choice,
    )
    evidence = [episode_id for rule in rules for episode_id in rule.evidence]
    sources = list(dict.fromkeys([episode.id, *context.recalled, *evidence]))
    return ActorPrompt(
        system_prompt=prompt,
        episode=episode,
        context=context,
        sources=sources,
        weights=[*weights],
    )


def draft_persona(rules: Sequence[Rule]) -> Persona:
    """A persona of these rules that is not a stored version yet."""
    return Persona(version=1, rules=list(rules), author="alignment")
