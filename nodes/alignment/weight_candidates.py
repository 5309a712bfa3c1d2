"""Candidates that change no rule: weights of the sources, and how many episodes are shown."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from personaagent.core.alignment import Candidate
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.decision import Decision
from personaagent.core.weights import Weights, weights_of, with_weights
from personaagent.nodes.agent.inject_persona import most_shown
from personaagent.nodes.alignment.fit_weights import examples, fit_weights
from personaagent.nodes.decision.defaults import default_weights

MOST_TASKS = 3
"""Tasks whose weights one round tries, those with the most decisions first."""


async def weight_candidates(run: AlignmentRun, labels: Mapping[str, str]) -> list[Candidate]:
    """Candidates with other weights for the tasks whose closed questions the run has simulated.

    They are fitted on all episodes of the run, whose simulations are paid for; each is then judged by
    weights that were fitted without it. Weights that the user has locked stay.

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


def decisions_of(run: AlignmentRun, episode_ids: Sequence[str]) -> dict[str, Decision]:
    """What the sources said of these episodes under the rules so far, where it was decided."""
    simulated = {id: run.simulated[id] for id in episode_ids if id in run.simulated}
    return {
        id: answer.decision
        for id, answer in simulated.items()
        if answer.decision and answer.decision.applied
    }


def _tasks(run: AlignmentRun) -> list[str | None]:
    decisions = decisions_of(run, run.episode_ids)
    tasks = Counter(decision.question.task for decision in decisions.values())
    return [task for task, _ in tasks.most_common(MOST_TASKS)]


def _of_task(run: AlignmentRun, labels: Mapping[str, str], task: str | None) -> list[Candidate]:
    decisions = decisions_of(run, run.episode_ids)
    decisions = {id: each for id, each in decisions.items() if each.question.task == task}
    kind = next(iter(decisions.values())).question.kind
    base = weights_of(task, run.weights) or default_weights(kind, task)
    tried = [_fitted(run, base, labels, decisions), _showing_fewer(run, base, decisions)]
    return [candidate for candidate in tried if candidate]


def _fitted(
    run: AlignmentRun,
    base: Weights,
    labels: Mapping[str, str],
    decisions: Mapping[str, Decision],
) -> Candidate | None:
    learned = examples(decisions, labels)
    fitted = fit_weights([*learned.values()])
    if fitted is None:
        return None
    keeps = {"shown": base.shown}
    weights = fitted.weights.model_copy(update=keeps)
    if weights.model_copy(update={"labels": base.labels}) == base:
        return None
    without = [each.model_copy(update=keeps) for each in fitted.without]
    return _candidate(run, weights, dict(zip(learned, without, strict=True)))


def _showing_fewer(
    run: AlignmentRun, base: Weights, decisions: Mapping[str, Decision]
) -> Candidate | None:
    """The same weights with half of the recalled episodes shown."""
    kind = next(iter(decisions.values())).question.kind
    most = most_shown(base.task, [base], choice=kind)
    shown = max(len(run.episode_contexts[id].recalled[:most]) for id in decisions)
    if not shown:
        return None
    fewer = {"shown": shown // 2}
    of_task = {id: each for id, each in run.left_out.items() if each.task == base.task}
    left_out = {id: each.model_copy(update=fewer) for id, each in of_task.items()}
    return _candidate(run, base.model_copy(update=fewer), left_out)


def _candidate(run: AlignmentRun, new: Weights, left_out: dict[str, Weights]) -> Candidate:
    return Candidate(rules=run.rules, weights=with_weights(run.weights, new), left_out=left_out)
