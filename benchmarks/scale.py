"""Size and cost for many users, computed from what was measured: the tables of ``docs/scale.md``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doc_tables import short, size, table
from peak import processes_needed
from results import Result
from scale_figures import SOURCES, Assumptions, Figures, sources

USERS = (10_000, 1_000_000, 100_000_000)
TEMPLATE = Path(__file__).with_name("scale.template.md")
DAY, YEAR = 86_400.0, 365
GIGABYTE = 1e9


@dataclass(frozen=True)
class Load:
    """What so many users ask for, and what it takes."""

    users: int
    figures: Figures
    assumed: Assumptions

    @property
    def turns_a_day(self) -> float:
        """Of all users."""
        return self.users * self.assumed.active * self.assumed.turns

    @property
    def peak(self) -> float:
        """Turns a second in the busiest hour."""
        return self.turns_a_day * self.assumed.peak_share / 3600

    @property
    def alignments_a_day(self) -> float:
        """One for every eight labels, the setting's default."""
        return self.turns_a_day * self.assumed.labels / ALIGN_AFTER

    @property
    def processes(self) -> int:
        """Server processes for the busiest hour, by simulation."""
        return processes_needed(self.peak, self.figures.turn_cpu)

    @property
    def database(self) -> float:
        """Bytes in Postgres after a year."""
        episodes = self.turns_a_day * YEAR * self.figures.episode
        return episodes + self.turns_a_day * self.assumed.thread_days * self.figures.thread

    @property
    def vectors(self) -> float:
        """Bytes of memory that Qdrant needs after a year."""
        episodes = self.turns_a_day * YEAR
        return episodes * self.figures.vectors * self.assumed.graph_factor

    @property
    def align_cores(self) -> float:
        """Cores that align without a pause."""
        seconds = self.figures.align_calls * self.figures.call_cpu
        return self.alignments_a_day * seconds / DAY

    @property
    def tokens(self) -> float:
        """A day: of turns and alignments."""
        turns = self.turns_a_day * self.assumed.turn_tokens
        return turns + self.alignments_a_day * self.figures.align_tokens

    @property
    def price(self) -> float:
        """Dollars a month of machines and disks, without the models."""
        cores = self.processes + self.align_cores
        disks = self.database + self.turns_a_day * YEAR * self.figures.terms
        return (
            cores * self.assumed.core_month
            + disks / GIGABYTE * self.assumed.disk_month
            + self.vectors / GIGABYTE * self.assumed.memory_month
        )


ALIGN_AFTER = 8
ALIGN_ROUNDS = 3
NIGHTLY_RUNS = 4
"""The defaults of the settings, which a test holds."""


def scale_page(results: Mapping[str, Result]) -> str:
    """The text of ``docs/scale.md``.

    Raises:
        NotMeasured: a figure is missing.
    """
    figures, assumed = Figures.of(results), Assumptions()
    loads = [Load(users, figures, assumed) for users in USERS]
    text = TEMPLATE.read_text("utf-8")
    limits = sorted(_limits(figures, assumed), key=lambda limit: limit.users)
    for mark, text_there in {
        "{measured}": _measured(results),
        "{assumed}": _assumed(assumed),
        "{sizes}": _sizes(loads),
        "{limits}": table(
            ("What", "Holds until", "Then"),
            [(each.what, f"{short(each.users)} users", each.then) for each in limits],
        ),
        "{first}": limits[0].what[0].upper() + limits[0].what[1:],
        "{first_users}": short(limits[0].users),
        "{deployments}": short(math.ceil(USERS[-1] / _database_users(figures, assumed))),
    }.items():
        text = text.replace(mark, text_there)
    return text


@dataclass(frozen=True)
class Limit:
    """Up to how many users something holds, and what to do then."""

    what: str
    users: float
    then: str


def _limits(figures: Figures, assumed: Assumptions) -> list[Limit]:
    one = Load(1, figures, assumed)
    aligning = ALIGN_ROUNDS * figures.round_latencies * assumed.answer_seconds
    at_night = NIGHTLY_RUNS * assumed.night_hours * 3600 / aligning
    in_half_a_core = 0.5 / figures.turn_cpu
    processes = assumed.connections / assumed.connections_of_process
    return [
        Limit(
            "one server process at half load",
            in_half_a_core / one.peak,
            "more processes, with a queue and Qdrant",
        ),
        Limit(
            f"{NIGHTLY_RUNS} alignments at once, if all fell into a night of "
            f"{assumed.night_hours:g} hours",
            at_night / one.alignments_a_day,
            "raise `PERSONAAGENT_ALIGN_NIGHTLY_RUNS`",
        ),
        Limit(
            "connections to Postgres without a pooler",
            processes * in_half_a_core / one.peak,
            "PgBouncer in session mode",
        ),
        Limit(
            "the memory of one Qdrant node, after a year",
            assumed.memory / one.vectors,
            "more shards, by user",
        ),
        Limit(
            "the disk of one Postgres, after a year",
            _database_users(figures, assumed),
            "a second deployment, chosen by a hash of the user id",
        ),
        Limit(
            "what one Postgres can write in the busiest hour",
            assumed.disk_writes / (figures.episode + figures.thread) / one.peak,
            "a second deployment",
        ),
        Limit(
            "the nightly sweep, two processes",
            figures.sweep_rate * assumed.night_hours * 3600 / min(1, one.alignments_a_day),
            "more servers: they share it",
        ),
    ]


def _database_users(figures: Figures, assumed: Assumptions) -> float:
    return assumed.disk / Load(1, figures, assumed).database


def _sizes(loads: list[Load]) -> str:
    rows: list[tuple[str, ...]] = [
        ("turns a day", *(short(each.turns_a_day) for each in loads)),
        ("turns a second in the busiest hour", *(short(each.peak) for each in loads)),
        ("server processes for it (simulated)", *(short(each.processes) for each in loads)),
        ("Postgres after a year", *(size(each.database) for each in loads)),
        ("Qdrant after a year: memory", *(size(each.vectors) for each in loads)),
        (
            "shards, one on each node",
            *(short(math.ceil(each.vectors / each.assumed.memory)) for each in loads),
        ),
        (
            "in place of Qdrant, the index of a single process",
            *(size(each.turns_a_day * YEAR * each.figures.index) for each in loads),
        ),
        (
            "the same episodes in data folders",
            *(size(each.turns_a_day * YEAR * each.figures.folder) for each in loads),
        ),
        ("alignments a day", *(short(each.alignments_a_day) for each in loads)),
        (
            "their tokens a day",
            *(short(each.alignments_a_day * each.figures.align_tokens) for each in loads),
        ),
        ("cores that align", *(short(each.align_cores) for each in loads)),
        ("all tokens a day", *(short(each.tokens) for each in loads)),
        ("machines and disks, dollars a month", *(short(each.price) for each in loads)),
        (
            "models, dollars a month",
            *(short(30 * each.tokens / 1e6 * each.assumed.million_tokens) for each in loads),
        ),
    ]
    return table(("", *(f"{short(each.users)} users" for each in loads)), rows)


def _measured(results: Mapping[str, Result]) -> str:
    rows = []
    for name, (command, _, _) in SOURCES.items():
        figures = sources(results, name)
        value = sum(each.value for each in figures)
        text = f"{value:,.{0 if value >= 100 else 1}f}{figures[0].unit}"
        rows.append((" + ".join(each.name for each in figures), text, f"`{command}`"))
    return table(("What", "Measured", "By"), rows)


def _assumed(assumed: Assumptions) -> str:
    rows = [
        ("users who are there on a day", f"{assumed.active:.0%}"),
        ("turns of each of them", f"{assumed.turns:g}"),
        ("share of the day's turns in the busiest hour", f"{assumed.peak_share:.0%}"),
        ("answers that are labelled", f"{assumed.labels:.0%}"),
        ("tokens of a turn", f"{assumed.turn_tokens:,.0f}"),
        ("seconds of an answer to alignment", f"{assumed.answer_seconds:g}"),
        ("days that a thread keeps every step", f"{assumed.thread_days:g}"),
        ("disk of one Postgres; what it can write", f"{size(assumed.disk)}; 100 MB/s"),
        ("connections to it", f"{assumed.connections:g}"),
        ("memory of a Qdrant node", size(assumed.memory)),
        ("a vector with its links in memory", f"{assumed.graph_factor:g}x the vector"),
        (
            "dollars a month: core; GB of disk; GB of memory",
            f"{assumed.core_month:g}; {assumed.disk_month:g}; {assumed.memory_month:g}",
        ),
        ("dollars for a million tokens", f"{assumed.million_tokens:g}"),
    ]
    return table(("What", "Assumed"), rows)
