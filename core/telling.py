"""What was learned, what was not and why, and what is missing: in the words that a user reads."""

from collections.abc import Sequence

from personaagent.core.counting import counted
from personaagent.core.records import Pair, Rule
from personaagent.core.weights import Weights

MOST_TOLD = 3
"""Refusals that are told where there is little room."""


def learned(
    before: Sequence[Rule],
    after: Sequence[Rule],
    pairs: Sequence[Pair],
    weights: Sequence[Weights] = (),
) -> str:
    """What an alignment learned, such as "Learned: answer in Dutch (8 of your 8 questions got better)."

    Args:
        before, after: the rules of the version before, and of the one that was published.
        pairs: the losses on the user's own questions.
        weights: those of the published version that the version before has not.
    """
    return f"Learned: {_changes(before, after, weights)} ({improvement(pairs)})."


def improvement(pairs: Sequence[Pair]) -> str:
    """On how many of the user's own questions the answers came closer to what they wanted."""
    scored = [
        (pair.before, pair.after)
        for pair in pairs
        if pair.before is not None and pair.after is not None
    ]
    if not scored:
        return "not tested"
    better = sum(after < before for before, after in scored)
    worse = sum(after > before for before, after in scored)
    got_worse = f", {worse} got worse" if worse else ""
    return f"{better} of your {counted(len(scored), 'question')} got better{got_worse}"


def refusals(refused: Sequence[str], most: int = MOST_TOLD) -> str:
    """Why rules were not taken, in one line; empty if none was refused.

    Args:
        refused: the rules with their reasons, one each, the latest last.
        most: how many are named; of the others, how many there are.
    """
    named = list(dict.fromkeys(refused))
    others = f" (and {len(named) - most} more)" if len(named) > most else ""
    return " ".join(f"{'; '.join(named[:most])}{others}".split())


def labels_missing(missing: int) -> str:
    """How many corrections are missing until an alignment starts by itself; empty for 0."""
    if missing <= 0:
        return ""
    return f"{counted(missing, 'correction')} more until I learn."


def _changes(before: Sequence[Rule], after: Sequence[Rule], weights: Sequence[Weights]) -> str:
    """The rules that are new or changed, and those that are gone, as one sentence without its end."""
    texts = {rule.text for rule in before}
    ids = {rule.id for rule in after}
    changes = [_clause(rule.text) for rule in after if rule.text not in texts]
    changes += [f'no longer "{rule.text}"' for rule in before if rule.id not in ids]
    for each in weights:
        task = f" for {each.task}" if each.task else ""
        changes.append(f"how much your history counts{task}")
    return "; ".join(changes) or "how much your history counts"


def _clause(text: str) -> str:
    """A rule inside a sentence: in one line, without the full stop, beginning in lower case."""
    line = " ".join(text.split()).rstrip(".。।")
    begins_sentence = line[:1].isupper() and line[1:2].islower()
    return line[:1].lower() + line[1:] if begins_sentence else line
