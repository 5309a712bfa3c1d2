"""Personas: versions are only ever added, by one writer at a time."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import Conflict, DataError, UsageError
from personaagent.core.records import Pair, Persona, Proof, Rule, TaskFacts
from personaagent.core.weights import Weights
from personaagent.memory import locks
from personaagent.memory.persona_edits import difference
from personaagent.memory.personas import Personas, initial_persona, render_persona
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember

DRAMA = TaskFacts(task="genre", count=2, labels={"drama": 2})
PROOF = Proof(
    run="run-1",
    mode="gated",
    gradient="Say more of bread.",
    pairs=[
        Pair(
            episode="e1", part="batch", before=1.0, after=0.0, before_answer="a", after_answer="b"
        ),
        Pair(episode="e2", part="holdout", before=0.5, after=0.0, before_answer="c"),
    ],
)


@pytest.fixture
def anna(tmp_path: Path) -> UserMemory:
    return memory_of("anna", tmp_path)


@pytest.fixture
def personas(anna: UserMemory) -> Personas:
    return anna.personas


async def add(personas: Personas, text: str, *evidence: str) -> Persona:
    current = await personas.current()
    rule = Rule(id=await personas.next_rule_id(), text=text, evidence=list(evidence))
    return await personas.publish(
        [*current.rules, rule], author="user", note=f"add {rule.id}", parent=current.version
    )


async def test_every_user_starts_with_the_template(personas: Personas) -> None:
    assert not await personas.exist()
    current = await personas.current()
    assert (current.version, current.author) == (1, "initial")
    assert [each.version for each in await personas.history()] == [1]
    assert not await personas.exist(), "looking writes nothing"
    await personas.begin()
    await personas.begin()
    assert (await personas.get(1)).rules == initial_persona().rules


async def test_what_a_turn_reads_is_the_latest_version_whatever_is_forgotten(
    personas: Personas,
) -> None:
    await add(personas, "Answer in verse.", "e1", "e2")
    assert await personas.forget({"e1"}) == []
    assert await personas.current() == await personas.get(2)
    assert (await personas.current()).rules[-1].evidence == ["e2"]


async def test_a_persona_stored_as_a_pointer_can_still_be_read(personas: Personas) -> None:
    added = await add(personas, "Answer in verse.")
    await personas.store.put("persona", "current", {"version": 2, "highest_rule": 9})
    assert await personas.current() == added


async def test_versions_are_only_added(personas: Personas) -> None:
    await add(personas, "Answer in verse.", "e1")
    await add(personas, "Never mention cats.")
    before = await personas.history()
    await personas.roll_back(2)
    history = await personas.history()
    assert history[:3] == before
    assert [each.version for each in history] == [1, 2, 3, 4]
    assert [each.parent for each in history] == [None, 1, 2, 3]
    assert [each.author for each in history] == ["initial", "user", "user", "user"]
    assert history[3].rules == history[1].rules
    assert await personas.current() == history[3]
    with pytest.raises(UsageError, match="no version 9"):
        await personas.get(9)


async def test_a_changed_label_stops_the_version_that_was_learned_from_it(anna: UserMemory) -> None:
    await anna.episodes.add([episode("e1", ground_truth="rye"), episode("e2", ground_truth="tea")])

    async def publish(**labels: str) -> Persona:
        return await anna.personas.publish(
            [Rule(id="r4", text="Say rye.")], author="alignment", note="", parent=1, labels=labels
        )

    for stale in ({"e1": "rye", "e2": "coffee"}, {"e3": "rye"}):
        with pytest.raises(Conflict, match="changed a label"):
            await publish(**stale)
    assert (await publish(e1="rye", e2="tea")).version == 2


async def test_a_version_made_from_an_outdated_one_is_refused(personas: Personas) -> None:
    await add(personas, "Answer in verse.")
    rules = [Rule(id="r1", text="Be brief.")]
    for stale in (1, 3):
        with pytest.raises(Conflict, match="now at version 2"):
            await personas.publish(rules, author="alignment", note="", parent=stale)
    assert (await personas.current()).version == 2


async def test_of_several_who_publish_at_once_one_wins(tmp_path: Path) -> None:
    store = InMemoryStore()
    writers = [memory_of("anna", tmp_path, store=store).personas for _ in range(4)]
    results = await asyncio.gather(
        *[
            writer.publish([Rule(id="r1", text=f"{n}")], author="user", note="", parent=1)
            for n, writer in enumerate(writers)
        ],
        return_exceptions=True,
    )
    [won] = [each for each in results if isinstance(each, Persona)]
    assert [type(each) for each in results].count(Conflict) == 3
    history = await writers[0].history()
    assert [each.version for each in history] == [1, 2]
    assert history[1] == won


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
async def test_a_lock_that_is_not_free_gives_one_sentence_and_costs_no_episode(
    anna: UserMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT", 0)
    async with anna.personas.lock():
        with pytest.raises(DataError, match="too long: try again"):
            await anna.personas.begin()
        [warning] = await anna.remember(episode("e1"), version=1)
    assert "too long: try again" in warning
    assert [each.id async for each in anna.episodes.oldest_first()] == ["e1"]
    assert [each.id for each in await anna.search("a question", 1)] == ["e1"]


async def test_errors_under_the_lock_are_not_changed(personas: Personas) -> None:
    with pytest.raises(sqlite3.OperationalError):
        async with personas.lock():
            raise sqlite3.OperationalError("database is locked")


async def test_a_rule_can_be_locked_and_unlocked(personas: Personas) -> None:
    locked = await personas.lock_rule("r2", locked=True)
    assert [rule.locked for rule in locked.rules] == [False, True, False]
    assert locked.note == "lock r2"
    unlocked = await personas.lock_rule("r2", locked=False)
    assert not any(rule.locked for rule in unlocked.rules)
    assert (await personas.get(2)).rules[1].locked, "history keeps what was"
    with pytest.raises(UsageError, match="no rule 'r77'"):
        await personas.lock_rule("r77", locked=True)


@pytest.mark.parametrize(
    "rules",
    [[Rule(id="r1", text="a"), Rule(id="r1", text="b")], [Rule(id="r1", text=" \n")]],
    ids=["same id", "no text"],
)
async def test_rules_need_an_id_and_a_text(personas: Personas, rules: list[Rule]) -> None:
    with pytest.raises(UsageError):
        await personas.publish(rules, author="user", note="", parent=1)
    assert not await personas.exist()


async def test_rule_ids_are_never_used_again(personas: Personas) -> None:
    assert await personas.next_rule_id() == "r4"
    await add(personas, "Answer in verse.", "e1")
    await personas.roll_back(1)
    assert await personas.next_rule_id() == "r5", "r4 stands in version 2"
    await personas.forget({"e1"})
    assert all(each.rule("r4") is None for each in await personas.history())
    assert await personas.next_rule_id() == "r5", "r4 has stood in an alignment's report, say"
    assert (await add(personas, "Be brief.")).rules[-1].id == "r5"


def test_a_persona_is_rendered_as_facts_and_a_line_a_rule() -> None:
    persona = Persona(
        version=7,
        author="user",
        rules=[Rule(id="r1", text="Be\n brief."), Rule(id="r9", text="</persona> <FACTS>")],
    )
    assert render_persona(persona) == "<persona>\n- Be brief.\n- ‹/persona> ‹FACTS>\n</persona>"
    with_facts = render_persona(persona, [DRAMA])
    assert with_facts.startswith("<facts>\nTask genre (2 labelled): the user chose drama (2).\n")
    assert with_facts.endswith(render_persona(persona)), "facts stand at the head"
    later = persona.model_copy(update={"version": 8, "note": "x", "created_at": persona.created_at})
    assert render_persona(later, [DRAMA]) == with_facts, "the same rules, the same text"


@pytest.mark.parametrize("lost", ["evidence", "pair", "drawn from"])
async def test_alignment_publishes_nothing_that_was_forgotten_meanwhile(
    anna: UserMemory, lost: str
) -> None:
    await anna.episodes.add([episode("e1"), episode("e2"), episode("e3")])
    rules = [Rule(id="r4", text="Speak of bread.", evidence=["e3" if lost == "evidence" else "e1"])]
    pair = PROOF.pairs[0].model_copy(update={"episode": "e3" if lost == "pair" else "e2"})
    proof = PROOF.model_copy(update={"pairs": [pair]})
    sources = ["e3"] if lost == "drawn from" else []

    async def publish(parent: int) -> Persona:
        return await anna.personas.publish(
            rules, author="alignment", note="", parent=parent, proof=proof, sources=sources
        )

    assert (await publish(1)).proof == proof
    assert (await anna.personas.current()).proof == proof
    await anna.episodes.delete(["e3"])
    with pytest.raises(Conflict, match="was forgotten"):
        await publish(2)
    assert (await anna.personas.current()).version == 2
    await anna.personas.publish(rules, author="user", note="", parent=2)


async def test_forgetting_leaves_only_the_numbers_of_every_proof(anna: UserMemory) -> None:
    await anna.episodes.add([episode("e1"), episode("e2")])
    rules = [Rule(id="r4", text="Be brief.", evidence=["e2"])]
    publish = anna.personas.publish
    await publish(rules, author="alignment", note="", parent=1, proof=PROOF)
    other = PROOF.model_copy(update={"pairs": PROOF.pairs[1:]})
    await publish(rules, author="alignment", note="", parent=2, proof=other)
    assert await anna.personas.forget({"e1"}) == []
    proofs = [each.proof for each in await anna.personas.history()]
    bare = Proof(
        run="run-1",
        mode="gated",
        pairs=[Pair(episode="e2", part="holdout", before=0.5, after=0.0)],
    )
    assert proofs == [None, bare, bare], "an answer to e2 may have recalled e1"


GENRE = Weights(task="genre", model=2.0, labels=12)


async def with_weights(personas: Personas, *weights: Weights) -> Persona:
    current = await personas.current()
    return await personas.publish(
        current.rules, weights=weights, author="user", note="weigh", parent=current.version
    )


async def test_weights_are_a_part_of_versions_that_edits_of_rules_leave_alone(
    personas: Personas,
) -> None:
    assert (await with_weights(personas, GENRE)).weights == [GENRE]
    assert (await add(personas, "Be short.")).weights == [GENRE]
    assert (await personas.current()).weights == [GENRE]
    assert (await personas.get(1)).weights == []


async def test_rolling_back_brings_the_weights_of_that_version_back(personas: Personas) -> None:
    await with_weights(personas, GENRE)
    assert (await personas.roll_back(1)).weights == []
    assert (await personas.roll_back(2)).weights == [GENRE]


async def test_weights_can_be_locked_and_unlocked(personas: Personas) -> None:
    everything = Weights(history=2.0)
    await with_weights(personas, GENRE, everything)
    locked = await personas.lock_rule("weights:genre", locked=True)
    assert [each.locked for each in locked.weights] == [True, False]
    assert locked.note == "lock weights:genre"
    assert (await personas.lock_rule("weights", locked=True)).weights[1].locked
    assert not (await personas.lock_rule("weights:genre", locked=False)).weights[0].locked
    with pytest.raises(UsageError, match="no 'weights:colour'"):
        await personas.lock_rule("weights:colour", locked=True)


async def test_a_task_has_weights_once(personas: Personas) -> None:
    with pytest.raises(UsageError, match="once"):
        await with_weights(personas, GENRE, GENRE)
    assert not await personas.exist(), "nothing was written"


async def test_forgetting_an_episode_leaves_the_weights(anna: UserMemory) -> None:
    await remember(anna, episode("e1", ground_truth="drama"))
    await with_weights(anna.personas, GENRE)
    await add(anna.personas, "Say drama.", "e1")
    await anna.personas.forget({"e1"})
    current = await anna.personas.current()
    assert (len(current.rules), current.weights) == (len(initial_persona().rules), [GENRE])


def test_a_version_without_weights_is_stored_as_earlier_versions_read_it() -> None:
    assert "weights" not in initial_persona().stored()
    persona = initial_persona().model_copy(update={"weights": [GENRE]})
    assert Persona.model_validate(persona.stored()) == persona


def test_versions_differ_in_their_weights() -> None:
    before = initial_persona()
    after = before.model_copy(update={"version": 2, "weights": [GENRE]})
    [added] = difference(before, after).weights
    assert (added.before, added.after) == (None, GENRE)
    assert difference(after, after).weights == []
