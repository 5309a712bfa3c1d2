"""No gate: every proposal becomes the persona, as in the paper."""

from personaagent.core.alignment_run import AlignmentRun
from personaagent.nodes.alignment.evaluator import Evaluator
from personaagent.nodes.alignment.strategies.protocols import FinalPersona, Verdict


class AcceptAll:
    """Accepts what update proposes (paper, Algorithm 1)."""

    needs_holdout = False

    async def decide(self, run: AlignmentRun, evaluator: Evaluator) -> Verdict:
        """Accept the first candidate without evaluating it."""
        if not run.candidates:
            return Verdict(None, accepted=False, reason="the editor wrote nothing")
        return Verdict(run.candidates[0], accepted=True, reason="taken without proof")

    async def final_persona(self, run: AlignmentRun, evaluator: Evaluator) -> FinalPersona:
        """The rules of the last round."""
        return FinalPersona(run.rules, run.weights)
