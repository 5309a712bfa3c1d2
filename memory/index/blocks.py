"""Blocks: runs of a user's rows, decoded into columns for numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from personaagent.memory.index.rows import term_type

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTES_OF_AN_ID = 90
"""A Python string of an episode's id, with the pointer to it."""


@dataclass(frozen=True)
class Block:
    """Passages (p) of consecutive rows, their episodes (e) and terms (t).

    ``first`` is where the passages of each episode begin. ``vectors`` (p x d) is zero where there is
    none; None if no passage has one. ``terms`` lists the terms of all passages one after another.
    """

    first_id: int
    last_id: int
    episode_ids: "NDArray[np.object_]"
    at: "NDArray[np.float64]"
    thread: "NDArray[np.int64]"
    first: "NDArray[np.int64]"
    spans: "NDArray[np.int32]"
    vectors: "NDArray[np.float32] | None"
    embedded: "NDArray[np.bool_]"
    lengths: "NDArray[np.float64]"
    terms: "NDArray[np.uint32]"
    counts: "NDArray[np.float16]"
    term_passages: "NDArray[np.intp]"

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "Block":
        """Decode these rows, in the order of ``rows.PAGE``; there is at least one.

        Raises:
            ValueError: they hold vectors of several sizes.
        """
        ids, episodes, at, thread, part, start, stop, vectors, terms = zip(*rows, strict=True)
        names = np.array(episodes, dtype=object)
        first = np.flatnonzero(np.concatenate(([True], names[1:] != names[:-1])))
        packed: Any = np.frombuffer(b"".join(terms), dtype=term_type())
        sizes = np.array([len(each) for each in terms]) // packed.dtype.itemsize
        passages = np.repeat(np.arange(len(rows), dtype=np.intp), sizes)
        counts = packed["count"].copy()
        embedded = np.array([vector is not None for vector in vectors])
        return cls(
            first_id=ids[0],
            last_id=ids[-1],
            episode_ids=names[first],
            at=np.array(at, dtype=np.float64)[first],
            thread=np.array(thread, dtype=np.int64)[first],
            first=first,
            spans=np.array([part, start, stop], dtype=np.int32).T.copy(),
            vectors=_vectors(vectors, embedded),
            embedded=embedded,
            lengths=np.bincount(passages, counts, minlength=len(rows)).astype(np.float64),
            terms=packed["term"].copy(),
            counts=counts,
            term_passages=passages,
        )

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self.spans)

    @cached_property
    def nbytes(self) -> int:
        """How much memory the block takes (bytes)."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes for array in arrays) + len(self.episode_ids) * BYTES_OF_AN_ID


def _vectors(
    blobs: Sequence[bytes | None], embedded: "NDArray[np.bool_]"
) -> "NDArray[np.float32] | None":
    """The vectors as a matrix (p x d), in single precision: numpy is slow with half."""
    present = [blob for blob in blobs if blob is not None]
    if not present:
        return None
    half = np.frombuffer(b"".join(present), dtype="<f2").reshape(len(present), -1)
    if {len(blob) for blob in present} != {half.itemsize * half.shape[1]}:
        raise ValueError("vectors of several sizes")
    if len(present) == len(blobs):
        return half.astype(np.float32)
    vectors = np.zeros((len(blobs), half.shape[1]), dtype=np.float32)
    vectors[embedded] = half
    return vectors
