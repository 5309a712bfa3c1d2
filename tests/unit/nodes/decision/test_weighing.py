"""Weighing: the pure formulas."""

import pytest

from personaagent.core.decision import ClosedQuestion
from personaagent.core.weights import Weights
from personaagent.memory.label_counts import Label, LabelCounts
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.decision.history import history_of
from personaagent.nodes.decision.history_votes import history_votes, prior_of
from personaagent.nodes.decision.number_votes import median_of, number_votes, shifted
from personaagent.nodes.decision.weighing import weigh

TAGS = ClosedQuestion(kind="labels", answers=["comedy", "action"], task="t", instruction="Tag")
STARS = ClosedQuestion(kind="numbers", answers=["1", "2", "3", "4", "5"], task="t")


def counts(*tokens: str) -> LabelCounts:
    latest = [Label(float(n), f"e{n}", token) for n, token in enumerate(tokens)][::-1]
    return LabelCounts(
        task="t", counts={each: tokens.count(each) for each in tokens}, latest=latest
    )


def near(token: str, cosine: float = 0.9) -> SimilarLabel:
    return SimilarLabel("e", token, cosine, 0.0)


def test_the_prior_adds_two_labels_spread_evenly() -> None:
    prior = prior_of(["comedy", "action"], counts("comedy", "comedy"))
    assert prior == {"comedy": 0.75, "action": 0.25}


def test_a_label_counts_in_any_spelling() -> None:
    prior = prior_of(["comedy", "action"], counts("Comedy", "comedy."))
    assert prior["comedy"] == 0.75


def test_near_labels_outvote_the_prior_and_far_ones_do_not() -> None:
    own = counts("comedy", "comedy", "comedy", "action")
    assert history_votes(TAGS.answers, own, [near("action", 1.0)])["action"] > 0.5
    assert history_votes(TAGS.answers, own, [near("action", 0.1)])["action"] < 0.5


def test_with_a_half_life_recent_labels_count_more() -> None:
    own = counts(*["comedy"] * 6, *["action"] * 3)
    assert prior_of(TAGS.answers, own)["comedy"] > 0.5
    assert prior_of(TAGS.answers, own, half_life=2)["action"] > 0.5


def test_a_question_unlike_the_history_leaves_it_flat() -> None:
    alien = TAGS.model_copy(update={"instruction": ""})
    said = history_of(alien, counts(*["comedy"] * 9), [near("comedy", 0.1)], Weights())
    assert said == {"comedy": 0.5, "action": 0.5}


def test_how_often_a_statement_was_true_says_nothing_of_another() -> None:
    asked = ClosedQuestion(kind="labels", answers=["yes", "no"], task="t", instruction="Is it so?")
    said = history_of(asked, counts(*["yes"] * 9, "no"), [near("yes", 0.2)], Weights())
    assert said is not None
    assert said["yes"] == pytest.approx(0.5, abs=0.01)


def test_a_number_spreads_over_its_neighbours() -> None:
    votes = number_votes(STARS.answers, counts("5", "5", "5"))
    assert votes["5"] > votes["4"] > votes["3"]
    assert sum(votes.values()) == pytest.approx(1)


def test_of_numbers_the_median_is_chosen() -> None:
    assert median_of({"1": 0.4, "2": 0.2, "5": 0.4}) == "2"
    decision = weigh(STARS, None, {"1": 0.4, "2": 0.25, "5": 0.35}, None, Weights(model=1))
    assert decision.answer == "2"


def test_an_offset_moves_numbers_and_ends_at_the_scale() -> None:
    moved = shifted({"1": 0.5, "2": 0.5, "3": 0.0}, 0.5)
    assert moved == {"1": 0.25, "2": 0.5, "3": 0.25}
    assert shifted({"1": 0.0, "2": 0.0, "3": 1.0}, 2.0)["3"] == 1.0


def test_a_confident_model_outweighs_a_thin_prior() -> None:
    thin = history_votes(TAGS.answers, counts("comedy"))
    decision = weigh(TAGS, thin, {"comedy": 0.1, "action": 0.9}, None, Weights())
    assert decision.answer == "action"


def test_sources_that_agree_make_an_answer_surer_but_less_than_if_they_knew_different_things() -> (
    None
):
    """The model has read some of the labels that vote."""
    same = {"comedy": 0.7, "action": 0.3}
    independent = 0.7**3 / (0.7**3 + 0.3**3)
    assert 0.7 < weigh(TAGS, same, same, same, Weights(names=1)).confidence < independent


def test_a_source_that_speaks_alone_is_told_as_it_is() -> None:
    alone = {"comedy": 0.7, "action": 0.3}
    decision = weigh(TAGS, alone, None, None, Weights(history=5))
    assert decision.probabilities == pytest.approx(alone)


def test_a_long_history_outweighs_a_model_in_doubt() -> None:
    long = history_votes(TAGS.answers, counts(*["comedy"] * 20, "action"))
    decision = weigh(TAGS, long, {"comedy": 0.45, "action": 0.55}, None, Weights())
    assert decision.answer == "comedy"
    assert 0.5 < decision.confidence < long["comedy"]
    assert decision.reason == "your history says comedy 91%, the model action 55%; comedy"


def test_no_source_alone_rules_an_answer_out() -> None:
    decision = weigh(TAGS, None, {"comedy": 1.0}, None, Weights())
    assert 0 < decision.probabilities["action"] < 0.01


def test_without_a_source_all_answers_are_alike() -> None:
    assert weigh(TAGS, None, None, None, Weights()).probabilities == {"comedy": 0.5, "action": 0.5}
