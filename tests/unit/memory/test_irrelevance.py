"""Not relevant: an episode stays out of the recall for questions like the marked one, and only of it."""

from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import Conflict, ServiceError, UnknownEpisode, UsageError
from personaagent.core.records import MARK_CHARS, MOST_MARKS
from personaagent.memory.forget import forget
from personaagent.memory.text_vectors import TextVectors
from personaagent.memory.undo import last_change, undo
from personaagent.memory.user import UserMemory
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, memory_of, remember
from tests.unit.memory.test_forget import Threads, everything
from tests.unit.memory.test_recall import recalled

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

DINNER = "What should I cook for dinner tonight?"
DINNER_AGAIN = "Tonight for dinner, what should I cook then?"
CHESS = "Which chess opening should I play against Anna?"


async def cook(home: Path, **options: object) -> UserMemory:
    anna = memory_of("anna", home, **options)  # type: ignore[arg-type]
    await remember(
        anna,
        episode("chess", "I play chess, and tonight I should win.", ground_truth="The Sicilian."),
        episode("rye", "I like to cook rye porridge for dinner.", 1, ground_truth="Good."),
    )
    return anna


async def test_it_is_not_recalled_for_that_question_nor_for_one_like_it(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    assert set(await recalled(anna, DINNER)) == {"chess", "rye"}
    await anna.marks.mark("chess", DINNER, relevant=False)
    assert await recalled(anna, DINNER) == ["rye"]
    assert await recalled(anna, DINNER_AGAIN) == ["rye"]
    assert [each.id for each in await anna.search(DINNER, 5)] == ["rye"]


async def test_for_other_questions_all_is_as_it_was(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    before = await recalled(anna, CHESS)
    waiting = await anna.profile.unsummarised(), await anna.unaligned.entries()
    facts = (await anna.profile.read()).facts
    await anna.marks.mark("chess", DINNER, relevant=False)
    assert await recalled(anna, CHESS) == before == ["chess", "rye"]
    assert (await anna.profile.unsummarised(), await anna.unaligned.entries()) == waiting
    assert (await anna.profile.read()).facts == facts
    assert (await anna.episodes.get("chess")).ground_truth == "The Sicilian."


async def test_a_question_nearer_to_the_episode_than_to_the_marked_one_recalls_it(
    tmp_path: Path,
) -> None:
    anna = await cook(tmp_path)
    await anna.marks.mark("chess", "I play chess, and tonight I should sleep.", relevant=False)
    assert "chess" in await recalled(anna, "I play chess, and tonight I should win it.")


async def test_a_question_about_another_thing_that_the_episode_names_recalls_it(
    tmp_path: Path,
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("tom", "It has white paws and a short tail, my cat Tom."))
    dog = "Tell me what my dog at home is called, please."
    await anna.marks.mark("tom", dog, relevant=False)
    assert await recalled(anna, dog.replace("dog", "parrot")) == []
    assert await recalled(anna, dog.replace("dog", "cat")) == ["tom"]


async def test_what_is_recalled_holds_no_words_of_the_marked_question(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    await anna.marks.mark("chess", DINNER, relevant=False)
    for each in (await anna.recall(CHESS, 5)).episodes:
        assert each.irrelevant_to == []


async def test_another_takes_its_place(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    [first] = await recalled(anna, DINNER, 1)
    await anna.marks.mark(first, DINNER, relevant=False)
    [second] = await recalled(anna, DINNER, 1)
    assert {first, second} == {"chess", "rye"}


async def test_without_vectors_only_the_same_question_counts(tmp_path: Path) -> None:
    anna = await cook(tmp_path, recall_mode="bm25")
    await anna.marks.mark("chess", DINNER, relevant=False)
    assert await recalled(anna, DINNER.upper()) == ["rye"]
    assert "chess" in await recalled(anna, "Should I cook, or play?")


class _Down(BagEmbedder):
    async def embed(self, texts: object) -> list[list[float]]:
        raise ServiceError("The embedding model is down.")


async def test_if_nothing_can_be_compared_the_rest_is_recalled(tmp_path: Path) -> None:
    from dataclasses import replace

    anna = await cook(tmp_path)
    await anna.marks.mark("chess", DINNER, relevant=False)
    down = replace(anna, recaller=replace(anna.recaller, vectors=TextVectors(_Down())))
    assert "chess" in await recalled(down, DINNER_AGAIN)
    assert await recalled(down, DINNER) == ["rye"]


async def test_it_is_undone_as_any_change(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    await anna.marks.mark("chess", DINNER, relevant=False)
    change = await last_change(anna)
    assert change.kind == "relevance"
    assert change.details == [f"chess: irrelevant to {DINNER}"]
    await undo(anna, change, Threads().delete)
    assert set(await recalled(anna, DINNER)) == {"chess", "rye"}
    with pytest.raises(Conflict):
        await undo(anna, change, Threads().delete)


async def test_it_is_not_undone_once_it_was_changed_otherwise(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    await anna.marks.mark("chess", DINNER, relevant=False)
    change = await last_change(anna)
    await anna.marks.mark("chess", CHESS, relevant=False)
    with pytest.raises(Conflict, match="changed since"):
        await undo(anna, change, Threads().delete)
    assert (await anna.episodes.get("chess")).irrelevant_to == [DINNER, CHESS]


async def test_a_mark_is_taken_back_by_name_and_twice_is_once(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    for _ in range(2):
        marked = await anna.marks.mark("chess", f"  {DINNER} ", relevant=False)
        assert marked.irrelevant_to == [DINNER]
    for _ in range(2):
        free = await anna.marks.mark("chess", DINNER, relevant=True)
        assert free.irrelevant_to == []
    assert set(await recalled(anna, DINNER)) == {"chess", "rye"}


async def test_the_latest_marks_are_kept_each_in_limited_length(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    for number in range(MOST_MARKS + 1):
        await anna.marks.mark("chess", f"{number}? {'x' * MARK_CHARS}", relevant=False)
    marks = (await anna.episodes.get("chess")).irrelevant_to
    assert len(marks) == MOST_MARKS
    assert marks[0].startswith("1?")
    assert {len(each) for each in marks} == {MARK_CHARS}


async def test_what_cannot_be_marked_is_refused(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    with pytest.raises(UnknownEpisode):
        await anna.marks.mark("nobody", DINNER, relevant=False)
    for question in ("", "  ", "x" * 40_000, "\x00?"):
        with pytest.raises(UsageError):
            await anna.marks.mark("chess", question, relevant=False)


async def test_feedback_keeps_the_marks(tmp_path: Path) -> None:
    anna = await cook(tmp_path)
    await anna.marks.mark("chess", DINNER, relevant=False)
    corrected = await anna.episodes.give_feedback("chess", "edit", "The Caro-Kann.")
    assert corrected.irrelevant_to == [DINNER]
    await undo(anna, await last_change(anna), Threads().delete)
    assert (await anna.episodes.get("chess")).irrelevant_to == [DINNER]


async def test_forgetting_the_question_takes_its_words_everywhere(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = await cook(tmp_path, store=store)
    secret = "Is zebra my password?"
    await remember(anna, episode("pin", secret, 2))
    await anna.marks.mark("chess", secret, relevant=False)
    await anna.marks.mark("chess", DINNER, relevant=False)
    assert "zebra" in str(await everything(store))
    await forget(anna, ["pin"], Threads().delete)
    assert "zebra" not in str(await everything(store))
    assert (await anna.episodes.get("chess")).irrelevant_to == [DINNER]
