"""Folders of the user's own."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make ``folder``, and what is missing above it, for its owner alone (mode 0700).

    Raises:
        OSError: it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
