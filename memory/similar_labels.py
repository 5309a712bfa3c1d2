"""The labelled episodes of a task that are nearest to a query by meaning."""

from typing import NamedTuple


class SimilarLabel(NamedTuple):
    """A labelled episode: its id, the token of its label, its cosine to the query, and its time
    (Unix seconds)."""

    episode_id: str
    token: str
    cosine: float
    at: float
