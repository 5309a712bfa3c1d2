"""Label counts: subtracting episodes gives the facts of the others."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from personaagent.core.records import Episode
from personaagent.memory.facts import compute_facts
from personaagent.memory.label_counts import LabelCounts, count_labels, subtract
from personaagent.memory.label_types import label_type_of
from tests.support.memories import START, episode

WORDS = st.sampled_from(["drama", "war", "4", "5.0", "nan", "7", " five", "six words ", ""])


LABELS = st.one_of(
    st.sampled_from(["1", "2", "3", " 4 ", "5"]),
    st.sampled_from(["drama", "comedy", "science fiction", "12"]),
    st.lists(WORDS, max_size=9).map(" ".join),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Episode]:
    """Up to 300 episodes of a few tasks, labels of one sort or mixed; moments may coincide."""
    tasks = draw(st.lists(st.sampled_from([None, "genre", "stars"]), min_size=1, unique=True))
    sort = draw(st.sampled_from([LABELS, st.sampled_from("12345"), st.sampled_from("abc")]))
    size = draw(st.integers(0, 300))
    chance = draw(st.randoms(use_true_random=False))
    pool = draw(st.lists(st.one_of(st.none(), sort), min_size=1, max_size=12))
    return [
        Episode(
            id=f"e{number}",
            user_id="anna",
            query="?",
            response="",
            ground_truth=chance.choice(pool),
            task=chance.choice(tasks),
            created_at=START + timedelta(microseconds=chance.randrange(200)),
        )
        for number in range(size)
    ]


@given(histories(), st.data())
def test_subtracting_episodes_equals_counting_only_the_others(
    history: list[Episode], data: st.DataObject
) -> None:
    picked = data.draw(st.sets(st.integers(0, max(len(history) - 1, 0)), max_size=100))
    hidden = [each for number, each in enumerate(history) if number in picked]
    others = [each for number, each in enumerate(history) if number not in picked]
    kept = [
        LabelCounts.model_validate_json(each.model_dump_json()) for each in count_labels(history)
    ]
    left = subtract(kept, hidden)
    assert compute_facts(left) == compute_facts(count_labels(others))
    assert {each.task: label_type_of(each) for each in left} == {
        each.task: label_type_of(each) for each in count_labels(others)
    }


def test_an_episode_is_subtracted_with_the_label_it_was_counted_with() -> None:
    old = episode("e1", task="t", ground_truth="drama")
    counted = count_labels([old, episode("e2", task="t", ground_truth="war", day=1)])
    [left] = subtract(counted, [old.with_feedback("edit", "comedy")])
    assert left.counts == {"war": 1}
    [left] = subtract(counted, [old.with_feedback("reject", force=True)])
    assert left.counts == {"war": 1}


def test_the_text_of_a_longer_label_is_not_stored() -> None:
    [kept] = count_labels([episode("e1", ground_truth="a secret of five words")])
    assert "secret" not in kept.model_dump_json()


def test_without_the_latest_labels_there_is_no_recent_change() -> None:
    day = [episode(f"e{n}", task="t", ground_truth="ab"[n > 200], day=n) for n in range(400)]
    [whole] = compute_facts(count_labels(day))
    [rest] = compute_facts(subtract(count_labels(day), day[-128:]))
    assert whole.recent == "lately b: 5 of the latest 5"
    assert (rest.labels, rest.recent) == ({"a": 201, "b": 71}, None)
