"""Facts: what can be computed from the user's own labels, exactly and without a model."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median, pstdev
from typing import TypeVar

from personaagent.core.records import TaskFacts
from personaagent.memory.label_counts import LabelCounts, is_short, words_in
from personaagent.memory.label_types import (
    MIN_TEXTS,
    LabelTypeName,
    are_options,
    by_frequency,
    label_type_of,
)

RECENT = 5
SHOWN_LABELS = 15

T = TypeVar("T")
NamedLabel = tuple[str, str]
"""A task and one of its labels. A task alone has the label ""; labels without a task have ""."""


def compute_facts(all_counts: Iterable[LabelCounts]) -> list[TaskFacts]:
    """The facts of each task, by the type of its labels (``label_type_of``), most labels first.

    Of free text, only the length counts. From 10 labels on, ``recent`` compares the latest 5 with
    those before. Labels that only mark an option have no facts.
    """
    facts = [_task_facts(counts) for counts in all_counts if not are_options(counts)]
    return sorted(facts, key=lambda task: (-task.count, task.task or ""))


def describe_facts(facts: Sequence[TaskFacts]) -> str:
    """The facts in words, a line for each task; empty where there are none."""
    return "\n".join(line for task in facts for line in _describe(task))


def named_labels(facts: Iterable[TaskFacts]) -> set[NamedLabel]:
    """Every task and label that these facts name."""
    return {(task.task or "", label) for task in facts for label in _labels_named_by(task)}


def nameable_labels(all_counts: Iterable[LabelCounts]) -> set[NamedLabel]:
    """Every task and label that facts computed from these counts, now or later, could name."""
    return {
        (counts.task or "", label)
        for counts in all_counts
        for label in ("", *map(_canonical, filter(is_short, counts.counts)))
    }


def _task_facts(counts: LabelCounts) -> TaskFacts:
    kind = label_type_of(counts).kind
    return TaskFacts(
        task=counts.task,
        count=counts.count,
        labels=_shown_labels(counts) if kind != "text" else {},
        numbers=_number_statistics(counts) if kind == "numbers" else {},
        words=_word_statistics(counts) if kind == "text" else {},
        recent=_recent_change(kind, counts),
    )


def _shown_labels(counts: LabelCounts) -> dict[str, int]:
    """The most frequent labels and the most recent ones, with their counts."""
    latest = {label.token for label in counts.latest[:RECENT]}
    return {
        label: count
        for rank, (label, count) in enumerate(by_frequency(counts).items())
        if rank < SHOWN_LABELS or label in latest
    }


def _word_statistics(counts: LabelCounts) -> dict[str, float]:
    words = _expand(counts.counts, words_in)
    return {"median": median(words), "shortest": min(words), "longest": max(words)}


def _number_statistics(counts: LabelCounts) -> dict[str, float]:
    numbers = _expand(counts.counts, float)
    return {
        "mean": round(fmean(numbers), 2),
        "spread": round(pstdev(numbers), 2),
        "lowest": min(numbers),
        "highest": max(numbers),
    }


def _recent_change(kind: LabelTypeName, counts: LabelCounts) -> str | None:
    """How the latest labels differ from those before; None if they do not, or are too few."""
    latest = Counter(label.token for label in counts.latest[:RECENT])
    before = Counter(counts.counts) - latest
    if not latest.total() == RECENT <= before.total():
        return None
    compare = {"numbers": _recent_numbers, "labels": _recent_labels, "text": _recent_words}[kind]
    return compare(latest, before)


def _recent_numbers(latest: Counter[str], before: Counter[str]) -> str | None:
    now, then = fmean(_expand(latest, float)), fmean(_expand(before, float))
    if round(now, 1) == round(then, 1):
        return None
    return f"mean of the latest {RECENT}: {now:.1f}, before: {then:.1f}"


def _recent_labels(latest: Counter[str], before: Counter[str]) -> str | None:
    [(label, count)] = latest.most_common(1)
    if count < 3 or before[label] == max(before.values()):
        return None
    return f"lately {label}: {count} of the latest {RECENT}"


def _recent_words(latest: Counter[str], before: Counter[str]) -> str | None:
    now, then = median(_expand(latest, words_in)), median(_expand(before, words_in))
    if now < 0.67 * then:
        return f"lately shorter: {now:g} words"
    return f"lately longer: {now:g} words" if now > 1.5 * then else None


def _expand(counts: dict[str, int], parse: Callable[[str], T]) -> list[T]:
    """Each token, parsed, as many times as it was counted."""
    return [value for token, count in counts.items() for value in [parse(token)] * count]


def _labels_named_by(facts: TaskFacts) -> list[str]:
    numbers = [str(facts.numbers[end]) for end in ("lowest", "highest") if facts.numbers]
    return ["", *map(_canonical, facts.labels), *numbers]


def _canonical(label: str) -> str:
    """The label; a number as ``str(float)``, which is how facts name its value."""
    try:
        return str(float(label))
    except ValueError:
        return label


def _describe(facts: TaskFacts) -> list[str]:
    """One line; none where there is too little to say."""
    clauses = _clauses(facts)
    name = f"Task {facts.task}" if facts.task else "In general"
    return [f"{name} ({facts.count} labelled): {'; '.join(clauses)}."] if clauses else []


def _clauses(facts: TaskFacts) -> list[str]:
    clauses = []
    if facts.numbers:
        clauses.append(
            "the user gave {mean:g} on average (spread {spread:g}, from {lowest:g} to "
            "{highest:g})".format(**facts.numbers)
        )
    if facts.labels:
        labels = ", ".join(f"{label} ({count})" for label, count in facts.labels.items())
        clauses.append(f"the user chose {labels}")
    if facts.words and facts.count >= MIN_TEXTS:
        clauses.append(
            "the user wants about {median:g} words ({shortest:g} to {longest:g})".format(
                **facts.words
            )
        )
    return [*clauses, facts.recent] if facts.recent else clauses
