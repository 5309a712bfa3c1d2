"""Drawing episodes of every task."""

from personaagent.memory.profile import LabelledAt
from personaagent.nodes.alignment.draw_sets import stratified
from tests.support.memories import START


def test_tasks_take_turns_and_the_newest_of_each_comes_first() -> None:
    tasks = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "none": None}
    pool = [LabelledAt(id=id, task=task, at=START.timestamp()) for id, task in tasks.items()]
    assert stratified(pool, 4) == ["a1", "b1", "none", "a2"]
    assert stratified(pool, 9) == ["a1", "b1", "none", "a2", "a3"]
