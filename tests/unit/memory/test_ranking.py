"""Ranking of episodes: the newest of many alike."""

from personaagent.core.records import Episode
from personaagent.memory.ranking import keep_newest
from tests.support.memories import episode


def ids(episodes: list[Episode]) -> str:
    return " ".join(each.id for each in episodes)


def test_the_newest_of_the_best_is_not_crowded_out() -> None:
    older = [episode(f"e{n}", day=n) for n in range(9)]
    newest, late = episode("new", day=99), [episode("x", day=100)]
    assert ids(keep_newest([*older, newest, *late], 8)[:8]) == "e0 e1 e2 e3 e4 e5 e6 new"
    assert ids(keep_newest([newest, *older], 8)[:8]) == "new e0 e1 e2 e3 e4 e5 e6"
    assert ids(keep_newest([*older, newest], 4)[:4]) == "e0 e1 e2 e4", "only among the best"
    assert ids(keep_newest([*older, newest], 1)[:1]) == "e0"
    assert keep_newest([], 8) == []
