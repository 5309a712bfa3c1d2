"""Facts: what can be computed from the user's own labels, exactly and without a model."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite
from statistics import fmean, median, pstdev

from personaagent.core.records import Episode, TaskFacts

RECENT = 5
SHOWN_LABELS = 15
LABEL_WORDS = 4
SPOKEN = 3
"""Free texts of which the length is worth telling."""


def compute_facts(episodes: Iterable[Episode]) -> list[TaskFacts]:
    """Facts of each task over the labelled episodes given, most labels first.

    The labels of a task are read as numbers if all are numbers; as classes if they are short
    (at most 4 words) and some repeat, or may yet do so (the first two of a named task); else as
    free text, of which the length is kept. ``recent`` describes the latest 5
    against those before, from 10 labels on.
    """
    by_task: dict[str | None, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if episode.labelled:
            by_task[episode.task].append(episode)
    facts = [_task_facts(task, given) for task, given in by_task.items()]
    return sorted(facts, key=lambda each: (-each.count, each.task or ""))


def describe_facts(facts: Sequence[TaskFacts]) -> str:
    """The facts in words, a line for each task; empty where there are none."""
    return "\n".join(line for each in facts for line in _describe(each))


def _task_facts(task: str | None, episodes: list[Episode]) -> TaskFacts:
    ordered = sorted(episodes, key=lambda episode: (episode.created_at, episode.id))
    wanted = [(episode.ground_truth or "").strip() for episode in ordered]
    numbers = _as_numbers(wanted)
    if numbers:
        return TaskFacts(
            task=task,
            count=len(wanted),
            labels=_counts(wanted),
            numbers={
                "mean": round(fmean(numbers), 2),
                "spread": round(pstdev(numbers), 2),
                "lowest": min(numbers),
                "highest": max(numbers),
            },
            recent=_recent_numbers(numbers),
        )
    if _are_classes(task, wanted):
        return TaskFacts(
            task=task, count=len(wanted), labels=_counts(wanted), recent=_recent_labels(wanted)
        )
    words = [len(text.split()) for text in wanted]
    return TaskFacts(
        task=task,
        count=len(wanted),
        words={"median": median(words), "shortest": min(words), "longest": max(words)},
        recent=_recent_words(words),
    )


def _as_numbers(wanted: list[str]) -> list[float]:
    try:
        numbers = [float(text) for text in wanted]
    except ValueError:
        return []
    return numbers if all(map(isfinite, numbers)) else []  # float() reads "nan" and "infinity"


def _are_classes(task: str | None, wanted: list[str]) -> bool:
    short = all(len(text.split()) <= LABEL_WORDS for text in wanted)
    repeat = len(set(wanted)) < len(wanted)
    return short and (repeat or (task is not None and len(wanted) < SPOKEN))


def _counts(wanted: list[str]) -> dict[str, int]:
    ranked = sorted(Counter(wanted).items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(ranked[:SHOWN_LABELS])


def _recent_numbers(numbers: list[float]) -> str | None:
    before, latest = numbers[:-RECENT], numbers[-RECENT:]
    if len(before) < RECENT or round(fmean(latest), 1) == round(fmean(before), 1):
        return None
    return f"mean of the latest {RECENT}: {fmean(latest):.1f}, before: {fmean(before):.1f}"


def _recent_labels(wanted: list[str]) -> str | None:
    before, latest = wanted[:-RECENT], wanted[-RECENT:]
    if len(before) < RECENT:
        return None
    label, count = Counter(latest).most_common(1)[0]
    if count < 3 or Counter(before).most_common(1)[0][0] == label:
        return None
    return f"lately {label}: {count} of the latest {RECENT}"


def _recent_words(words: list[int]) -> str | None:
    before, latest = words[:-RECENT], words[-RECENT:]
    if len(before) < RECENT or not 0.67 * median(before) > median(latest):
        longer = len(before) >= RECENT and median(latest) > 1.5 * median(before)
        return f"lately longer: {median(latest):g} words" if longer else None
    return f"lately shorter: {median(latest):g} words"


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
