"""How a decision looks on the terminal."""

from personaagent.core.decision import Decision, Source

SHOWN = 3
_NAMES = {"history": "Your history", "model": "The model", "names": "The names of the answers"}


def decision_in_words(decision: Decision) -> str:
    """What each source says and how much it counts, then the answer and how sure it is."""
    best = _likeliest(decision.probabilities)
    unchanged = "" if decision.applied else " It did not change the answer's text."
    lines = [_source_in_words(source) for source in decision.sources if source.weight]
    return "\n".join([*lines, f"Together: {best}. Chosen: {decision.answer}.{unchanged}"])


def _source_in_words(source: Source) -> str:
    return f"{_NAMES[source.name]} (weight {source.weight:g}): {_likeliest(source.probabilities)}"


def _likeliest(probabilities: dict[str, float]) -> str:
    ordered = sorted(probabilities.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{answer} {probability:.0%}" for answer, probability in ordered[:SHOWN])
