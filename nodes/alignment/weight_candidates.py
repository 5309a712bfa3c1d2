"""Candidates that change no rule: weights of the sources, and how many episodes are shown."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from personaagent.core.alignment import Candidate
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.decision import Decision, QuestionKind
from personaagent.core.weights import Weights, weights_of
from personaagent.nodes.agent.inject_persona import most_shown
from personaagent.nodes.alignment.fit_weights import examples, fit_weights, steps_from
from personaagent.nodes.decision.defaults import default_weights

MOST_TASKS = 3
"""Tasks whose weights one round tries, those with the most decisions first."""


async def weight_candidates(run: AlignmentRun, labels: Mapping[str, str]) -> list[Candidate]:
    """Candidates with other weights for the tasks whose closed questions the run has simulated.

    They are fitted on the batch and earlier batches alone, from whose simulations all that is held
    out is hidden; weights that the user has locked stay.

    Args:
        labels: the ground truths of the episodes that are still valid, by id.
    """
    candidates = []
    for task in _tasks(run):
        base = weights_of(task, run.weights)
        if base is None or not base.locked:
            candidates += await asyncio.to_thread(_of_task, run, labels, task)
    return candidates


def is_free(candidate: Candidate, run: AlignmentRun) -> bool:
    """Whether trying it asks no model: its prompts are those of the persona so far."""
    if candidate.weights is None:
        return False
    shown = {each.task: each.shown for each in run.weights}
    return all(each.shown == shown.get(each.task) for each in candidate.weights)


def _tasks(run: AlignmentRun) -> list[str | None]:
    tasks = Counter(decision.question.task for decision in _decisions(run).values())
    return [task for task, _ in tasks.most_common(MOST_TASKS)]


def _decisions(run: AlignmentRun) -> dict[str, Decision]:
    """What the sources said of the run's episodes under the rules so far, where it was decided."""
    simulated = {id: run.simulated[id] for id in run.episode_ids if id in run.simulated}
    return {
        id: answer.decision
        for id, answer in simulated.items()
        if answer.decision and answer.decision.applied
    }


def _of_task(run: AlignmentRun, labels: Mapping[str, str], task: str | None) -> list[Candidate]:
    decisions = {id: each for id, each in _decisions(run).items() if each.question.task == task}
    question = next(iter(decisions.values())).question
    base = weights_of(task, run.weights) or default_weights(question.kind, task)
    fitted = fit_weights(examples(decisions, labels, [*run.batch, *run.earlier_batches]))
    has_names = any(s.name == "names" for each in decisions.values() for s in each.sources)
    has_recent = any(each.recent_history for each in decisions.values())
    tried = [
        *([fitted.model_copy(update={"shown": base.shown})] if fitted else []),
        *steps_from(base, len(decisions), has_names=has_names, has_recent=has_recent),
        *_showing_fewer(run, base, decisions),
    ]
    return [
        Candidate(rules=run.rules, weights=_with(run.weights, each))
        for each in tried
        if each.model_copy(update={"labels": base.labels}) != base
    ]


def _showing_fewer(
    run: AlignmentRun, base: Weights, decisions: Mapping[str, Decision]
) -> list[Weights]:
    """The same weights with half of the recalled episodes shown."""
    kinds: list[QuestionKind] = [each.question.kind for each in decisions.values()]
    kind = kinds[0] if kinds else None
    most = most_shown(base.task, [base], choice=kind)
    shown = max(len(run.episode_contexts[id].recalled[:most]) for id in decisions)
    return (
        [base.model_copy(update={"shown": shown // 2, "labels": len(decisions)})] if shown else []
    )


def _with(all_weights: list[Weights], new: Weights) -> list[Weights]:
    """All weights, with ``new`` in place of those of its task."""
    return [*(each for each in all_weights if each.task != new.task), new]
