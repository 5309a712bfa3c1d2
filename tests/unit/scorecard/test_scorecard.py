"""The scorecard: each episode is tested with what was known before it, and the figures are right."""

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from personaagent.cli.scorecard import scorecard_view, sparkline
from personaagent.core.errors import DataError, ModelError
from personaagent.core.records import Episode, Pair, Persona, Proof, Rule, Statement
from personaagent.memory.personas import initial_persona
from personaagent.scorecard.estimate import estimate
from personaagent.scorecard.plot import save_plot
from personaagent.scorecard.run_scorecard import compute_scorecard
from personaagent.scorecard.scorecard import Scorecard
from tests.support.alignment import World, world
from tests.support.memories import START, episode
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

ROOMS = ("kitchen", "bedroom", "hall", "studio", "cellar", "attic")
WANTED = ("blue", "blue", "blue", "green", "blue", "blue")
EPISODES = [
    episode(f"e{n}", f"Paint for the {room}?", day=n, ground_truth=colour, task="colour")
    for n, (room, colour) in enumerate(zip(ROOMS, WANTED, strict=True))
]
BLUE = Rule(id="r4", text="Answer blue.")


def paint(prompt: Prompt) -> Reply:
    """Red, but with a persona blue if a rule says so, and without one what was wanted last."""
    if "<persona>" in prompt.system:
        return "blue" if BLUE.text in prompt.system else "red"
    return (["red", *re.findall(r"right answer: (\w+)", prompt.system)])[-1]


async def painted(home: Path, responder: Any = paint, **settings: Any) -> World:
    """Six rooms, a day each, and a persona that has learned "blue" between the fourth and fifth."""
    made = world(home, responder, **settings)
    await made.remember(*EPISODES)
    first = initial_persona()
    await at_day(made, 1.5, first)
    await at_day(made, 3.5, Persona(version=2, rules=[*first.rules, BLUE], author="alignment"))
    await at_day(made, 5, Persona(version=3, rules=[], author="user"))
    return made


async def at_day(made: World, day: float, persona: Persona) -> None:
    """Put a version in its place, as if it had been made on that day."""
    made_then = persona.model_copy(update={"created_at": START + timedelta(days=day)})
    current = {"version": persona.version, "highest_rule": 4}
    await made.memory.store.write(
        [
            ("persona", f"{persona.version:06d}", made_then.stored()),
            ("persona", "current", current),
        ]
    )


async def card_of(made: World, limit: int = 50) -> Scorecard:
    return await compute_scorecard(made.deps, made.store, "anna", limit, lambda done, total: None)


def losses(card: Scorecard, condition: Any) -> list[float | None]:
    return [each.losses[condition] for each in card.episodes]


async def test_each_episode_is_tested_with_what_was_there_before_it(tmp_path: Path) -> None:
    card = await card_of(await painted(tmp_path))
    assert [each.id for each in card.episodes] == ["e0", "e1", "e2", "e3", "e4", "e5"]
    assert [each.at for each in card.episodes] == [each.created_at for each in EPISODES]
    # A version of the very moment of an episode (the third) is not from before it.
    assert [each.version for each in card.episodes] == [1, 1, 1, 1, 2, 2]
    assert losses(card, "none") == [1, 1, 1, 1, 1, 1]
    assert losses(card, "rag") == [1, 0, 0, 1, 1, 0]
    assert losses(card, "initial") == [1, 1, 1, 1, 1, 1]
    assert losses(card, "then") == [1, 1, 1, 1, 0, 0]


async def test_the_figures(tmp_path: Path) -> None:
    card = await card_of(await painted(tmp_path))
    assert card.running_means("rag") == pytest.approx([1, 1 / 2, 1 / 3, 1 / 2, 3 / 5, 1 / 2])
    assert card.means["none"].loss.stored() == {"mean": 1, "low": 1, "high": 1}
    # Of six draws with a half chance each, 1 to 5 hit with a probability of 97%.
    rag = card.means["rag"]
    assert [*rag.loss.stored().values()] == pytest.approx([1 / 2, 1 / 6, 5 / 6])
    assert [*rag.to_none.stored().values()] == pytest.approx([-1 / 2, -5 / 6, -1 / 6])
    assert card.means["then"].loss.mean == pytest.approx(4 / 6)
    assert estimate([0.25]).stored() == {"mean": 0.25, "low": 0.25, "high": 0.25}


async def test_nothing_of_the_episode_or_later_is_in_a_prompt(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    await made.memory.profile.write_summary([Statement(text="Liked green.", evidence=["e3"])], {})
    await card_of(made)
    for prompt in made.prompts:
        query, _, evidence = prompt.last.partition("\n")
        number = [each.query for each in EPISODES].index(query)
        assert not any(room in prompt.system + evidence for room in ROOMS[number:])
        assert number > 3 or "green" not in prompt.system + evidence
    last = [p.system for p in made.prompts if p.last.startswith(EPISODES[5].query)]
    assert sorted(text.count("green") for text in last) == [0, 1, 3, 3], "memory, facts, summary"


async def test_plain_prompts_hold_no_persona(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    await card_of(made)
    plain = [prompt.system for prompt in made.prompts if "<persona>" not in prompt.system]
    assert plain.count("You are a helpful assistant.") == 6
    rag = [text for text in plain if "<memories>" in text]
    assert len(rag) == 6
    for text in rag:
        assert not any(each in text for each in ("<facts>", "<summary>", BLUE.text))
        assert not any(rule.text in text for rule in initial_persona().rules)


async def test_what_was_simulated_is_not_asked_again(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    card = await card_of(made)
    # Where the persona of the time is the initial one, one answer serves both.
    assert len(made.prompts) == card.usage["llm_calls"] == 6 + 6 + 6 + 2
    assert card.usage["cached"] == 0
    assert (await made.memory.spending.today()).calls == 20
    again = await card_of(made)
    assert len(made.prompts) == 20
    assert (again.usage["llm_calls"], again.usage["cached"]) == (0, 20)
    assert again.episodes == card.episodes


async def test_simulations_of_alignment_are_shared(tmp_path: Path) -> None:
    made = world(tmp_path, lambda prompt: "[]" if prompt.options else paint(prompt))
    await made.remember(*EPISODES)
    done = await made.align(causal=True, rounds=1, dry_run=True, batch=3, holdout=3)
    card = await card_of(made)
    assert len(done.rounds[0].holdout_before) == 3
    # Those of the batch had the held-out episodes hidden, so that they were told something else.
    assert card.usage["cached"] == 3


async def learned(made: World, day: float, *, batch: str = "", held_out: str = "") -> None:
    """Version 4: "blue", learned on that day from the rooms of ``batch``."""
    pairs = [
        Pair(episode=id, part=part, before=1, after=0)
        for part, ids in (("batch", batch), ("holdout", held_out))
        for id in ids.split()
    ]
    rules = [*initial_persona().rules, BLUE.model_copy(update={"evidence": batch.split()})]
    proof = Proof(run="r", mode="gated", pairs=pairs)
    await at_day(made, day, Persona(version=4, rules=rules, author="alignment", proof=proof))


def now(card: Scorecard) -> list[float | None]:
    return [each.now for each in card.episodes]


async def test_labels_older_than_a_rule_tell_whether_it_has_helped(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    await learned(made, 9, batch="e1", held_out="e5")
    card = await card_of(made)
    assert now(card) == [0, None, 0, 1, 0, 0], "all but the one that it was learned from"
    assert card.helped is not None
    assert card.helped.sentence == (
        "Has it helped? Yes: of 5 questions that version 4 was not learned from (1 used to choose "
        "it), 4 got better and 0 worse than with the initial persona."
    )
    assert (card.helped.questions, card.helped.newer, card.helped.held_out) == (5, 0, 1)
    assert card.helped.difference is not None
    assert card.helped.difference.mean == pytest.approx(-4 / 5)


async def test_newer_labels_tell_it_in_order_of_time(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    await learned(made, 3.5, batch="e0 e1 e2 e3")
    await made.memory.store.write([("persona", f"{n:06d}", None) for n in (2, 3)])
    card = await card_of(made)
    assert now(card) == [None] * 4 + [0, 0]
    assert card.helped is not None
    assert "Too few questions to be certain: of 2 questions" in card.helped.sentence
    assert "(2 newer than it), 2 got better and 0 worse" in card.helped.sentence


async def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    made = await painted(tmp_path)
    card = await card_of(made)
    assert card.helped is not None
    assert card.helped.sentence == "Nothing is learned that could have helped."
    await learned(made, 9, batch="e0 e1 e2 e3 e4 e5")
    card = await card_of(made)
    assert (now(card), card.usage["llm_calls"]) == ([None] * 6, 0), "and costs nothing"
    assert card.helped is not None
    assert "Not known yet: version 4 was learned from all 6 labels tested" in card.helped.sentence
    assert card.helped.difference is None


async def test_only_the_newest_are_tested(tmp_path: Path) -> None:
    card = await card_of(await painted(tmp_path), limit=2)
    assert [each.id for each in card.episodes] == ["e4", "e5"]
    assert losses(card, "rag") == [1, 0], "what came before them is remembered all the same"


async def test_what_is_unscored_counts_under_no_condition(tmp_path: Path) -> None:
    def broken(prompt: Prompt) -> Reply:
        first = prompt.last == EPISODES[0].query and "<memories>" in prompt.system
        return (
            ModelError("it broke") if first and "<persona>" not in prompt.system else paint(prompt)
        )

    card = await card_of(await painted(tmp_path, broken))
    assert losses(card, "rag") == [None, 0, 0, 1, 1, 0]
    assert losses(card, "none") == [1, 1, 1, 1, 1, 1]
    assert len(card.compared) == 5
    assert card.running_means("rag") == pytest.approx([0, 0, 1 / 3, 1 / 2, 2 / 5])
    assert card.means["then"].loss.mean == pytest.approx(3 / 5)
    assert card.warnings == [
        "1 of 6 episodes left out: not all of their answers could be simulated and "
        "judged; the first reason: it broke"
    ]


async def test_nothing_to_tell(tmp_path: Path) -> None:
    made = world(tmp_path, lambda prompt: ModelError("it broke"))
    await made.remember(Episode(id="x", user_id="anna", query="Hello?", response="Hello."))
    with pytest.raises(DataError, match="No episode of 'anna' says what they wanted"):
        await card_of(made)
    await made.remember(*EPISODES)
    with pytest.raises(ModelError, match=r"None of 6 episodes .* the first reason: it broke"):
        await card_of(made)


async def test_the_limits_of_an_alignment_hold(tmp_path: Path) -> None:
    made = await painted(tmp_path, align_calls=12, concurrency=1)
    card = await card_of(made)
    assert len(made.prompts) == card.usage["llm_calls"] == 12
    assert len(card.compared) == 4, "three answers each, the oldest first"
    assert "limit of calls" in card.warnings[0]
    assert len((await card_of(made)).compared) == 6, "the rest, from where it stood"


async def test_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "card.png"
    card = await card_of(await painted(tmp_path))
    save_plot(card, file)
    assert file.read_bytes().startswith(b"\x89PNG\r\n")
    with pytest.raises(DataError, match="cannot be written: No such file"):
        save_plot(card, tmp_path / "none" / "card.png")


def test_the_sparkline() -> None:
    assert sparkline([0.0, 0.5, 1.0], 0, 1) == "▁▅█"
    assert sparkline([0.5, 0.5], 0.5, 0.5) == "▁▁"
    many = sparkline([*([0.0] * 99), 1.0], 0, 1)
    assert many == "▁" * 31 + "█"


async def test_a_scorecard_says_how_sure_judged_decisions_were(tmp_path: Path) -> None:
    there = await painted(tmp_path)
    card = await card_of(there)
    assert card.calibration is not None
    assert (card.calibration.questions, "As sure" in _drawn(card)) == (0, False)
    decided = {"decision": {"answer": "blue", "text": "", "probability": 0.9}}
    await there.remember(
        episode("d1", "Paint?", day=9, response="blue", signal="accept", metadata=decided)
    )
    text = _drawn(await card_of(there))
    assert "Too few answers to be certain: 1 judged answer to closed questions stated 90%" in text


def _drawn(card: Scorecard) -> str:
    console = Console(width=300, file=StringIO(), record=True)
    console.print(scorecard_view(card))
    return console.export_text()
