"""What critique and update work on: the rules, and how the agent did with them on the batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from personaagent.core.alignment import Loss
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.core.records import Episode, Rule
from personaagent.core.text import shorten, shorten_middle
from personaagent.memory.instructions import Instructions
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

EXCERPT_CHARS = 500
"""Of each text of an episode."""


@dataclass(frozen=True)
class CritiqueInput:
    """The input of a round. It holds nothing of the held-out episodes.

    ``refused`` lists the edits that this run has tried or refused before, and why; ``instructions``
    are those that the user's queries share.
    """

    deps: Dependencies
    memory: UserMemory
    plan: AlignmentPlan
    rules: list[Rule]
    batch: list[Episode]
    losses: dict[str, Loss]
    refused: list[str]
    instructions: Instructions

    @property
    def failing(self) -> list[Episode]:
        """The episodes of the batch that are scored, and have a loss."""
        return [episode for episode in self.batch if self.losses[episode.id].loss]

    @property
    def names(self) -> dict[str, str]:
        """The names of the failing episodes in prompts, with their ids: E1, E2, ..."""
        return {f"E{number}": episode.id for number, episode in enumerate(self.failing, 1)}

    def ids(self, names: Sequence[str]) -> list[str]:
        """The ids of the episodes with these names; a name that does not exist is dropped."""
        ids_by_name = self.names
        return list(dict.fromkeys(ids_by_name[name] for name in names if name in ids_by_name))

    def format(self) -> str:
        """The rules and the failing episodes, as text for a prompt.

        Critique and update of a round both begin with this text, so that an endpoint's prefix cache
        reads it once.
        """
        episodes = [
            f"{name}{_format_task(episode)}\n{self.format_episode(episode)}"
            for name, episode in zip(self.names, self.failing, strict=True)
        ]
        return render(
            "persona_case",
            persona=format_rules(self.rules),
            episodes=fence("episodes", "\n\n".join(episodes)),
        )

    def format_episode(self, episode: Episode) -> str:
        """The question, the answer given under the rules, and the answer that the user wanted."""
        loss = self.losses[episode.id]
        return (
            f"question: {shorten_middle(episode.query, EXCERPT_CHARS)}\n"
            f"given answer: {shorten(loss.simulated, EXCERPT_CHARS)}\n"
            f"wanted answer: {shorten(episode.ground_truth or '', EXCERPT_CHARS)}"
        )


async def build_critique_input(
    run: AlignmentRun, memory: UserMemory, deps: Dependencies
) -> CritiqueInput:
    """The input of the run's current round.

    An episode that was forgotten, or labelled anew, since it was simulated is left out.
    """
    scored = [episode_id for episode_id in run.batch if episode_id in run.losses]
    batch = [
        episode
        for episode in await memory.episodes.find(scored)
        if episode.ground_truth == run.losses[episode.id].expected
    ]
    return CritiqueInput(
        deps=deps,
        memory=memory,
        plan=run.plan,
        rules=run.rules,
        batch=batch,
        losses={episode.id: run.losses[episode.id] for episode in batch},
        refused=run.refused,
        instructions=await memory.recaller.instructions(),
    )


def format_rules(rules: Sequence[Rule]) -> str:
    """The rules with their ids, by which the editor refers to them."""
    lines = [
        f"{rule.id}: {' '.join(rule.text.split())}{' (locked)' if rule.locked else ''}"
        for rule in rules
    ]
    return fence("persona", "\n".join(lines) or "(no rules)")


def _format_task(episode: Episode) -> str:
    return f" (task {episode.task})" if episode.task else ""
