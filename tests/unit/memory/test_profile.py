"""The labels that a profile lists, and their types."""

from pathlib import Path

import pytest

from personaagent.memory.label_types import LabelType
from personaagent.memory.profile import LabelledAt
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, memory_of, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def anna(tmp_path: Path) -> UserMemory:
    return memory_of("anna", tmp_path)


async def test_labelled_episodes_are_listed_newest_first_over_all_tasks(anna: UserMemory) -> None:
    assert await anna.profile.labelled() == []
    await remember(
        anna,
        episode("e1", day=1, task="stars", ground_truth="5"),
        episode("e2", day=3, ground_truth="a long and free text it is"),
        episode("e3", day=2, task="stars", ground_truth="4"),
        episode("e4", day=4, task="stars"),
    )
    day = START.timestamp()
    assert await anna.profile.labelled() == [
        LabelledAt("e2", None, day + 3 * 86400),
        LabelledAt("e3", "stars", day + 2 * 86400),
        LabelledAt("e1", "stars", day + 86400),
    ]
    assert await anna.profile.label_types() == {
        "stars": LabelType("numbers", ["4", "5"], 4.0, 5.0),
        None: LabelType("text", []),
    }
    await anna.episodes.give_feedback("e4", "edit", "great")
    stars = (await anna.profile.label_types())["stars"]
    assert stars.kind == "text", "as soon as a label says otherwise"


async def test_at_most_128_labels_of_a_task_are_listed(anna: UserMemory) -> None:
    await remember(anna, *[episode(f"e{n}", day=n, task="t", ground_truth="x") for n in range(140)])
    assert [each.id for each in await anna.profile.labelled()][::127] == ["e139", "e12"]
