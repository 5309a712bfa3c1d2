"""Episodes: the ground truth that feedback leads to, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from personaagent.core.errors import UnknownEpisode
from personaagent.core.records import Signal
from tests.support.memories import episode, memory_of, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.mark.parametrize(
    ("signal", "text", "truth"),
    [("edit", "Rye.", "Rye."), ("accept", None, "White."), ("reject", None, None)],
)
async def test_the_signal_decides_the_ground_truth(
    tmp_path: Path, signal: Signal, text: str | None, truth: str | None
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", response="White."))
    given = await anna.episodes.give_feedback("e1", signal, text)
    assert (given.signal, given.ground_truth, given.response) == (signal, truth, "White.")
    assert await anna.episodes.get("e1") == given
    assert given.labelled == (truth is not None)


async def test_the_last_feedback_counts(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", response="White."))
    await anna.episodes.give_feedback("e1", "edit", "Rye.")
    await anna.episodes.give_feedback("e1", "reject")
    assert (await anna.episodes.get("e1")).ground_truth is None
    await anna.episodes.give_feedback("e1", "accept")
    assert (await anna.episodes.get("e1")).ground_truth == "White."


async def test_an_edit_without_text_is_refused(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1"))
    with pytest.raises(ValidationError, match="needs the ground_truth"):
        await anna.episodes.give_feedback("e1", "edit")
    assert (await anna.episodes.get("e1")).signal is None


async def test_an_unknown_episode_is_refused(tmp_path: Path) -> None:
    ben = memory_of("ben", tmp_path)
    with pytest.raises(UnknownEpisode, match="no episode 'e1' in the memory of 'ben'"):
        await ben.episodes.give_feedback("e1", "accept")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"signal": "reject", "ground_truth": "Rye."}, "give the text as an 'edit'"),
        ({"signal": "accept", "ground_truth": "Rye."}, "its ground_truth differs"),
        ({"signal": "edit"}, "needs the ground_truth"),
        ({"signal": "like"}, "Input should be"),
        ({"id": ""}, "at least 1 character"),
    ],
)
def test_episodes_that_contradict_themselves_are_refused(fields: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        episode(**({"id": "e1", "response": "White."} | fields))


def test_signal_and_ground_truth_follow_from_each_other() -> None:
    assert episode("e1", ground_truth="Rye.").signal == "edit"
    assert episode("e1", response="White.", signal="accept").ground_truth == "White."
    assert not episode("e1").labelled
