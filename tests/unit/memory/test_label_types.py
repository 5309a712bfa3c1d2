"""Label types: numbers, classes, or free text."""

from personaagent.memory.label_counts import count_labels
from personaagent.memory.label_types import LabelType, label_type_of
from tests.support.memories import episode


def kind(*labels: str, task: str | None = "t") -> LabelType:
    [counted] = count_labels(
        [episode(f"e{n}", task=task, ground_truth=x) for n, x in enumerate(labels)]
    )
    return label_type_of(counted)


def test_the_type_of_labels_follows_from_their_tokens() -> None:
    assert kind("5", "1.5", " 5") == LabelType("numbers", ["5", "1.5"], 1.5, 5.0)
    assert kind("war", "drama", "war") == LabelType("labels", ["war", "drama"])
    assert kind("war") == LabelType("labels", ["war"])
    assert kind("war", task=None) == LabelType("text", ["war"])
    assert kind("war", "a text of five words") == LabelType("text", ["war"])
    assert kind("1e308", "1e308").kind == "labels", "no sum that overflows"
    assert len(kind(*[f"{n}" for n in range(500)]).labels) == 200
