"""The measured figures that sizes and costs are computed from, and what is assumed beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from measurement import Measurement
from results import Result

SERVER = "16 clients, endpoint of 0 s, this agent"


class NotMeasured(Exception):
    """A figure that is needed was not measured: its message names the benchmark."""


@dataclass(frozen=True)
class Assumptions:
    """What was not measured. Prices are in dollars; they are examples, not offers."""

    active: float = 0.1
    """Share of the users who are there on a day."""
    turns: float = 10
    """Of an active user, a day."""
    peak_share: float = 1 / 6
    """Of the day's turns, in the busiest hour."""
    labels: float = 1 / 20
    """Answers that are corrected or accepted."""
    turn_tokens: float = 3_500
    """Read and written by the model in a turn."""
    answer_seconds: float = 1.0
    """Of the model that alignment asks."""
    thread_days: float = 30
    """How long a thread keeps every step."""
    disk: float = 4e12
    """Bytes of one Postgres."""
    disk_writes: float = 100e6
    """Bytes a second that one Postgres can write, day in, day out."""
    connections: float = 500
    """To one Postgres without a pooler."""
    connections_of_process: float = 66
    """That a server process opens at most."""
    memory: float = 64e9
    """Bytes of a Qdrant node."""
    graph_factor: float = 1.5
    """Memory of a vector with its links against the vector alone (Qdrant's own rule of thumb)."""
    night_hours: float = 6
    core_month: float = 30.0
    disk_month: float = 0.1
    """Of a gigabyte."""
    memory_month: float = 4.0
    """Of a gigabyte."""
    million_tokens: float = 0.3


@dataclass(frozen=True)
class Figures:
    """What was measured of this code.

    Args:
        turn_cpu: processor seconds of a turn on the server.
        episode: bytes of a turn that stay in Postgres.
        thread: bytes of a turn that stay while its thread keeps every step.
        index: bytes of an episode in the embedded index.
        folder: bytes of an episode in a data folder, with its index.
        vectors: bytes of an episode's vectors, on a Qdrant server in memory.
        terms: bytes of its terms and its payload there.
        align_tokens: tokens of an alignment of three rounds.
        align_calls: its model calls.
        call_cpu: processor seconds of one of them.
        round_latencies: how many answers a round waits for, one after another.
        sweep_rate: users a second that the nightly sweep goes through.
    """

    turn_cpu: float
    episode: float
    thread: float
    index: float
    folder: float
    vectors: float
    terms: float
    align_tokens: float
    align_calls: float
    call_cpu: float
    round_latencies: float
    sweep_rate: float

    @classmethod
    def of(cls, results: Mapping[str, Result]) -> "Figures":
        """The figures in these results.

        Raises:
            NotMeasured: one is missing.
        """
        values = {each.name: _figure(results, each.name) for each in fields(cls)}
        return cls(**values)


Source = tuple[str, float, tuple[str, ...]]
SOURCES: dict[str, Source] = {
    "turn_cpu": ("server_load --queue", 1e-3, (f"{SERVER}: processor time a turn",)),
    "episode": ("server_storage", 1, ("a turn in Postgres, as episode and marks",)),
    "thread": (
        "server_storage",
        1,
        ("a turn in Postgres, as thread and run", "a turn in Postgres, as checkpoints"),
    ),
    "index": ("server_storage", 1, ("an episode in the index",)),
    "folder": ("many_users", 1, ("*00,000 episodes: database",)),
    "vectors": ("qdrant_points", 1, ("its vectors",)),
    "terms": ("qdrant_points", 1, ("its terms", "its payload")),
    "align_tokens": (
        "alignment_cost",
        1,
        ("n = 3, tokens to learn, gated", "n = 3, tokens of the gate"),
    ),
    "align_calls": (
        "alignment_cost",
        1,
        ("n = 3, calls to learn, gated", "n = 3, calls of the gate"),
    ),
    "call_cpu": ("alignment_users", 1e-3, ("processor time a call of alignment",)),
    "round_latencies": ("alignment_round", 1, ("a round at 1 s an answer (median)",)),
    "sweep_rate": ("nightly_sweep", 1, ("users swept a second, two processes",)),
}
"""Where each figure comes from: the command, a factor, and the measurements that are added up."""


def sources(results: Mapping[str, Result], name: str) -> list[Measurement]:
    """The measurements that are added up to the figure ``name``.

    Raises:
        NotMeasured: one is missing.
    """
    command, _, names = SOURCES[name]
    figures = [results[command].find(each) if command in results else None for each in names]
    if missing := [each for each, figure in zip(names, figures, strict=True) if figure is None]:
        raise NotMeasured(f"{command} has not measured: {missing[0]}")
    return [figure for figure in figures if figure is not None]


def _figure(results: Mapping[str, Result], name: str) -> float:
    return SOURCES[name][1] * sum(each.value for each in sources(results, name))
