"""What the prompt of a closed question says of the nearest labels."""

from personaagent.core.decision import ClosedQuestion
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.decision.evidence import evidence


def nearest(*tokens: str) -> list[SimilarLabel]:
    return [SimilarLabel(f"e{n}", token, 0.5, float(n)) for n, token in enumerate(tokens)]


def test_the_nearest_labels_are_counted_in_words() -> None:
    asked = ClosedQuestion(kind="labels", answers=["comedy", "action"])
    told = evidence(asked, nearest("comedy", "action", "comedy", "drama"))
    assert "Of the 3 most similar, this user chose: comedy (2), action (1)." in told


def test_numbers_are_not_told_because_they_drown_the_question() -> None:
    asked = ClosedQuestion(kind="numbers", answers=["1", "2", "3"])
    assert evidence(asked, nearest("1", "3", "3")) == ""
