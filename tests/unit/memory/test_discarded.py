"""What becomes of discarded episodes: they stay in memory, and nothing is drawn from them."""

from collections.abc import Collection
from pathlib import Path

import pytest

from personaagent.core.records import Episode, Statement
from personaagent.core.settings import load_settings
from personaagent.memory.archive.reader import open_archive
from personaagent.memory.archive.restore import restore
from personaagent.memory.archive.writer import backup_file
from personaagent.memory.exchange.importer import import_episodes
from personaagent.memory.exchange.jsonlines import write_line
from personaagent.memory.forget import forget
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember

GENRES = [("drama", "a slow film about a family"), ("horror", "a film about a haunted house")]


@pytest.fixture
async def anna(tmp_path: Path) -> UserMemory:
    memory = memory_of("anna", tmp_path)
    labelled = [
        episode(str(n), query, day=n, task="genre", ground_truth=genre)
        for n, (genre, query) in enumerate(GENRES * 2)
    ]
    await remember(memory, *labelled)
    return memory


async def ids(memory: UserMemory) -> list[str]:
    return sorted(each.id for each in (await memory.recall("a film", 9)).episodes)


def counted(memory_facts: list) -> dict[str, int]:
    return memory_facts[0].labels


async def test_they_are_not_recalled_and_come_back(anna: UserMemory) -> None:
    assert len(await ids(anna)) == 2, "near-duplicates are shown once"
    await anna.episodes.discard({"3", "1"}, ())
    assert await ids(anna) == ["2"]
    assert [each.discarded for each in await anna.episodes.find(["1", "2"])] == [True, False]
    await anna.episodes.discard((), {"3", "1"})
    assert await ids(anna) == ["2", "3"]


async def test_the_rest_is_ranked_as_if_they_were_not_there(tmp_path: Path) -> None:
    with_it, without = memory_of("anna", tmp_path), memory_of("anna", tmp_path)
    kept = [episode("a", "bread with rye"), episode("b", "bread with wheat")]
    await remember(with_it, *kept, episode("c", "rye bread, rye bread"))
    await remember(without, *kept)
    await with_it.episodes.discard({"c"}, ())
    there = await with_it.recaller.dense_scores("rye", 9)
    assert there is not None
    assert sorted(there.episode_ids) == ["a", "b"]
    assert await with_it.search("rye", 9) == await without.search("rye", 9)


async def test_facts_and_votes_leave_their_labels_out(anna: UserMemory) -> None:
    assert counted((await anna.profile.read()).facts) == {"drama": 2, "horror": 2}
    await anna.episodes.discard({"3"}, ())
    assert counted((await anna.profile.read()).facts) == {"drama": 2, "horror": 1}
    hiding = anna.hiding(Hidden(frozenset({"3", "0"})))
    assert counted((await hiding.profile.read()).facts) == {"drama": 1, "horror": 1}
    earlier = anna.hiding(Hidden(before=episode("4", day=4).created_at))
    assert counted((await earlier.profile.read()).facts) == {"drama": 2, "horror": 1}
    votes = await anna.similar_labels("a film about a house", "genre")
    assert sorted(vote.episode_id for vote in votes) == ["0", "1", "2"]
    await anna.episodes.discard((), {"3"})
    assert counted((await anna.profile.read()).facts) == {"drama": 2, "horror": 2}


async def test_alignment_and_the_summary_do_not_wait_for_them(anna: UserMemory) -> None:
    await anna.episodes.discard({"3"}, ())
    assert {*await anna.unaligned.entries()} == {*await anna.profile.unsummarised()} == {*"012"}
    assert {label.id for label in await anna.profile.labelled()} == {*"012"}
    newest = await anna.episodes.newest(9, labelled=True, standing=True)
    assert [each.id for each in newest] == ["2", "1", "0"]
    await anna.episodes.give_feedback("3", "edit", "comedy")
    assert "3" not in await anna.unaligned.entries()
    await anna.episodes.discard((), {"3"})
    assert {*await anna.unaligned.entries()} == {*await anna.profile.unsummarised()} == {*"0123"}


async def test_statements_that_rest_on_them_alone_are_not_shown(anna: UserMemory) -> None:
    both = Statement(text="Likes films.", evidence=["0", "3"])
    alone = Statement(text="Likes horror.", evidence=["3"])
    await anna.profile.write_summary([both, alone], {})
    await anna.profile.statements.add(["Likes tea."])
    await anna.episodes.discard({"3"}, ())
    shown = [each.text for each in (await anna.profile.read()).summary]
    assert shown == ["Likes films.", "Likes tea."]
    await anna.episodes.discard((), {"3"})
    shown = [each.text for each in (await anna.profile.read()).summary]
    assert shown == ["Likes films.", "Likes horror.", "Likes tea."]


async def test_what_they_supersede_stands(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("old", "my town", ground_truth="Malmo"))
    await remember(anna, episode("new", "my town", day=1))
    await anna.episodes.give_feedback("new", "edit", "Lund")
    [first, *_] = (await anna.recall("my town", 4)).episodes
    assert first.id == "new"
    await anna.episodes.discard({"new"}, ())
    [only] = (await anna.recall("my town", 4)).episodes
    assert (only.id, only.superseded_by) == ("old", None)


async def test_an_export_says_so_and_an_import_reads_it(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path / "a")
    await remember(anna, episode("stands", "my town is Lund"), episode("left", "my town is Malmo"))
    await anna.episodes.discard({"left"}, ())
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"".join([write_line(each) async for each in anna.episodes.oldest_first()]))
    assert file.read_bytes().count(b"discarded") == 1, "older versions do not know the field"
    moved = memory_of("anna", tmp_path / "b")
    await import_episodes(moved, file)
    assert await moved.episodes.discarded() == {"left"}
    assert [each.id for each in (await moved.recall("my town", 9)).episodes] == ["stands"]
    assert {*await moved.profile.unsummarised()} == {"stands"}


async def test_a_backup_takes_them_along(tmp_path: Path) -> None:
    anna, file = memory_of("anna", tmp_path / "a"), tmp_path / "backup.zip"
    await remember(anna, episode("stands", "my town is Lund"), episode("left", "my town is Malmo"))
    await anna.episodes.discard({"left"}, ())
    settings = load_settings(home=tmp_path)
    await backup_file(anna, settings, file)
    moved = memory_of("anna", tmp_path / "b")
    with open_archive(file) as archive:
        await restore(moved, archive, settings)
    assert await moved.episodes.discarded() == {"left"}
    assert [each.id for each in (await moved.recall("my town", 9)).episodes] == ["stands"]


async def test_they_are_found_to_be_forgotten(anna: UserMemory) -> None:
    await anna.episodes.discard({"3"}, ())
    found = await anna.search_with_duplicates("a film about a haunted house", 2)
    assert {each.id for each in found} == {"1", "3"}


async def test_forgetting_another_episode_keeps_the_threads_that_name_their_labels(
    anna: UserMemory,
) -> None:
    await anna.episodes.give_feedback("3", "edit", "comedy")
    await anna.episodes.discard({"3"}, ())
    await anna.conversations.note("t1", named=[("genre", "comedy")])

    async def delete_threads(threads: Collection[str]) -> None:
        assert not threads

    assert (await forget(anna, ["0"], delete_threads)).threads == []
    hiding = anna.hiding(Hidden(frozenset({"3"})))
    assert ("genre", "comedy") not in await hiding.profile.nameable_labels()


async def test_a_forgotten_one_leaves_nothing(anna: UserMemory) -> None:
    await anna.episodes.discard({"3"}, ())
    await anna.episodes.delete({"3"})
    assert await anna.episodes.discarded() == frozenset()
    await anna.episodes.discard({"3"}, {"0", "gone"})
    assert await anna.episodes.discarded() == frozenset()


def test_data_of_earlier_versions_stands() -> None:
    values = {"user_id": "anna", "query": "q", "response": "r"}
    assert not Episode.model_validate(values).discarded
    assert "discarded" not in Episode.model_validate(values).stored()
