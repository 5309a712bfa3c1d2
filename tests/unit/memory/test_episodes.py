"""Episodes: the ground truth that feedback leads to, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from personaagent.core.errors import CorrectionStands, UnknownEpisode, UsageError
from personaagent.core.records import Signal
from personaagent.memory.user import UserMemory
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
    for signal, text, truth in (
        ("accept", None, "White."),
        ("reject", None, None),
        ("edit", "Rye.", "Rye."),
        ("edit", "Rye bread.", "Rye bread."),
    ):
        await anna.episodes.give_feedback("e1", signal, text)  # type: ignore[arg-type]
        assert (await anna.episodes.get("e1")).ground_truth == truth


async def test_a_judgement_after_a_correction_keeps_the_correction(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", response="White."))
    corrected = await anna.episodes.give_feedback("e1", "edit", "Rye.")
    assert await anna.episodes.give_feedback("e1", "accept") == corrected
    with pytest.raises(CorrectionStands, match=r"corrected .* \"Rye\.\""):
        await anna.episodes.give_feedback("e1", "reject")
    assert await anna.episodes.get("e1") == corrected


@pytest.mark.parametrize(("signal", "truth"), [("accept", "White."), ("reject", None)])
async def test_force_judges_the_answer_and_drops_the_correction(
    tmp_path: Path, signal: Signal, truth: str | None
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", response="White."))
    await anna.episodes.give_feedback("e1", "edit", "Rye.")
    judged = await anna.episodes.give_feedback("e1", signal, force=True)
    assert (judged.signal, judged.ground_truth) == (signal, truth)


async def superseded(memory: UserMemory) -> dict[str, str]:
    """The links, by the id of the episode that is superseded."""
    return {
        each.id: each.superseded_by
        async for each in memory.episodes.scan()
        if each.superseded_by is not None
    }


async def test_a_correction_supersedes_what_it_corrects(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    question = "Which phone do I have?"
    await remember(
        anna,
        episode("old", question, day=1, ground_truth="A Pixel."),
        episode("wrong", "which phone do I have", day=2, response="Designed by Google."),
        episode("right", question, day=3, ground_truth="a Fairphone 6."),
        episode("other", "Which phone do I need?", day=3, ground_truth="A Pixel."),
        episode("task", question, day=3, ground_truth="A Pixel.", task="quiz"),
        episode("new", question, day=4, response="A Pixel."),
        episode("later", question, day=5, ground_truth="A Pixel."),
    )
    await anna.episodes.give_feedback("new", "edit", "A Fairphone 6.")
    assert await superseded(anna) == {"old": "new", "wrong": "new"}
    await anna.episodes.give_feedback("later", "edit", "A Jolla.")
    assert await superseded(anna) == dict.fromkeys(["old", "wrong", "right", "new"], "later")
    await anna.episodes.give_feedback("later", "reject", force=True)
    assert await superseded(anna) == {}


async def test_a_label_makes_a_superseded_episode_stand_again(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("old", "a?"), episode("new", "a?", day=1))
    await anna.episodes.give_feedback("new", "edit", "b")
    assert await superseded(anna) == {"old": "new"}
    await anna.episodes.give_feedback("old", "accept")
    assert await superseded(anna) == {}


async def test_the_user_links_and_unlinks(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *(episode(id, f"I live in {id}.") for id in ("malmo", "lisbon", "faro")))
    await anna.episodes.supersede("malmo", "lisbon")
    await anna.episodes.supersede("lisbon", "faro")
    assert await superseded(anna) == {"malmo": "lisbon", "lisbon": "faro"}
    with pytest.raises(UsageError, match="cannot supersede itself"):
        await anna.episodes.supersede("faro", "malmo")
    with pytest.raises(UnknownEpisode):
        await anna.episodes.supersede("faro", "nowhere")
    await anna.episodes.supersede("malmo", None)
    assert await superseded(anna) == {"lisbon": "faro"}


async def test_forgetting_what_supersedes_clears_the_link(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *(episode(id, f"I live in {id}.") for id in ("malmo", "lisbon")))
    await anna.episodes.supersede("malmo", "lisbon")
    await anna.episodes.delete(["lisbon"])
    assert [each.id async for each in anna.episodes.scan()] == ["malmo"]
    assert await superseded(anna) == {}


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
