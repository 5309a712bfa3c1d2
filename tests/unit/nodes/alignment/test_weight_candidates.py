"""Weights beside rules: what a run of alignment learns of how to decide closed questions."""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.alignment import Candidate, Loss
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.records import Episode
from personaagent.core.weights import Weights
from personaagent.nodes.alignment.fit_weights import Example, fit_weights
from personaagent.nodes.alignment.reweigh import decided_by
from personaagent.nodes.alignment.strategies.gate_rule import passes_on_all
from personaagent.nodes.alignment.strategies.trials import better_half
from personaagent.nodes.alignment.weight_candidates import is_free, weight_candidates
from personaagent.nodes.decision import defaults
from personaagent.nodes.decision.defaults import SHOWN, default_weights
from tests.support.alignment import Scripted, World, world
from tests.support.memories import episode
from tests.support.scripted_model import Prompt, Reply
from tests.unit.nodes.alignment.test_fit_weights import GENRES, decided

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


@pytest.fixture(autouse=True)
def _model_trusted_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults that are wrong for a user whose model is always wrong."""
    too_much = Weights(history=1.0, model=1.5, names=0.5)
    monkeypatch.setitem(defaults._BY_KIND, "labels", too_much)


TOPICS = {
    "comedy": "jokes laughter pranks banter",
    "drama": "tears sorrow parting letters",
    "horror": "ghosts screams midnight blood",
}
FILMS = (
    "amber", "birch", "cobalt", "dune", "ember", "fjord", "garnet", "heather", "iris", "jade",
    "kelp", "lotus", "maple", "nectar", "onyx", "pearl", "quartz", "reed", "slate", "topaz",
    "umber", "violet", "willow", "yarrow", "zephyr", "acorn", "basil", "cedar", "daisy", "elm",
)  # fmt: skip


def genre_of(film: str) -> str:
    return GENRES.answers[FILMS.index(film) % 3]


def films(count: int) -> list[Episode]:
    """Films whose nearest neighbours, by what they are about, have the same genre."""
    return [
        episode(
            f"f{number}",
            query=f"Genre of the film {film}, about {TOPICS[genre_of(film)]}?",
            ground_truth=genre_of(film),
            task="genre",
            day=number,
        )
        for number, film in enumerate(FILMS[:count])
    ]


def is_wrong(prompt: Prompt) -> Reply:
    """An actor that always names another genre of the three."""
    match = re.search(r"the film (\w+)", prompt.last)
    assert match
    return GENRES.answers[(FILMS.index(match[1]) + 1) % 3]


async def genre_world(home: Path, count: int = 30, **settings: Any) -> World:
    there = world(home, Scripted(actor=is_wrong, propose=lambda *_: []), **settings)
    await there.remember(*films(count))
    return there


async def state_of(there: World, **context: Any) -> AlignmentRun:
    state = await there.run({"trigger": "test"}, **context)
    return AlignmentRun.from_state(state, there.deps.settings)  # type: ignore[arg-type]


async def test_a_user_whose_history_is_right_learns_to_trust_the_model_less(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    before = (await there.memory.personas.current()).rules
    run = await there.align(rounds=2)
    current = await there.memory.personas.current()
    [learned] = current.weights
    default = default_weights("labels")
    assert learned.task == "genre"
    assert learned.model / learned.history < default.model / default.history or learned.names > 0.5
    assert (current.author, current.rules, current.parent) == ("alignment", before, 1)
    assert current.proof is not None
    held_out = current.proof.losses("holdout")
    assert held_out is not None
    assert held_out[1] < held_out[0]
    assert (run.weights_before, run.weights_after) == ([], [learned])


async def test_trying_weights_asks_no_model(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    run = await there.align(rounds=1)
    batch, held_out = len(run.rounds[0].losses_before), len(run.rounds[0].holdout_before)
    asked = [p for p in there.prompts if not p.options.get("response_format")]
    # Once under the persona so far; and with fewer episodes shown, until that gains nothing.
    assert len(asked) <= 2 * (batch + held_out)
    free = [p for p in asked if "<persona>" in p.system]
    assert len({(p.system, p.last) for p in free}) == len(free)


async def test_no_label_is_in_the_weights_that_judge_it(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    run = await state_of(there, rounds=1, dry_run=True)
    labels = {each.id: each.ground_truth or "" for each in films(30)}
    run = run.model_copy(update={"weights": [], "accepted_left_out": []})
    [fitted, _] = await weight_candidates(run, labels)
    assert {*fitted.left_out} == {*run.episode_ids}
    for id in run.episode_ids:
        others = {each: "horror" for each in labels if each != id}
        [of_others, _] = await weight_candidates(run, labels | others)
        [of_another, _] = await weight_candidates(run, labels | {id: "horror"})
        assert of_another.left_out[id] == fitted.left_out[id]
        assert of_others.left_out[id] != fitted.left_out[id]
        assert run.persona_of(fitted).weights_for(id) == [fitted.left_out[id]]


async def test_no_vote_and_no_count_of_the_batch_is_of_what_is_held_out(tmp_path: Path) -> None:
    """What is held out is all that is of horror, so no decision on the batch may know the word."""
    there = world(tmp_path, Scripted(actor=is_wrong, propose=lambda *_: []))
    latest, held_out = films(30)[27:], [*range(11, 27)]
    rest = [
        each.model_copy(
            update={"ground_truth": "horror" if n in held_out else ["comedy", "drama"][n % 2]}
        )
        for n, each in enumerate(films(27))
    ]
    latest = [each.model_copy(update={"ground_truth": "drama"}) for each in latest]
    await there.remember(*rest, *latest)
    run = await state_of(there, rounds=1, dry_run=True)
    assert {*run.holdout} == {f"f{number}" for number in held_out}
    decisions = [run.simulated[id].decision for id in run.batch]
    assert decisions
    for decision in decisions:
        assert decision is not None
        assert set(decision.question.answers) == {"comedy", "drama"}
    of_held_out = run.simulated[run.holdout[0]].decision
    assert of_held_out is not None
    assert "horror" in of_held_out.question.answers


async def test_weights_that_the_user_has_locked_stay(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    mine = Weights(task="genre", model=1.5, names=0.5, locked=True)
    rules = (await there.memory.personas.current()).rules
    await there.memory.personas.publish(rules, weights=[mine], author="user", note="", parent=1)
    run = await there.align(rounds=1)
    assert (run.to_version, run.weights_after) == (2, [mine])


async def test_what_is_learned_beside_an_edit_of_the_user_is_not_published(tmp_path: Path) -> None:
    async def lock() -> None:
        await there.memory.personas.begin()
        await there.memory.personas.lock_rule("r1", locked=True)

    there = await genre_world(tmp_path)
    there.between = ("update", lock)
    run = await there.align(rounds=1)
    assert run.stopped_by == "conflict"
    assert (await there.memory.personas.current()).weights == []


def test_weights_with_another_number_of_shown_episodes_ask_the_model() -> None:
    run = AlignmentRun.model_construct(weights=[Weights(task="genre", shown=4)])
    assert is_free(Candidate(rules=[], weights=[Weights(task="genre", shown=4, model=2)]), run)
    assert not is_free(Candidate(rules=[], weights=[Weights(task="genre", shown=2)]), run)
    assert not is_free(Candidate(rules=[]), run)


@pytest.mark.parametrize(
    ("rivals", "finalists"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (8, 4)]
)
def test_the_better_half_is_tried_on_and_two_at_least(rivals: int, finalists: int) -> None:
    ranked = [*range(rivals)]
    best, rest = better_half(ranked)
    assert (len(best), [*best, *rest]) == (finalists, ranked)


def loss_of(id: str, right: bool) -> Loss:
    return Loss(episode=id, metric="label", score=float(right), expected="", simulated="")


def seems_better(seed: int) -> bool:
    """Whether weights are accepted for a user of whom no source knows anything."""
    chance = random.Random(seed)
    made = [
        Example(decided(chance.choice(GENRES.answers), chance.choice(GENRES.answers)), wanted)
        for wanted in chance.choices(GENRES.answers, k=19)
    ]
    fitted = fit_weights(made)
    assert fitted

    def losses(weights: Sequence[Weights]) -> dict[str, Loss]:
        pairs = zip(made, weights, strict=True)
        right = [decided_by(each.decision, by).answer == each.wanted for each, by in pairs]
        return {f"e{number}": loss_of(f"e{number}", is_so) for number, is_so in enumerate(right)}

    before, after = losses([default_weights("labels", "genre")] * 19), losses(fitted.without)
    return passes_on_all(before, after, batch=[*before], holdout=[], earlier_batches=[])


def test_where_nothing_can_be_learned_weights_rarely_seem_better() -> None:
    assert sum(seems_better(seed) for seed in range(200)) <= 20


async def test_weights_are_learned_where_the_batch_is_right_already(tmp_path: Path) -> None:
    """No critic is asked then: no rule is missing."""
    history = films(30)
    latest = [each.query for each in history[27:]]

    def actor(prompt: Prompt) -> Reply:
        wanted = next(each.ground_truth for each in history if each.query in prompt.last)
        right = any(query in prompt.last for query in latest)
        return wanted if right and wanted else is_wrong(prompt)

    there = world(tmp_path, Scripted(actor=actor, propose=lambda *_: []))
    await there.remember(*history)
    run = await there.align(rounds=2)
    assert not any(run.rounds[0].losses_before.values())
    assert run.stopped_by == "no loss"
    assert (run.to_version, [each.task for each in run.weights_after]) == (2, ["genre"])
    assert "critic" not in run.usage["by_role"]


async def test_a_simulated_decision_notes_what_recent_labels_say(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    run = await state_of(there, rounds=1, dry_run=True)
    decisions = [each.decision for each in run.simulated.values() if each.decision]
    assert decisions
    for each in decisions:
        [history] = [source for source in each.sources if source.name == "history"]
        assert each.recent_history is not None
        assert each.recent_history.keys() == history.probabilities.keys()
        assert each.recent_history != history.probabilities
        assert each.chosen_before == each.question.answers


async def test_a_simulated_choice_shows_as_few_episodes_as_a_turn(tmp_path: Path) -> None:
    there = await genre_world(tmp_path)
    run = await state_of(there, rounds=1, dry_run=True)
    contexts = run.episode_contexts.values()
    assert {each.choice for each in contexts} == {"labels"}
    assert max(len(each.recalled) for each in contexts) > (SHOWN["labels"] or 0)
    shown = [p.system.count(" -> ") for p in there.prompts if "<memories>" in p.system]
    assert shown
    assert max(shown) == SHOWN["labels"]
