"""LaMP-1: which of two papers somebody cites, on invented data in the published layout."""

from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError
from personaagent.eval.samples import Query, Sample
from personaagent.eval.tasks.all import TASKS
from tests.support.eval_data import lamp, only_query, score_text

Json = dict[str, Any]


def samples(data: Path, task: str, *queries: Json, seed: int = 0) -> list[Sample]:
    return [*TASKS[task].samples(lamp(data, task, *queries), seed)]


def citing(name: str, *titles: str, gold: str = "[1]") -> Json:
    """A question of an author who wrote ``titles``."""
    return {
        "id": name,
        "input": f'For an author who has written the paper with the title "{name}\'s", which '
        "reference is related? Just answer with [1] or [2] without explanation. "
        f'[1]: "On {name}" [2]: "Not {name}"',
        "profile": [{"id": title, "title": title, "abstract": ""} for title in titles],
        "gold": gold,
    }


CITING = (
    citing("Ann", "Boats", "Sails", "On Ann", gold="[2]"),
    citing("Bob", "Trees", "Leaves", "Not Ann", "Boats"),
)


def test_pairs_are_built_from_profiles_alone(tmp_path: Path) -> None:
    ann, _ = samples(tmp_path, "LaMP_1", *(each | {} for each in CITING))
    assert len(ann.history) == 2, "a pair for each paper that no question names"
    for episode, own in zip(ann.history, ("Boats", "Sails"), strict=True):
        first, second = episode.query.split('[1]: "')[1].rstrip('"').split('" [2]: "')
        related = first if episode.ground_truth == "[1]" else second
        other = second if episode.ground_truth == "[1]" else first
        assert related == own
        assert other in {"Trees", "Leaves"}, "of another author, of neither question, not Ann's own"
        written = {"Boats": "Sails", "Sails": "Boats"}[own]
        assert f'the title "{written}", which reference is related?' in episode.query


def test_the_seed_decides_sides_and_pairs(tmp_path: Path) -> None:
    data = lamp(tmp_path, "LaMP_1", *(each | {} for each in CITING))
    drawn = [
        [(e.query, e.ground_truth) for e in next(TASKS["LaMP_1"].samples(data, seed)).history]
        for seed in (*range(8), 0)
    ]
    assert drawn[0] == drawn[-1]
    assert {side for pairs in drawn for _, side in pairs} == {"[1]", "[2]"}


async def test_both_orders_of_the_references(tmp_path: Path) -> None:
    ann, _ = samples(tmp_path, "LaMP_1", *(each | {} for each in CITING))
    query = only_query(ann)
    assert (query.options, query.gold) == (["On Ann", "Not Ann"], "[2]")
    assert query.swapped is not None
    assert query.swapped.text == query.text.replace("On Ann", "?").replace(
        "Not Ann", "On Ann"
    ).replace('?"', 'Not Ann"')
    assert (query.swapped.options, query.swapped.gold) == (["Not Ann", "On Ann"], "[1]")
    assert (await score_text(TASKS["LaMP_1"], ann, "[2]")).scores == {"correct": 1, "exact": 1}
    assert (await score_text(TASKS["LaMP_1"], ann, "Not Ann")).scores == {"correct": 1, "exact": 0}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("[2]", "[2]"),
        ("2", "[2]"),
        ("2. It is about cats of 1 kind.", "[2]"),
        ('The related one is [1]: "Ants and 2 bees"', "[1]"),
        ("Option 2 is related.", "[2]"),
        ("Answer: 1", "[1]"),
        ("[1] or [2]", None),
        ("Owls, and other birds", "[2]"),
        ("Ants and 2 bees, or Owls", None),
        ("Neither", None),
        ("", None),
    ],
)
def test_how_options_are_read(text: str, read: str | None) -> None:
    query = Query(id="q", text="?", options=["Ants and 2 bees.", "owls"])
    assert TASKS["LaMP_1"].read(query, text) == read


def test_a_question_without_two_references_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two references"):
        samples(tmp_path, "LaMP_1", citing("Ann") | {"input": "Which?"})
