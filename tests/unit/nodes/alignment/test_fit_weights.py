"""Fitting weights on a user's labels: they follow what is right, and few labels move them little."""

import random

import pytest

from personaagent.core.alignment import SimulatedAnswer
from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.weights import Weights
from personaagent.nodes.alignment.fit_weights import (
    SHRINK,
    Example,
    examples,
    fit_weights,
    shrunk,
)
from personaagent.nodes.alignment.reweigh import decided_by, reweighed
from personaagent.nodes.decision.defaults import RECENT, default_weights
from personaagent.nodes.decision.weighing import weigh

GENRES = ClosedQuestion(kind="labels", answers=["comedy", "drama", "horror"], task="genre")
STARS = ClosedQuestion(kind="numbers", answers=["1", "2", "3", "4", "5"], task="stars")


def sure_of(answer: str, question: ClosedQuestion = GENRES, p: float = 0.7) -> dict[str, float]:
    rest = (1 - p) / (len(question.answers) - 1)
    return {each: p if each == answer else rest for each in question.answers}


def decided(history: str, model: str, question: ClosedQuestion = GENRES) -> Decision:
    weights = default_weights(question.kind, question.task)
    said = sure_of(history, question), sure_of(model, question)
    return weigh(question, *said, None, weights)


def believers(count: int, believed: str, seed: int = 1) -> list[Example]:
    """Examples in which this source is always right, and the other by chance."""
    chance, made = random.Random(seed), []
    for _ in range(count):
        wanted = chance.choice(GENRES.answers)
        other = chance.choice(GENRES.answers)
        pair = (wanted, other) if believed == "history" else (other, wanted)
        made.append(Example(decided(*pair), wanted))
    return made


def fitted(learned: list[Example]) -> Weights:
    result = fit_weights(learned)
    assert result is not None
    return result.weights


def ratio(weights: Weights) -> float:
    return weights.model / weights.history


def test_the_source_that_is_right_gains_weight() -> None:
    default = ratio(default_weights("labels"))
    by_history, by_model = (fitted(believers(30, each)) for each in ("history", "model"))
    assert ratio(by_history) < default < ratio(by_model)
    assert (by_history.task, by_history.labels) == ("genre", 30)


def test_few_labels_move_the_weights_little_and_many_almost_all_the_way() -> None:
    default = default_weights("labels", "genre")
    believing = [fitted(believers(count, "history")) for count in (3, 8, 64)]
    distances = [default.model - weights.model for weights in believing]
    assert distances[0] < distances[1] < distances[2]
    assert distances[2] == pytest.approx(default.model * 64 / (64 + SHRINK), abs=0.01)


def test_two_labels_fit_nothing() -> None:
    assert fit_weights(believers(2, "history")) is None
    assert fit_weights([]) is None


def test_the_weights_without_an_example_are_those_fitted_on_the_others() -> None:
    learned = believers(12, "history")
    all_of_them = fit_weights(learned)
    assert all_of_them is not None
    assert len(all_of_them.without) == 12
    for left_out, weights in enumerate(all_of_them.without):
        others = learned[:left_out] + learned[left_out + 1 :]
        assert weights == fitted(others)


def test_an_offset_of_numbers_is_learned_and_shrunk() -> None:
    generous = [Example(decided("4", model, STARS), str(int(model) + 1)) for model in "2334" * 4]
    assert fitted(generous).offset == pytest.approx(16 / (16 + SHRINK), abs=0.01)
    assert fitted(believers(16, "model")).offset == 0


def test_examples_are_those_whose_label_is_among_the_answers() -> None:
    of_earlier_dramas = decided("drama", "comedy").model_copy(update={"chosen_before": ["drama"]})
    decisions = {"e1": of_earlier_dramas, "e2": of_earlier_dramas}
    labels = {"e1": "Drama.", "e2": "western", "e3": "drama"}
    assert examples(decisions, labels) == {"e1": Example(of_earlier_dramas, "drama")}


def test_a_label_that_occurs_once_is_no_example_but_a_number_is() -> None:
    once = decided("drama", "comedy").model_copy(update={"chosen_before": ["horror"]})
    number = decided("3", "4", STARS).model_copy(update={"chosen_before": ["3"]})
    found = examples({"e1": once, "e2": number}, {"e1": "drama", "e2": "4"})
    assert [*found] == ["e2"]


def test_labels_that_are_rare_because_they_are_hidden_teach_nothing() -> None:
    """Three genres, each chosen twice: whichever is hidden, the other two are more frequent."""
    genres = [*GENRES.answers, *GENRES.answers]
    other = dict(zip(GENRES.answers, [*GENRES.answers[1:], GENRES.answers[0]], strict=True))
    seen = {"chosen_before": GENRES.answers}
    decisions = {
        f"e{n}": decided(other[genre], genre).model_copy(update=seen)
        for n, genre in enumerate(genres)
    }
    labels = {f"e{n}": genre for n, genre in enumerate(genres)}
    assert examples(decisions, labels) == {}
    twice_right = {
        id: decided(labels[id], labels[id]).model_copy(update=seen) for id in ("e0", "e1")
    }
    assert {*examples(decisions | twice_right, labels)} == {*labels}


def test_shrinking_stays_between_the_defaults_and_the_fit() -> None:
    default, fitted = Weights(model=1.0), Weights(model=3.0)
    assert shrunk(fitted, default, 0).model == 1.0
    assert shrunk(fitted, default, int(SHRINK)).model == 2.0


def test_an_answer_that_was_paid_for_is_decided_again_by_other_weights() -> None:
    decision = decided("drama", "comedy")
    paid = SimulatedAnswer(answer=decision.answer, decision=decision)
    believes_model = Weights(task="genre", history=0.0)
    believes_history = Weights(task="genre", model=0.0)
    assert reweighed(paid, [believes_model]).answer == "comedy"
    assert reweighed(paid, [believes_history]).answer == "drama"
    assert reweighed(paid, [Weights(task="other", model=0.0)]) == paid
    assert reweighed(paid, []) == paid
    again = reweighed(reweighed(paid, [believes_history]), [believes_model])
    assert again.answer == "comedy", "the decision stays that of the defaults"


def test_a_text_that_says_more_than_the_choice_is_left_alone() -> None:
    decision = decided("drama", "comedy").model_copy(update={"applied": False})
    answer = SimulatedAnswer(answer="A drama, because it is sad.", decision=decision)
    assert reweighed(answer, [Weights(task="genre", history=0.0)]) == answer


def test_the_offset_counts_once() -> None:
    decision = decided("3", "3", STARS)
    shifted = Weights(task="stars", history=0.0, model=1.0, offset=1.0)
    assert decided_by(decision, shifted).answer == "4"


def of_changed_taste(wanted: str, earlier: str) -> Decision:
    """A decision of a user whose recent labels are right and whose older ones are not."""
    recent = {"recent_history": sure_of(wanted)}
    return decided(earlier, "horror").model_copy(update=recent)


def test_a_user_whose_taste_has_changed_gets_a_half_life() -> None:
    pairs = [("drama", "comedy"), ("comedy", "drama")] * 10
    changed = [Example(of_changed_taste(*pair), pair[0]) for pair in pairs]
    weights = fitted(changed)
    assert weights.half_life == RECENT
    assert decided_by(of_changed_taste("drama", "comedy"), weights).answer == "drama"


def test_without_a_recent_history_no_half_life_is_tried() -> None:
    assert fitted(believers(20, "history")).half_life == 0
