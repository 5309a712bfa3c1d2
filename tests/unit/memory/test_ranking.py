"""Ranking: the fusion of two scores, and ties."""

import numpy as np

from personaagent.memory.index.protocol import Scores
from personaagent.memory.ranking import fuse


def scores(ids: str, dense: list[float] | None = None, bm25: list[float] | None = None) -> Scores:
    """One row an id (``e3`` is of the time 3)."""
    names = ids.split()
    return Scores(
        np.array(names, dtype=object),
        np.array([float(name[1:]) for name in names]),
        np.full(len(names), -1),
        None if dense is None else np.array(dense, dtype=np.float32),
        None if bm25 is None else np.array(bm25, dtype=np.float32),
        np.zeros((len(names), 3), dtype=np.int32),
    )


def test_fusion_agrees_with_a_calculation_by_hand() -> None:
    # e1: 1/61 + 1/63 = 0.03227; e2: 1/62 + 1/62 = 0.03226; e4: 1/61; e3: 1/63
    both = scores("e1 e2 e3 e4", dense=[9, 8, 7, 0], bm25=[1, 2, 0, 3])
    assert fuse(both, 3) == ["e1", "e2", "e4"]


def test_ties_go_to_the_newer_episode() -> None:
    assert fuse(scores("e1 e2", dense=[1, 0.5], bm25=[0, 3]), 1) == ["e2"]
    assert fuse(scores("e1 e2", dense=[0.5, 0.5]), 5) == ["e2", "e1"]
    assert fuse(scores("e1 e2", dense=[0.5, 0.5], bm25=[2, 2]), 5) == ["e2", "e1"]


def test_an_episode_that_shares_no_term_is_not_found_by_terms() -> None:
    assert fuse(scores("e1 e2", bm25=[0, 1]), 5) == ["e2"]
