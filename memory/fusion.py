"""Fusion: one order out of both scores, the conversation around each hit, and time.

Pure numpy over the columns of ``Scores``; hidden episodes are not among them. The constants were
chosen on LoCoMo (``benchmarks/locomo_recall.py``).
"""

from typing import TYPE_CHECKING

import numpy as np

from personaagent.memory.index.protocol import PassageSpan, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

BM25_WEIGHT = 4.0
"""Standard deviations of the dense score that a BM25 score of ln(1 + n) adds."""
BEFORE, AFTER = 0.3, 0.2
"""Parts of the scores of the turn before and of the turn after that an episode gains."""
CONVERSATION, BEST_TURNS = 0.5, 3
"""Part of the mean score of its conversation's best turns that an episode gains."""
CONTEXT_HITS = 300
"""Conversations without one of so many best hits gain nothing."""


def rank(scores: Scores, limit: int) -> "Rows":
    """The rows of the ``limit`` best episodes, best first; of equal ones, the newer first.

    By BM25 alone, only episodes that share a term with the query.
    """
    relevance = _relevance(scores)
    if relevance is None:
        return np.zeros(0, dtype=np.intp)
    if scores.dense is None:
        sharing = np.flatnonzero(relevance > 0)
        return sharing[_best(relevance[sharing], scores.at[sharing], limit)]
    return _best(relevance + _context(relevance, scores), scores.at, limit)


def best_passages(scores: Scores, limit: int) -> dict[str, PassageSpan]:
    """The best passage of each of the ``limit`` best episodes by its id, best episode first."""
    return {str(scores.episode_ids[row]): scores.passage(row) for row in rank(scores, limit)}


def _relevance(scores: Scores) -> "Floats | None":
    """z(dense) + ``BM25_WEIGHT`` * bm25 / ln(1 + n), for n episodes.

    Sums of scores keep how much better a hit is, which reciprocal ranks throw away (Bruch, Gai and
    Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023). Dense scores have no
    scale of their own, so they are standardised. BM25 has one: ln(1 + n) is about the idf of a term
    that only one episode has. So words that all episodes share weigh next to nothing, as they should;
    standardised, their differences would be blown up into a vote.
    """
    if scores.dense is None:
        return None if scores.bm25 is None else scores.bm25.astype(np.float64)
    dense = scores.dense.astype(np.float64)
    spread = float(dense.std()) if len(dense) else 0.0
    relevance = (dense - dense.mean()) / spread if spread > 1e-9 else np.zeros(len(dense))
    if scores.bm25 is not None:
        relevance += BM25_WEIGHT * scores.bm25 / np.log1p(max(len(dense), 1))
    return relevance


def _context(relevance: "Floats", scores: Scores) -> "Floats":
    """What each episode gains by the conversation that it is a turn of.

    The answer to "Did you like it?" names nothing that a question could ask for; the turn before
    does, and the whole conversation tells what it is about.
    """
    gain = np.zeros(len(relevance))
    order = _turns_in_order(relevance, scores)
    if len(order) < 2:
        return gain
    turns, thread = relevance[order], scores.thread[order]
    same = thread[1:] == thread[:-1]
    near = np.zeros(len(order))
    near[1:] += BEFORE * np.where(same, turns[:-1], 0.0)
    near[:-1] += AFTER * np.where(same, turns[1:], 0.0)
    gain[order] = near + CONVERSATION * _best_turns(turns, thread)
    return gain


def _turns_in_order(relevance: "Floats", scores: Scores) -> "Rows":
    """The rows of the conversations that hold one of the ``CONTEXT_HITS`` best hits, in order of
    conversation and time; only they can gain enough to matter."""
    if len(relevance) > CONTEXT_HITS:
        hits = np.argpartition(relevance, -CONTEXT_HITS)[-CONTEXT_HITS:]
        threads = np.unique(scores.thread[hits])
        place = np.minimum(np.searchsorted(threads, scores.thread), len(threads) - 1)
        rows = np.flatnonzero((threads[place] == scores.thread) & (scores.thread >= 0))
    else:
        rows = np.flatnonzero(scores.thread >= 0)
    return rows[np.lexsort((scores.at[rows], scores.thread[rows]))]


def _best_turns(turns: "Floats", thread: "NDArray[np.int64]") -> "Floats":
    """For each turn the mean score of the ``BEST_TURNS`` best turns of its conversation.

    A conversation of one turn has no others, and gains nothing. ``thread`` is sorted.
    """
    number = np.cumsum(np.diff(thread, prepend=thread[0]) != 0)
    best_first = np.lexsort((-turns, number))
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    place = np.arange(len(turns)) - starts[number]
    counted = place < BEST_TURNS
    totals = np.bincount(number, np.where(counted, turns[best_first], 0.0))
    sizes = np.bincount(number)
    means = np.where(sizes > 1, totals / np.minimum(sizes, BEST_TURNS), 0.0)
    return np.asarray(means[number])


def _best(relevance: "Floats", at: "Floats", limit: int) -> "Rows":
    """The positions of the ``limit`` highest values, highest first; of equal ones, the newer."""
    if len(relevance) > limit:
        bound = np.partition(relevance, -limit)[-limit]
        candidates = np.flatnonzero(relevance >= bound)
    else:
        candidates = np.arange(len(relevance))
    return candidates[np.lexsort((-at[candidates], -relevance[candidates]))][:limit]
