"""Ranking of episodes: what supersedes another, and the newest of many alike."""

from personaagent.core.records import Episode
from personaagent.memory.ranking import keep_newest, outrank
from tests.support.memories import episode


def ids(episodes: list[Episode]) -> str:
    return " ".join(each.id for each in episodes)


def superseded(id: str, by: str) -> Episode:
    return episode(id, superseded_by=by)


def test_what_supersedes_goes_first() -> None:
    old, newer, other = superseded("old", "newer"), episode("newer"), episode("other")
    assert ids(outrank([old, other, newer], [])) == "newer old other"
    assert ids(outrank([newer, other, old], [])) == "newer other old"
    assert ids(outrank([other, old], [newer])) == "other newer old"
    assert ids(outrank([other, old], [])) == "other old", "what supersedes is hidden or gone"


def test_the_last_of_a_chain_goes_first_and_a_circle_ends() -> None:
    first, second, third = superseded("a", "b"), superseded("b", "c"), episode("c")
    assert ids(outrank([first], [second, third])) == "c b a"
    assert ids(outrank([superseded("a", "b"), superseded("b", "a")], [])) == "b a"


def test_the_newest_of_the_best_is_not_crowded_out() -> None:
    older = [episode(f"e{n}", day=n) for n in range(9)]
    newest, late = episode("new", day=99), [episode("x", day=100)]
    assert ids(keep_newest([*older, newest, *late], 8)[:8]) == "e0 e1 e2 e3 e4 e5 e6 new"
    assert ids(keep_newest([newest, *older], 8)[:8]) == "new e0 e1 e2 e3 e4 e5 e6"
    assert ids(keep_newest([*older, newest], 4)[:4]) == "e0 e1 e2 e4", "only among the best"
    assert ids(keep_newest([*older, newest], 1)[:1]) == "e0"
    assert keep_newest([], 8) == []
