"""Messages that form a tree, since an edit or a regenerated answer begins a branch: which were seen
last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TreeNode:
    """One message of the tree, by the ids of its neighbours; either side may be missing.

    ``parent`` is None for a first message: map an id that stands for "no parent" to None. A node
    without a message of its own (``spoken`` False) only connects others.
    """

    parent: str | None
    children: Sequence[str] = ()
    at: datetime | None = None
    spoken: bool = True


def standing_paths(nodes: Mapping[str, TreeNode], last: str | None = None) -> list[list[str]]:
    """The ids from the first message to the one seen last, without the branches that were left.

    ``last`` is the node that the program names as the last one. If there is no such node, the
    newest is meant. Where a parent is missing from the file, the conversation is in pieces: each
    piece is a path, the earlier ones first.
    """
    if not any(node.parent or node.children for node in nodes.values()):
        return [[*nodes]] if nodes else []
    tree = _Tree(nodes)
    path = tree.path_to(last) if last in nodes else []
    if not any(nodes[each].spoken for each in path):
        path = tree.newest_path([*nodes])
    is_whole = not path or nodes[path[0]].parent is None
    paths = [path] if is_whole else [*tree.earlier_paths(path), path]
    return [piece for each in paths for piece in _pieces(each, nodes)]


def _pieces(path: Sequence[str], nodes: Mapping[str, TreeNode]) -> list[list[str]]:
    """The path, cut before each message whose parent is missing."""
    pieces: list[list[str]] = []
    for id in path:
        parent = nodes[id].parent
        if not pieces or (parent is not None and parent not in nodes):
            pieces.append([])
        pieces[-1].append(id)
    return pieces


class _Tree:
    """The nodes with their links mended: what a child does not say, its parent's list does."""

    def __init__(self, nodes: Mapping[str, TreeNode]) -> None:
        self._nodes = nodes
        self._order = {id: place for place, id in enumerate(nodes)}
        self._listed = {
            child: (place, id)
            for id, node in nodes.items()
            for place, child in enumerate(node.children)
            if child != id
        }
        self._parents = {id: self._parent(id) for id in nodes}
        self._children: dict[str, list[str]] = {id: [] for id in nodes}
        for id in sorted(nodes, key=self._place_among_siblings):
            if (parent := self._parents[id]) is not None:
                self._children[parent].append(id)

    def _parent(self, id: str) -> str | None:
        """Its parent; if that is missing, the node that lists the missing one, or this one."""
        parent = self._nodes[id].parent
        if parent in self._nodes:
            return parent
        listed = self._listed.get(parent or id) or self._listed.get(id)
        return listed[1] if listed else None

    def _place_among_siblings(self, id: str) -> tuple[int, int]:
        """First the order in which the parent lists its children, then that of the file."""
        place, _ = self._listed.get(id, (len(self._nodes), None))
        return place, self._order[id]

    def path_to(self, id: str | None) -> list[str]:
        """From the first message to this one; a link back into the path ends it."""
        path: dict[str, None] = {}
        while id is not None and id not in path:
            path[id] = None
            id = self._parents[id]
        return [*reversed(path)]

    def newest_path(self, ids: Sequence[str]) -> list[str]:
        """The path through the newest of these nodes, on to where it ends."""
        spoken = [id for id in ids if self._nodes[id].spoken]
        if not spoken:
            return []
        timed = [id for id in spoken if self._nodes[id].at is not None]
        newest = max(timed, key=self._age) if timed else self.path_to(spoken[0])[0]
        return self.path_to(self._end_below(newest))

    def earlier_paths(self, path: Sequence[str]) -> list[list[str]]:
        """The newest path of each tree that is cut off from ``path``, oldest first; a sibling of
        its first message is a branch that was left."""
        trees: dict[str | None, list[str]] = {}
        for id in self._nodes:
            if self._parents[id] is None:
                trees.setdefault(self._nodes[id].parent, []).extend(self._all_below(id))
        trees.pop(self._nodes[path[0]].parent, None)
        paths = [found for ids in trees.values() if (found := self.newest_path(ids))]
        return sorted(paths, key=lambda each: max(map(self._age, each)))

    def _end_below(self, id: str) -> str:
        """The last child of the last child, and so on."""
        seen = {id}
        while (children := self._children[id]) and children[-1] not in seen:
            id = children[-1]
            seen.add(id)
        return id

    def _all_below(self, id: str) -> list[str]:
        """The node and all that descend from it."""
        found = [id]
        for each in found:
            found += self._children[each]
        return found

    def _age(self, id: str) -> tuple[datetime, int]:
        return self._nodes[id].at or _BEGINNING, self._order[id]
