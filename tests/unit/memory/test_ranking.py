"""Ranking of episodes: the newest of many alike, and which queries are one."""

from personaagent.core.records import Episode
from personaagent.memory.instructions import shared_by
from personaagent.memory.ranking import keep_newest, repeated_queries, same_query
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


ASK = (
    "Which tag does this movie relate to among the following tags? Just answer with the tag name "
    "without further explanation. tags: [sci-fi, based on a book, comedy, action, twist ending] film:"
)


def test_questions_that_share_a_long_instruction_are_not_one_question() -> None:
    films = ("a lighthouse", "two brothers", "a night train")
    queries = [f"{ASK} {film}" for film in films]
    differing = shared_by(tuple(queries)).differing
    assert [differing(query) for query in queries] == [*films]
    assert same_query(queries[0], queries[1]), "without the instruction it cannot be told"
    assert not same_query(queries[0], queries[1], differing)
    assert same_query(queries[0], f"{ASK.upper()} A lighthouse!", differing)
    by_film = dict(zip(films, queries, strict=True))
    assert repeated_queries(by_film, [f"{ASK} a lighthouse."], differing) == {"a lighthouse"}


def test_the_same_thing_in_another_question_is_another_question() -> None:
    differing = shared_by(tuple(f"{ASK} film {number}" for number in range(3))).differing
    assert not same_query(f"{ASK} film 1", "film 1", differing)


def test_a_query_without_an_instruction_is_compared_as_a_whole() -> None:
    differing = shared_by(()).differing
    assert same_query("Where is the key?", "where is the key", differing)
    assert not same_query("Where is the key?", "Where is the boat?", differing)
