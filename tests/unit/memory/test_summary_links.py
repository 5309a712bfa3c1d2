"""What the critic calls outdated is superseded, as far as code can check it."""

import json
import re
from pathlib import Path

from personaagent.core.records import Episode
from personaagent.memory.summary import refresh_summary
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember
from tests.support.scripted_model import Prompt, Reply, ScriptedModel

LYON = "The user lives in Lyon."
GHENT = "The user lives in Ghent."


def change(
    statement: str, text: str, evidence: list[str], outdated: list[str]
) -> dict[str, object]:
    return {
        "statement": statement,
        "text": text,
        "evidence": evidence,
        "outdated": outdated,
    }


async def refreshed(memory: UserMemory, *changes: dict[str, object]) -> dict[str, str]:
    """What is superseded after a refresh in which the critic answers this."""
    answer = json.dumps({"changes": changes})
    await refresh_summary(memory, ScriptedModel(responder=lambda _: answer, prompts=[]))
    return {
        each.id: each.superseded_by async for each in memory.episodes.scan() if each.superseded_by
    }


async def lives_in_lyon(tmp_path: Path, *, more: tuple[Episode, ...] = ()) -> UserMemory:
    """A user with one statement that rests on two episodes, and has since moved."""
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("old1", "I live in Lyon."), episode("old2", "Lyon is my home", 1))
    assert await refreshed(anna, change("new", LYON, ["E1", "E2"], ["E1"])) == {}
    await remember(anna, episode("new", "We moved to Ghent", day=9), *more)
    return anna


async def test_a_move_supersedes_what_the_old_statement_rests_on(tmp_path: Path) -> None:
    anna = await lives_in_lyon(tmp_path)

    def moved(prompt: Prompt) -> Reply:
        """A critic that calls every interaction outdated which names the old city."""
        statement = re.search(r"^(S\d+): The user lives in Lyon", prompt.last, re.MULTILINE)
        outdated = re.findall(r"^  (P\d+): .*Lyon", prompt.last, re.MULTILINE)
        [number] = re.findall(r"^(E\d+): the user asked: We moved", prompt.last, re.MULTILINE)
        assert statement
        return json.dumps({"changes": [change(statement[1], GHENT, [number], outdated)]})

    await refresh_summary(anna, ScriptedModel(responder=moved, prompts=[]))
    for id in ("old1", "old2"):
        assert (await anna.episodes.get(id)).superseded_by == "new"
    assert [each.text for each in (await anna.profile.read()).summary] == [GHENT]
    recalled = (await anna.recall("Where is home, Lyon?", 3)).episodes
    assert recalled[0].id == "new", "what is superseded is outranked"
    assert await anna.profile.unsummarised() == {}


async def test_what_is_taken_out_counts_as_what_is_replaced(tmp_path: Path) -> None:
    anna = await lives_in_lyon(tmp_path)
    assert await refreshed(anna, change("S1", "", ["E1"], ["P2"])) == {"old2": "new"}


async def test_names_that_do_not_hold_have_no_effect(tmp_path: Path) -> None:
    later = episode("later", "I like Ghent", day=10)
    anna = await lives_in_lyon(tmp_path, more=(later,))
    unknown = ["P9", "E9", "S1", "old1", "E1", "E2", ""]
    assert await refreshed(anna, change("S1", GHENT, ["E1"], unknown)) == {}


async def test_a_new_statement_and_one_that_says_the_same_supersede_nothing(tmp_path: Path) -> None:
    anna = await lives_in_lyon(tmp_path)
    changes = [change("new", GHENT, ["E1"], ["P1"]), change("S1", LYON, ["E1"], ["P2"])]
    assert await refreshed(anna, *changes) == {}


async def test_an_older_episode_supersedes_nothing(tmp_path: Path) -> None:
    anna = await lives_in_lyon(tmp_path)
    await refreshed(anna)
    await remember(anna, episode("oldest", "I live in Oslo", day=-9))
    assert await refreshed(anna, change("S1", "Lives in Oslo.", ["E1"], ["P1", "P2"])) == {}


async def test_what_another_statement_rests_on_stands(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("old", "I live in Lyon with my wife Ann"))
    ann = change("new", "The user's wife is Ann.", ["E1"], [])
    await refreshed(anna, change("new", LYON, ["E1"], []), ann)
    await remember(anna, episode("new", "We moved to Ghent", day=9))
    assert await refreshed(anna, change("S1", GHENT, ["E1"], ["P1"])) == {}


async def test_what_the_user_locked_or_labelled_or_linked_stays(tmp_path: Path) -> None:
    anna = await lives_in_lyon(tmp_path, more=(episode("mine", "Where is home?", day=10),))
    await anna.episodes.give_feedback("old1", "edit", "Lyon")
    await anna.episodes.supersede("old2", "mine")
    outdated = change("S1", GHENT, ["E1", "E2", "E3", "E4"], ["P1", "P2"])
    assert await refreshed(anna, outdated) == {"old2": "mine"}

    locked = await lives_in_lyon(tmp_path / "locked")
    await locked.profile.statements.set_lock("s1", locked=True)
    assert await refreshed(locked, change("S1", GHENT, ["E1"], ["P1", "E1"])) == {}
