"""The instructions that a user's queries share: how they are learned, found, hidden and forgotten."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.records import Episode
from personaagent.memory.hiding import Hidden
from personaagent.memory.instruction_learning import InstructionLearning
from personaagent.memory.instructions import EARLIEST, LATEST, SEEN_OF_TASK, read_instructions
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, memory_of, remember

TAGS = "Which tag suits this film? Answer with one word. film:"
FILMS = ["robots in love", "thieves plan heist", "ship sinks", "spies meet", "dogs talk"]


def film(number: int, task: str | None = "tags", **fields: object) -> Episode:
    about = FILMS[number] if number < len(FILMS) else f"story number{number}"
    return episode(f"f{number}", f"{TAGS} {about}", number, task=task, **fields)


async def instruction(memory: UserMemory, query: str = f"{TAGS} something else") -> str:
    return (await memory.recaller.instructions()).split(query).instruction


async def differing(memory: UserMemory, query: str) -> str:
    split = (await memory.recaller.instructions()).split(query)
    return query[split.start : split.end].strip()


@pytest.mark.parametrize("task", ["tags", None])
async def test_the_third_query_shows_the_instruction(tmp_path: Path, task: str | None) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, film(0, task), film(1, task))
    assert await instruction(anna) == ""
    await remember(anna, film(2, task))
    assert await instruction(anna) == f"{TAGS} …"
    assert await differing(anna, f"{TAGS}\n a cat sings") == "a cat sings"
    assert await differing(anna, TAGS) == TAGS, "something must remain"
    assert await instruction(anna, "Which bread do I like?") == ""


async def test_queries_of_other_tasks_and_repeated_questions_do_not_count(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    again = episode("again", film(0).query.upper(), 9, task="tags")
    await remember(anna, film(0), film(1), again, film(2, "plots"), film(3, None))
    assert await instruction(anna) == ""


async def test_an_ending_that_queries_share_is_an_instruction(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    ending = "Translate this into German, in a formal tone."
    await remember(anna, *[episode(f"e{n}", f"{text}. {ending}") for n, text in enumerate(FILMS)])
    query = f"My cat sings. {ending}"
    assert await instruction(anna, query) == f"… {ending}"
    assert await differing(anna, query) == "My cat sings."


async def test_only_what_differs_is_embedded_in_earlier_episodes_too(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    for number in range(4):
        await remember(anna, film(number, ground_truth="drama"))
    first = (await anna.similar_labels(f"{TAGS} robots in love", "tags"))[0]
    assert (first.episode_id, round(first.cosine, 2)) == ("f0", 1.0)
    cosines = [each.cosine for each in await anna.similar_labels(f"{TAGS} ship sinks", "tags")]
    assert cosines[0] == pytest.approx(1.0, abs=1e-3)
    assert max(cosines[1:]) < 0.5
    assert not await anna.indexer.is_behind()


async def test_the_words_of_an_instruction_still_find_its_episodes(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path, recall_mode="bm25")
    await remember(anna, *map(film, range(4)), episode("other", "rye bread"))
    assert {each.id for each in await anna.search("films", 9)} == {"f0", "f1", "f2", "f3"}


async def test_an_instruction_that_some_leave_becomes_shorter(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *[episode(f"a{n}", f"{TAGS} A tale of {FILMS[n]}", n) for n in range(3)])
    assert await instruction(anna, f"{TAGS} A tale of cats") == f"{TAGS} A tale of …"
    await remember(anna, *[episode(f"b{n}", f"{TAGS} {FILMS[n]}", 3 + n) for n in range(5)])
    assert await instruction(anna, f"{TAGS} A tale of cats") == f"{TAGS} …"


async def test_what_is_hidden_supports_no_instruction(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *map(film, range(4)))
    assert await instruction(anna.hiding(Hidden(frozenset({"f0"})))) == f"{TAGS} …"
    assert await instruction(anna.hiding(Hidden(frozenset({"f0", "f1"})))) == ""
    assert await instruction(anna.hiding(Hidden(before=START + timedelta(days=2)))) == ""
    assert await instruction(anna.hiding(Hidden(before=START + timedelta(days=3)))) == f"{TAGS} …"


async def test_forgetting_takes_an_instruction_along_that_too_few_share(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *map(film, range(4)))
    await anna.episodes.delete(["f0"])
    assert await instruction(anna) == f"{TAGS} …"
    await anna.episodes.delete(["f1", "f2"])
    assert await instruction(anna) == ""
    [value] = await anna.store.get("profile", "instructions")
    assert "tag suits" not in str(value)
    assert "'f1'" not in str(value)
    assert "'f3'" in str(value)


async def test_the_record_stays_small(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *map(film, range(100)))
    record = await read_instructions(anna.store)
    [known] = record.known
    ids = [each.id for each in known.sharing]
    assert len(ids) == EARLIEST + LATEST
    assert {"f0", "f99"} <= {*ids}
    assert len(record.seen) == SEEN_OF_TASK


async def test_a_task_is_recognised_by_its_label_or_its_instruction(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *map(film, range(3)))
    for task in ("tags", None):
        assert await anna.recognise(f"{TAGS} cats", task) == ("tags", f"{TAGS} …", None)
    assert await anna.recognise("Which bread do I like?") == (None, "", None)


async def test_queries_without_a_task_that_share_an_instruction_are_one(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    films = [film(n, None, ground_truth=tag) for n, tag in enumerate(["drama", "war", "drama"])]
    bread = episode("bread", "robots in love eat rye bread", 9, ground_truth="rye")
    await remember(anna, *films, bread)
    task, instruction, labels = await anna.recognise(f"{TAGS} robots in love")
    assert (task, instruction) == (None, f"{TAGS} …")
    assert labels is not None
    assert labels.counts == {"drama": 2, "war": 1}
    similar = await anna.similar_labels(f"{TAGS} robots in love", None)
    assert {each.episode_id for each in similar} == {"f0", "f1", "f2"}
    without = anna.hiding(Hidden(frozenset({"f2"})))
    assert await without.recognise(f"{TAGS} robots in love") == (None, "", None)
    await remember(anna, film(3, None, ground_truth="war"))
    _, _, labels = await without.recognise(f"{TAGS} robots in love")
    assert labels is not None
    assert labels.counts == {"drama": 1, "war": 2}


async def test_queries_that_share_an_instruction_are_no_duplicates(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    request = "Please tell me in one short and simple sentence that even a child of seven years "
    request += (
        "would understand at once and would like to hear from you again what this word means:"
    )
    words = ["tide", "moon", "rust", "tide"]
    await remember(
        anna, *[episode(f"e{n}", f"{request} {word}", n) for n, word in enumerate(words)]
    )
    found = await anna.recall(f"{request} tide", 9, answers=True)
    assert {each.id for each in found.episodes} == {"e1", "e2", "e3"}
    assert found.episodes[0].id == "e3"


async def test_what_is_forgotten_while_it_is_learned_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *map(film, range(3)))
    learning = InstructionLearning(anna.store, anna.episodes)
    write = anna.store.write

    async def forget_first(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(anna.store, "write", write)
        await anna.episodes.delete(["f0", "f1"])
        await write(*arguments, **options)

    monkeypatch.setattr(anna.store, "write", forget_first)
    await learning.learn([film(3)])
    [value] = await anna.store.get("profile", "instructions")
    assert "tag suits" not in str(value)
    assert "'f3'" in str(value)


async def test_an_index_that_is_built_anew_holds_what_differs(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    films = [film(n, ground_truth="drama") for n in range(70)]
    await anna.episodes.add(films)
    assert await anna.indexer.rebuild() == 70
    assert not await anna.indexer.is_behind()
    cosines = [each.cosine for each in await anna.similar_labels(f"{TAGS} ship sinks", "tags")]
    assert cosines[0] == pytest.approx(1.0, abs=1e-3)
    assert max(cosines[1:]) < 0.8
