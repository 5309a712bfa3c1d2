"""Facts: what can be computed from the user's own labels, exactly and without a model."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median, pstdev
from typing import TypeVar

from personaagent.core.records import TaskFacts
from personaagent.memory.label_counts import LabelCounts, is_short, words_in
from personaagent.memory.label_types import (
    SPOKEN,
    LabelTypeName,
    are_options,
    label_type_of,
    ranked,
)

RECENT = 5
SHOWN_LABELS = 15

Value = TypeVar("Value")
Named = tuple[str, str]
"""A task and a label of it; a task by itself has the label "", and no task is "" too."""


def compute_facts(tallies: Iterable[LabelCounts]) -> list[TaskFacts]:
    """Facts of each task, most labels first, by the kind of its labels (``label_type_of``).

    Of free text the length is kept. ``recent`` describes the latest 5 against those before,
    from 10 labels on. There are none of labels that only mark an option.
    """
    facts = [_task_facts(each) for each in tallies if not are_options(each)]
    return sorted(facts, key=lambda each: (-each.count, each.task or ""))


def describe_facts(facts: Sequence[TaskFacts]) -> str:
    """The facts in words, a line for each task; empty where there are none."""
    return "\n".join(line for each in facts for line in _describe(each))


def named_in(facts: Iterable[TaskFacts]) -> set[Named]:
    """What these facts name: every task, and every label that they tell."""
    return {
        (each.task or "", label)
        for each in facts
        for label in (
            "",
            *map(_plain, each.labels),
            *(str(each.numbers[end]) for end in ("lowest", "highest") if each.numbers),
        )
    }


def nameable(tallies: Iterable[LabelCounts]) -> set[Named]:
    """All that facts can name as long as the labels are these."""
    return {
        (each.task or "", label)
        for each in tallies
        for label in ("", *map(_plain, filter(is_short, each.counts)))
    }


def _plain(label: str) -> str:
    """The label; a number as facts hold its value."""
    try:
        return str(float(label))
    except ValueError:
        return label


def _task_facts(tally: LabelCounts) -> TaskFacts:
    kind = label_type_of(tally).kind
    latest = {label.token for label in tally.latest[:RECENT]}
    labels = {
        label: count
        for place, (label, count) in enumerate(ranked(tally).items())
        if place < SHOWN_LABELS or label in latest
    }
    recent = _recent(kind, tally)
    if kind == "labels":
        return TaskFacts(task=tally.task, count=tally.count, labels=labels, recent=recent)
    if kind == "text":
        words = _values(tally.counts, words_in)
        shape = {"median": median(words), "shortest": min(words), "longest": max(words)}
        return TaskFacts(task=tally.task, count=tally.count, words=shape, recent=recent)
    numbers = _values(tally.counts, float)
    shape = {
        "mean": round(fmean(numbers), 2),
        "spread": round(pstdev(numbers), 2),
        "lowest": min(numbers),
        "highest": max(numbers),
    }
    return TaskFacts(
        task=tally.task, count=tally.count, labels=labels, numbers=shape, recent=recent
    )


def _recent(kind: LabelTypeName, tally: LabelCounts) -> str | None:
    """What is different about the latest labels; None where there is nothing to compare."""
    latest = Counter(label.token for label in tally.latest[:RECENT])
    before = Counter(tally.counts) - latest
    if not latest.total() == RECENT <= before.total():
        return None
    tell = {"numbers": _recent_numbers, "labels": _recent_labels, "text": _recent_words}[kind]
    return tell(latest, before)


def _values(counts: dict[str, int], read: Callable[[str], Value]) -> list[Value]:
    """What ``read`` makes of each token, as often as that was given."""
    return [value for token, count in counts.items() for value in [read(token)] * count]


def _recent_numbers(latest: Counter[str], before: Counter[str]) -> str | None:
    now, then = fmean(_values(latest, float)), fmean(_values(before, float))
    if round(now, 1) == round(then, 1):
        return None
    return f"mean of the latest {RECENT}: {now:.1f}, before: {then:.1f}"


def _recent_labels(latest: Counter[str], before: Counter[str]) -> str | None:
    [(label, count)] = latest.most_common(1)
    if count < 3 or before[label] == max(before.values()):
        return None
    return f"lately {label}: {count} of the latest {RECENT}"


def _recent_words(latest: Counter[str], before: Counter[str]) -> str | None:
    now, then = median(_values(latest, words_in)), median(_values(before, words_in))
    if now < 0.67 * then:
        return f"lately shorter: {now:g} words"
    return f"lately longer: {now:g} words" if now > 1.5 * then else None


def _describe(facts: TaskFacts) -> list[str]:
    """One line; none where there is too little to say."""
    name = f"Task {facts.task}" if facts.task else "In general"
    parts = []
    if facts.numbers:
        parts.append(
            "the user gave {mean:g} on average (spread {spread:g}, from {lowest:g} to "
            "{highest:g})".format(**facts.numbers)
        )
    if facts.labels:
        parts.append(
            "the user chose " + ", ".join(f"{label} ({n})" for label, n in facts.labels.items())
        )
    if facts.words and facts.count >= SPOKEN:
        parts.append(
            "the user wants about {median:g} words ({shortest:g} to {longest:g})".format(
                **facts.words
            )
        )
    if facts.recent:
        parts.append(facts.recent)
    return [f"{name} ({facts.count} labelled): {'; '.join(parts)}."] if parts else []
