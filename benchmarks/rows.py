"""The table that this project is held to: each row is one figure of a benchmark, with its target."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from measurement import Measurement


@dataclass(frozen=True)
class Row:
    """One row.

    Args:
        what: the row in words.
        command: the script that measures it, without ``.py``, and its arguments.
        name: the name of its measurement; ``*`` stands for any text.
        baseline: what the figure is against, or how it is counted.
        most: the target.
        least: likewise.
        unit: of figure and target.
    """

    what: str
    command: str
    name: str
    baseline: str
    most: float | None = None
    least: float | None = None
    unit: str = "x"

    def of(self, measurements: Iterable[Measurement]) -> Measurement | None:
        """The row's measurement; None if it was not measured."""
        return next((each for each in measurements if fnmatchcase(each.name, self.name)), None)

    @property
    def target_text(self) -> str:
        """The target in words."""
        return Measurement(self.what, 0, self.unit, self.most, self.least).target_text


def with_targets(command: str, measurements: Iterable[Measurement]) -> list[Measurement]:
    """The measurements of a command, with the targets and baselines of its rows."""
    return [_with_target(command, each) for each in measurements]


def _with_target(command: str, measurement: Measurement) -> Measurement:
    for row in ROWS:
        if row.command == command and row.of([measurement]):
            return replace(measurement, most=row.most, least=row.least, baseline=row.baseline)
    return measurement


STOCK = "`create_agent` with `ChatOpenAI` and SQLite checkpoints"
BARE = "a LangGraph agent without memory on the same server"

ROWS = (
    Row(
        "a turn, user with 10,000 episodes",
        "turn_overhead",
        "a turn, 10,000 episodes, against*",
        STOCK,
        most=1.6,
    ),
    Row(
        "a turn, user with 1,000 episodes",
        "turn_overhead",
        "a turn, 1,000 episodes, against*",
        STOCK,
        most=1.4,
    ),
    Row(
        "a turn with one tool call",
        "turn_overhead",
        "a turn with a tool, against*",
        STOCK,
        most=1.1,
    ),
    Row(
        "store trips a turn",
        "turn_overhead",
        "a turn, 10,000 episodes, store trips",
        "counted",
        most=3,
        unit="",
    ),
    Row(
        "a turn on the server as deployed, 16 clients, endpoint at once",
        "server_load --queue",
        "16 clients, endpoint of 0 s, latency (median) against bare",
        BARE,
        most=1.15,
    ),
    Row(
        "the same in one process",
        "server_load",
        "16 clients, endpoint of 0 s, latency (median) against bare",
        BARE,
        most=1.25,
    ),
    Row(
        "a round of alignment, n = 8, m = 8, 200 ms an answer",
        "alignment_round",
        "a round at 200 ms an answer (median)",
        "one answer of the endpoint",
        most=6,
        unit=" latencies",
    ),
    Row(
        "evaluation, 64 at once, 200 ms an answer",
        "eval_rate",
        "64 at once, share of the ideal rate",
        "320 answers a second",
        least=0.95,
        unit="",
    ),
    Row(
        "`personaagent ask`, processor time to the first token",
        "startup",
        "personaagent ask*processor*",
        "model apart",
        most=2,
        unit=" s",
    ),
    Row(
        "the same, memory",
        "startup",
        "personaagent ask*memory*",
        "model apart",
        most=250,
        unit=" MB",
    ),
    Row(
        "`import personaagent`",
        "startup",
        "import personaagent*",
        "`python -c pass`",
        most=0.1,
        unit=" s",
    ),
    Row(
        "an answer of the embedded model with memory",
        "demo_answer",
        "an answer with memory against*",
        "the same prompts without a cache",
        most=0.5,
    ),
    Row(
        "recall from 1,000,000 episodes",
        "many_users",
        "*: search against*",
        "10,000 episodes",
        most=2,
    ),
    Row(
        "forgetting one of 1,000,000 episodes",
        "many_users",
        "*: forget one against*",
        "10,000 episodes",
        most=3,
    ),
    Row(
        "memory of a process that has searched 1,000,000 episodes",
        "many_users",
        "*: memory against*",
        "10,000 episodes",
        most=4,
    ),
)
