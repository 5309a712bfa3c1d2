"""The held-out gate: it tries candidates, accepts the best that passes, and chooses what to publish."""

import asyncio
from collections.abc import Sequence

from personaagent.core.alignment import Candidate
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.records import Pair
from personaagent.core.weights import describe_weights
from personaagent.nodes.alignment.evaluator import EvalResult, Evaluator
from personaagent.nodes.alignment.strategies.editors import describe
from personaagent.nodes.alignment.strategies.gate_rule import Losses, loss_change
from personaagent.nodes.alignment.strategies.protocols import FinalPersona, Verdict
from personaagent.nodes.alignment.strategies.trials import Trial, try_all
from personaagent.nodes.alignment.weight_candidates import weight_candidates


class HeldOutGate:
    """Accepts the best of the candidates that pass (``gate_rule.py``); a tie keeps the persona.

    Rules, weights and how much is shown are one pool.
    """

    needs_holdout = True

    async def decide(self, run: AlignmentRun, evaluator: Evaluator) -> Verdict:
        """Try all candidates, and accept the best of those that pass, if any does."""
        labels = {id: e.ground_truth or "" for id, e in evaluator.episodes_by_id.items()}
        pool = [*run.candidates, *await weight_candidates(run, labels)]
        if not pool:
            return Verdict(None, accepted=False, reason="no edit could be made")
        trials = await try_all(pool, run, evaluator)
        best = _best(trials)
        cost = EvalResult.merge(trial.result for trial in trials)
        return Verdict(
            best.candidate,
            accepted=best.passing,
            reason=best.reason(best),
            losses_after=best.result.losses,
            refused=_refused(trials, best),
            usage=cost.usage,
            cached=cost.cached,
        )

    async def final_persona(self, run: AlignmentRun, evaluator: Evaluator) -> FinalPersona:
        """The persona that does best on all episodes of the run together; of equals the earliest.

        An accepted persona can turn out worse than an earlier one: ``hardest`` sampling changes the
        batch each round. All else was simulated before and comes from the cache.
        """
        personas = run.personas
        results = await asyncio.gather(
            *(evaluator.evaluate(persona, run.episode_ids) for persona in personas)
        )
        before = results[0].losses
        changes = [loss_change(before, result.losses, run.episode_ids) for result in results]
        best = changes.index(min(changes))
        usage = EvalResult.merge(results).usage
        chosen = personas[best]
        pairs = _pairs(before, results[best].losses, run) if best else []
        return FinalPersona(chosen.rules, chosen.weights, pairs, usage)


def described(candidate: Candidate) -> str:
    """What a candidate changes, in one line."""
    if candidate.weights is None:
        return " and ".join(map(describe, candidate.operations))
    return " and ".join(f"{each.id}: {describe_weights(each)}" for each in candidate.weights)


def _best(trials: Sequence[Trial]) -> Trial:
    """The lowest change of loss among those that pass, else those that are better, else all."""
    passing = [trial for trial in trials if trial.passing]
    better = [trial for trial in trials if trial.better]
    return min(passing or better or trials, key=lambda trial: trial.change)


def _refused(trials: Sequence[Trial], best: Trial) -> list[str]:
    """What the editor is told of its own candidates."""
    return [
        f"- {described(trial.candidate)}: {trial.reason(best)}"
        for trial in trials
        if trial.candidate.weights is None and not (trial is best and best.passing)
    ]


def _pairs(before: Losses, after: Losses, run: AlignmentRun) -> list[Pair]:
    return [
        Pair(
            episode=episode_id,
            part="holdout" if episode_id in run.holdout else "batch",
            before=before[episode_id].loss,
            after=after[episode_id].loss,
            before_answer=before[episode_id].simulated,
            after_answer=after[episode_id].simulated,
        )
        for episode_id in run.episode_ids
        if episode_id in before and episode_id in after
    ]
