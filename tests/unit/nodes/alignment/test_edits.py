"""Edits that alignment may not make: rules that put one label in place of another."""

import pytest

from personaagent.core.alignment import Loss, Metric
from personaagent.nodes.alignment.edits import swaps_answers


def loss(wanted: str, given: str, metric: Metric = "label") -> Loss:
    score = float(wanted == given)
    return Loss(episode="e1", metric=metric, score=score, expected=wanted, simulated=given)


WRONG = loss("dark comedy", "Dystopia.")


@pytest.mark.parametrize(
    ("rule", "losses", "swaps"),
    [
        ("Use the word 'dark comedy' instead of 'dystopia' in its answer.", [WRONG], True),
        ("Sage „Dark Comedy“ statt „Dystopia“.", [WRONG], True),
        ("Answer with one word, such as dystopia.", [WRONG], False),
        ("Call dark films dark comedy.", [WRONG], False),
        ("Prefer a dark comedy to a dystopian film.", [WRONG], False),
        ("Say dark comedy, not dystopia.", [loss("dark comedy", "dark comedy")], False),
        ("Say dark comedy, not dystopia.", [loss("dark comedy", "dystopia", "rouge")], False),
    ],
)
def test_a_rule_may_not_name_the_wanted_and_the_given_label(
    rule: str, losses: list[Loss], swaps: bool
) -> None:
    assert swaps_answers(rule, losses) == swaps
