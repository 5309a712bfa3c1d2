"""What critique and update work on: the rules, and how the agent did by them on the batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.core.records import Episode, Persona, Rule
from personaagent.core.text import shorten, shorten_middle
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies, user_memory
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

SHOWN_CHARS = 500


@dataclass(frozen=True)
class CritiqueInput:
    """The case of a round. Nothing of the held-out episodes is in it.

    ``refused`` says which edits were tried before in this run, and why they were not taken.
    """

    deps: Dependencies
    memory: UserMemory
    plan: Plan
    rules: list[Rule]
    batch: list[Episode]
    losses: dict[str, Loss]
    refused: list[str]

    @property
    def failing(self) -> list[Episode]:
        """The episodes of the batch with loss: scored, and not as the user wanted."""
        scores = {each.id: self.losses[each.id].score for each in self.batch}
        return [each for each in self.batch if (score := scores[each.id]) is not None and score < 1]

    def show(self) -> str:
        """The rules and the failing episodes, which are called E1, E2, ...

        Critique and update of a round begin with this text, so that an endpoint's prefix cache
        reads it once.
        """
        episodes = [
            f"{name}{_task(episode)}\n{self.show_episode(episode)}"
            for name, episode in zip(self.names, self.failing, strict=True)
        ]
        return render(
            "persona_case",
            persona=show_rules(self.rules),
            episodes=fence("episodes", "\n\n".join(episodes)),
        )

    def show_episode(self, episode: Episode) -> str:
        """The question, the answer given under the rules, and the one that the user wanted."""
        loss = self.losses[episode.id]
        return (
            f"question: {shorten_middle(episode.query, SHOWN_CHARS)}\n"
            f"given answer: {shorten(loss.simulated, SHOWN_CHARS)}\n"
            f"wanted answer: {shorten(episode.ground_truth or '', SHOWN_CHARS)}"
        )

    @property
    def names(self) -> dict[str, str]:
        """What the failing episodes are called, with their ids: E1, E2, ..."""
        return {f"E{number}": episode.id for number, episode in enumerate(self.failing, 1)}

    def ids(self, names: Sequence[str]) -> list[str]:
        """The ids behind E1, E2, ...; a name of nothing is dropped."""
        known = self.names
        return list(dict.fromkeys(known[name] for name in names if name in known))


async def critique_input(
    state: AlignmentState, runtime: Runtime[AlignmentContext], deps: Dependencies
) -> CritiqueInput:
    """The case of the round that the run is in.

    An episode that is forgotten meanwhile, or of which the user says otherwise by now, is left out.
    """
    memory = user_memory(deps.memory, runtime)
    losses = {episode: Loss.model_validate(each) for episode, each in state["losses"].items()}
    found = await memory.episodes.find([each for each in state["batch"] if each in losses])
    batch = [each for each in found if each.ground_truth == losses[each.id].expected]
    return CritiqueInput(
        deps=deps,
        memory=memory,
        plan=Plan.model_validate(state["plan"]),
        rules=[Rule.model_validate(each) for each in state["rules"]],
        batch=batch,
        losses={each.id: losses[each.id] for each in batch},
        refused=state["refused"],
    )


def as_persona(rules: Sequence[Rule]) -> Persona:
    """A persona of these rules that is no version yet."""
    return Persona(version=1, rules=list(rules), author="alignment")


def show_rules(rules: Sequence[Rule]) -> str:
    """The rules with their ids, as the editor names them."""
    lines = [f"{r.id}: {' '.join(r.text.split())}{' (locked)' if r.locked else ''}" for r in rules]
    return fence("persona", "\n".join(lines) or "(no rules)")


def _task(episode: Episode) -> str:
    return f" (task {episode.task})" if episode.task else ""
