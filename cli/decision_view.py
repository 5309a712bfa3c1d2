"""How a decision looks on the terminal."""

from personaagent.core.decision import Decision

SHOWN = 3


def decision_view(decision: Decision) -> str:
    """Its reason as it was decided, then the likeliest answers, and what each source weighs."""
    reason = decision.reason or decision.answer
    weights = ", ".join(f"{source.name} {source.weight:g}" for source in decision.sources)
    weighed = f" Weights: {weights}." if weights else ""
    return f"{reason[:1].upper()}{reason[1:]}.\nTogether: {_likeliest(decision)}.{weighed}"


def _likeliest(decision: Decision) -> str:
    ordered = sorted(decision.probabilities.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{answer} {probability:.0%}" for answer, probability in ordered[:SHOWN])
