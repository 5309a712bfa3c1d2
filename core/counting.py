"""Counts that agree with what they count."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 call``, ``0 calls``, ``1,200 calls``; ``many`` where it is more than ``one`` and an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
