"""The blocks of the users who were searched last, up to a bound on memory."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personaagent.memory.index.blocks import Block


@dataclass
class UserBlocks:
    """The blocks of one user. They hold while the ``stamp`` of the user is the same."""

    stamp: int
    blocks: "list[Block]" = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """How much memory the blocks take."""
        return sum(block.nbytes for block in self.blocks)


class BlockCache:
    """Blocks by the number of the user; those not used for longest go first.

    Args:
        limit: how much memory all blocks together may take (bytes).
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._users: OrderedDict[int, UserBlocks] = OrderedDict()

    def take(self, user: int, stamp: int) -> UserBlocks:
        """Take the blocks of ``user`` out of the cache: none if they are outdated."""
        cached = self._users.pop(user, None)
        return cached if cached is not None and cached.stamp == stamp else UserBlocks(stamp)

    def put(self, user: int, blocks: UserBlocks) -> None:
        """Put the blocks of ``user`` back, in place of those not used for longest."""
        self._users[user] = blocks
        while len(self._users) > 1 and self.nbytes > self.limit:
            self._users.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """How much memory all blocks take."""
        return sum(blocks.nbytes for blocks in self._users.values())
