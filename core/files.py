"""Folders that only their owner can read."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Create ``folder`` and its missing parents, accessible by their owner only (mode 0700).

    Raises:
        OSError: one cannot be created.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
