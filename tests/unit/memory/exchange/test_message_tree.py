"""Of a tree of messages, the path that was seen last."""

from datetime import UTC, datetime

import pytest

from personaagent.memory.exchange.message_tree import TreeNode, standing_paths


def node(parent: str | None, minute: int | None = None, *children: str) -> TreeNode:
    at = datetime(2026, 1, 1, 0, minute, tzinfo=UTC) if minute is not None else None
    return TreeNode(parent, children, at)


BRANCHES = {
    "q": node(None, 0, "a", "b"),
    "b": node("q", 2, "c"),
    "c": node("b", 3),
    "a": node("q", 1),
}


@pytest.mark.parametrize(
    ("last", "expected"),
    [("a", ["q", "a"]), ("c", ["q", "b", "c"]), (None, ["q", "b", "c"]), ("gone", ["q", "b", "c"])],
)
def test_the_path_leads_to_the_last_node_or_else_the_newest(
    last: str | None, expected: list[str]
) -> None:
    assert standing_paths(BRANCHES, last) == [expected]


def test_without_times_the_last_of_the_listed_children_is_the_newest() -> None:
    untimed = {id: TreeNode(each.parent, each.children) for id, each in BRANCHES.items()}
    assert standing_paths(untimed) == [["q", "b", "c"]]


def test_a_last_node_above_which_nothing_is_spoken_is_none() -> None:
    root = TreeNode(None, ["q"], spoken=False)
    assert standing_paths({"root": root, "q": node("root", 1)}, "root") == [["root", "q"]]


def test_messages_without_any_link_stand_in_the_order_of_the_file() -> None:
    assert standing_paths({"b": node(None), "a": node(None)}) == [["b", "a"]]
    assert standing_paths({}) == []


def test_a_parent_that_does_not_say_so_is_found_by_its_children() -> None:
    nodes = {"q": node(None, 0, "a"), "a": node(None, 1)}
    assert standing_paths(nodes, "a") == [["q", "a"]]


def test_where_a_parent_is_missing_the_conversation_is_in_pieces() -> None:
    nodes = {"q": node(None, 0), "a": node("q", 1), "q2": node("gone", 2), "a2": node("q2", 3)}
    assert standing_paths(nodes, "a2") == [["q", "a"], ["q2", "a2"]]
    listed = nodes | {"a": node("q", 1, "gone")}
    assert standing_paths(listed, "a2") == [["q", "a"], ["q2", "a2"]], "a names the one between"
    assert standing_paths(nodes, "a") == [["q", "a"]], "nothing is missing above it"


def test_of_several_first_messages_the_newest_stands() -> None:
    nodes = {"old": node(None, 0), "a": node("old", 1), "new": node(None, 2), "b": node("new", 3)}
    assert standing_paths(nodes) == [["new", "b"]]


@pytest.mark.parametrize("last", [None, "a", "b"])
def test_a_circle_ends_where_it_began(last: str | None) -> None:
    [path] = standing_paths({"a": node("b", 0, "b"), "b": node("a", 1, "a")}, last)
    assert sorted(path) == ["a", "b"]
    assert standing_paths({"a": node("a", 0, "a")}, "a") == [["a"]]


def test_a_long_conversation_takes_no_deep_call() -> None:
    nodes = {str(n): node(str(n - 1) if n else "gone", 0) for n in range(20_000)}
    [path] = standing_paths(nodes)
    assert len(path) == 20_000
