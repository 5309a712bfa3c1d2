"""Facts: worked by hand, and exact at any time."""

import asyncio
from pathlib import Path

import pytest

from personaagent.core.records import Episode, TaskFacts
from personaagent.memory.facts import compute_facts, describe_facts
from personaagent.memory.forget import forget
from personaagent.memory.label_counts import count_labels
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def labelled(*labels: str, task: str | None = "genre") -> list[Episode]:
    """An episode a label, a day apart, the last the newest."""
    return [
        episode(f"{task}{day}", day=day, ground_truth=label, task=task)
        for day, label in enumerate(labels)
    ]


def the_facts(*labels: str) -> TaskFacts:
    [facts] = compute_facts(count_labels(reversed(labelled(*labels))))
    return facts


def test_labels_are_counted() -> None:
    facts = the_facts("drama", "comedy", "drama", "science fiction")
    assert facts.count == 4
    assert list(facts.labels.items()) == [("drama", 2), ("comedy", 1), ("science fiction", 1)]
    assert (facts.numbers, facts.words, facts.recent) == ({}, {}, None)
    assert describe_facts([facts]) == (
        "Task genre (4 labelled): the user chose drama (2), comedy (1), science fiction (1)."
    )


def test_numbers_are_averaged() -> None:
    facts = the_facts("5", "4", " 3 ", "4")
    assert facts.numbers == {"mean": 4.0, "spread": 0.71, "lowest": 3.0, "highest": 5.0}
    assert facts.labels == {"4": 2, "3": 1, "5": 1}
    assert "4 on average (spread 0.71, from 3 to 5)" in describe_facts([facts])


@pytest.mark.parametrize("word", ["nan", "inf", "-Infinity", "1e999"])
def test_words_that_python_parses_as_numbers_are_not_numbers(word: str) -> None:
    facts = the_facts("3", word, "4", "3")
    assert facts.numbers == {}
    assert facts.labels[word] == 1


def test_options_have_no_facts() -> None:
    assert compute_facts(count_labels(labelled("[1]", "[2]", "[1]"))) == []
    assert the_facts("[1]", "both of them", "[1]").labels == {"[1]": 2, "both of them": 1}


def test_free_text_is_measured() -> None:
    facts = the_facts("one two three four five six", "one", "one two three four five")
    assert facts.words == {"median": 5, "shortest": 1, "longest": 6}
    assert facts.labels == {}


def test_labels_that_never_repeat_are_free_text() -> None:
    assert the_facts("red", "green", "blue").words["median"] == 1
    assert the_facts("red", "green").labels == {"green": 1, "red": 1}, "they may yet repeat"


def test_a_single_label_without_a_task_has_no_description() -> None:
    [facts] = compute_facts(count_labels(labelled("Nice!", task=None)))
    assert (facts.count, facts.labels) == (1, {})
    assert describe_facts([facts]) == ""


@pytest.mark.parametrize(
    ("labels", "recent"),
    [
        ("aaaaabbbba", "lately b: 4 of the latest 5"),
        ("aaaaabbaab", "lately b: 3 of the latest 5"),
        ("aaaaabbaaa", None),
        ("aaaabbbbb", None),
        ("1111155555", "mean of the latest 5: 5.0, before: 1.0"),
        ("1212112121", None),
    ],
)
def test_a_change_of_recent_labels_is_described(labels: str, recent: str | None) -> None:
    assert the_facts(*labels).recent == recent


def test_a_change_of_recent_lengths_is_described() -> None:
    long, short = "ten words that are more than four words long, say", "a bit more than four"
    assert the_facts(*[long] * 5, *[short] * 5).recent == "lately shorter: 5 words"
    assert the_facts(*[short] * 5, *[long] * 5).recent == "lately longer: 10 words"
    assert the_facts(*[long] * 10).recent is None


def test_each_task_has_facts_of_its_own_most_labels_first() -> None:
    given = [*labelled("5", task="stars"), *labelled("drama", "drama"), *labelled("x", task=None)]
    assert [(each.task, each.count) for each in compute_facts(count_labels(given))] == [
        ("genre", 2),
        (None, 1),
        ("stars", 1),
    ]
    assert "Task stars (1 labelled)" in describe_facts(compute_facts(count_labels(given)))
    assert compute_facts(count_labels([episode("e1")])) == []
    assert describe_facts([]) == ""


async def genres(memory: UserMemory) -> dict[str, int]:
    facts = (await memory.profile.read()).facts
    return facts[0].labels if facts else {}


async def test_facts_follow_every_label(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    assert await genres(anna) == {}
    await remember(anna, *labelled("drama", "drama"), episode("e9", task="genre", response="war"))
    assert await genres(anna) == {"drama": 2}
    await anna.episodes.give_feedback("e9", "edit", "comedy")
    assert await genres(anna) == {"drama": 2, "comedy": 1}
    await anna.episodes.give_feedback("e9", "accept", force=True)
    assert await genres(anna) == {"drama": 2, "war": 1}
    await anna.episodes.give_feedback("e9", "reject", force=True)
    assert await genres(anna) == {"drama": 2}
    await anna.episodes.give_feedback("genre0", "edit", "war")
    await forget(anna, ["genre1"], _no_threads)
    assert await genres(anna) == {"war": 1}
    await forget(anna, ["genre0"], _no_threads)
    assert await genres(anna) == {}


async def _no_threads(threads: object) -> None:
    return None


async def test_facts_are_cached_until_a_label_changes(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *labelled("drama", "drama"))
    await anna.profile.read()
    [kept] = await anna.store.get("profile", "facts")
    await remember(anna, episode("unlabelled"))
    await anna.profile.read()
    assert await anna.store.get("profile", "facts") == [kept]


async def test_facts_are_exact_under_concurrent_writers(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *labelled(*["drama"] * 30))

    async def relabel(number: int) -> None:
        await anna.episodes.give_feedback(f"genre{number}", "edit", "comedy")

    async def read() -> None:
        await anna.profile.read()

    await asyncio.gather(*[relabel(n) if n % 2 else read() for n in range(30)])
    assert await genres(anna) == {"comedy": 15, "drama": 15}


async def test_a_label_written_while_facts_are_computed_is_not_lost(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *labelled("drama", "drama", "comedy"))
    scan = anna.episodes.scan

    async def then_write(**only: bool) -> object:
        async for one in scan(**only):
            yield one
        await anna.episodes.give_feedback("genre2", "edit", "drama")

    anna.episodes.scan = then_write  # type: ignore[assignment, method-assign]
    await anna.profile.read()
    anna.episodes.scan = scan  # type: ignore[method-assign]
    assert await genres(anna) == {"drama": 3}
