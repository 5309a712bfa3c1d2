"""Fusion: how scores, conversations and time make one order."""

from collections.abc import Sequence

import numpy as np
import pytest

from personaagent.memory.fusion import rank
from personaagent.memory.index.protocol import Scores


def scores(
    dense: Sequence[float] | None,
    bm25: Sequence[float] | None = None,
    *,
    at: Sequence[float] | None = None,
    thread: Sequence[int] | None = None,
) -> Scores:
    """Columns of that many rows; of the times 0, 1, ... and of no conversation if not given."""
    n = len(dense if dense is not None else bm25 or ())
    return Scores(
        episode_ids=np.array([f"e{row}" for row in range(n)], dtype=object),
        at=np.array(range(n) if at is None else at, dtype=np.float64),
        thread=np.full(n, -1) if thread is None else np.array(thread, dtype=np.int64),
        dense=None if dense is None else np.array(dense, dtype=np.float32),
        bm25=None if bm25 is None else np.array(bm25, dtype=np.float32),
        passages=np.zeros((n, 3), dtype=np.int32),
    )


def ranked(of: Scores, limit: int = 9) -> list[int]:
    return rank(of, limit).tolist()


def test_the_sum_agrees_with_a_calculation_by_hand() -> None:
    # z = (-1.22, 0, 1.22); BM25 adds 4 / ln 4 = 2.89 each: 2.89 * 0.4 = 1.15, 2.89 * 0.5 = 1.44
    assert ranked(scores([0.1, 0.2, 0.3], [0.0, 0.4, 0.0])) == [2, 1, 0]
    assert ranked(scores([0.1, 0.2, 0.3], [0.0, 0.5, 0.0])) == [1, 2, 0]


def test_equal_scores_go_to_the_newer_episode() -> None:
    assert ranked(scores([0.5, 0.5, 0.5], at=[2, 3, 1])) == [1, 0, 2]
    assert ranked(scores([0.5, 0.5, 0.5], at=[2, 3, 1]), 2) == [1, 0]
    assert ranked(scores(None, [1.0, 1.0, 2.0], at=[2, 3, 1])) == [2, 1, 0]


def test_one_mode_needs_no_other_score() -> None:
    assert ranked(scores([0.1, 0.3, 0.2])) == [1, 2, 0]
    assert ranked(scores(None, [0.0, 3.0, 1.0])) == [1, 2], "BM25 finds what shares a term"
    assert ranked(scores(None)) == []
    assert ranked(scores([])) == []


@pytest.mark.parametrize("shared", ["by all", "by some"])
def test_words_that_many_share_do_not_outvote_the_one_right_hit(shared: str) -> None:
    """The right episode is long, so its BM25 score is the lowest of those that share the words."""
    n, sharing = 100, 100 if shared == "by all" else 40
    idf = np.log1p((n - sharing + 0.5) / (sharing + 0.5))
    lengths = np.random.default_rng(0).uniform(0.9, 1.1, n)
    bm25 = np.where(np.arange(n) < sharing, idf * lengths, 0.0)
    bm25[0] = idf * 0.7
    dense = np.random.default_rng(1).normal(0.3, 0.05, n)
    dense[0] = dense.max() + 0.04
    assert ranked(scores(dense.tolist(), bm25.tolist()), 1) == [0]


def test_a_rare_word_finds_what_the_embedding_misses() -> None:
    n = 100
    dense = np.random.default_rng(1).normal(0.3, 0.05, n)
    bm25 = np.zeros(n)
    bm25[7] = np.log1p((n - 0.5) / 1.5)
    assert ranked(scores(dense.tolist(), bm25.tolist()), 1) == [7]


def test_the_turn_after_a_good_hit_rises_and_so_does_the_one_before() -> None:
    alone, in_thread = [-1] * 6, [7, 7, 7, -1, 8, -1]
    dense = [0.2, 0.9, 0.25, 0.3, 0.29, 0.28]
    assert ranked(scores(dense, thread=alone))[:3] == [1, 3, 4]
    assert ranked(scores(dense, thread=in_thread))[:3] == [1, 2, 0]


def test_turns_are_neighbours_by_time_and_not_by_row() -> None:
    thread, at = [7, 7, 7, 7, -1, -1, -1], [0, 3, 2, 1, 4, 5, 6]
    dense = [0.9, 0.1, 0.1, 0.1, 0.0, 0.0, 0.0]
    assert ranked(scores(dense, thread=thread, at=at))[:2] == [0, 3]


def test_a_conversation_of_one_turn_gains_nothing() -> None:
    dense = [0.5, 0.4, 0.3, 0.1]
    assert ranked(scores(dense, thread=[1, 2, 3, 4])) == ranked(scores(dense)) == [0, 1, 2, 3]


def test_a_large_memory_is_ranked_like_a_small_one() -> None:
    random = np.random.default_rng(0)
    n = 20_000
    dense, bm25 = random.normal(0, 0.1, n), np.zeros(n)
    dense[[5000, 123]] = 0.9, 0.95
    thread = np.arange(n) // 10
    best = ranked(scores(dense.tolist(), bm25.tolist(), thread=thread.tolist()), 8)
    assert {5000, 123, 5001, 124} <= set(best)
