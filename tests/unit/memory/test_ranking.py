"""Ranking: the fusion of two rankings, and ties."""

from personaagent.memory.index.protocol import Hit, Ranking
from personaagent.memory.ranking import fuse


def hits(*ids: str) -> list[Hit]:
    """One hit an id (``e3`` is of the time 3), best first."""
    return [Hit(each, float(each[1:]), score=-rank) for rank, each in enumerate(ids)]


def test_fusion_agrees_with_a_calculation_by_hand() -> None:
    # e1: 1/61 + 1/63 = 0.03227; e2: 1/62 + 1/62 = 0.03226; e4: 1/61; e3: 1/63
    assert fuse(Ranking(hits("e1", "e2", "e3"), hits("e4", "e2", "e1"))) == ["e1", "e2", "e4", "e3"]


def test_ties_go_to_the_newer_episode() -> None:
    assert fuse(Ranking(hits("e1"), hits("e2"))) == ["e2", "e1"]
    same_score = [Hit("e1", 1.0, 0.5), Hit("e2", 2.0, 0.5)]
    assert fuse(Ranking(same_score, [])) == ["e2", "e1"]
    assert fuse(Ranking(same_score, same_score)) == ["e2", "e1"]
