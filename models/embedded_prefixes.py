"""Files with the engine's state after what every prompt of a kind begins with.

The engine reads such a beginning once. Its next starts have it in their cache, so that an answer
begins without it. The files hold no word of a user: only texts of ours and names of tools.
"""

import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from personaagent.core.files import make_private

SUFFIX = ".state"
UNNAMED = "."
MOST = 4
"""Files that are kept and restored: 15 MB each on the default model. With other tools, the choice of a
tool begins otherwise."""
ABANDONED_AFTER = 3600
"""Seconds after which no process is still writing a file."""


def prefix_folder(model_file: Path) -> Path | None:
    """The folder of the states that this engine made of this very file; None if none can be made.

    Those of another engine, or of what the file was before, are deleted.
    """
    about = model_file.stat()
    made_by = f"{version('xllamacpp')} {about.st_size} {about.st_mtime_ns}"
    root = model_file.parent / "prefixes"
    folder = root / hashlib.sha256(made_by.encode()).hexdigest()[:16]
    try:
        make_private(folder)
        for other in root.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    except OSError as error:
        logging.getLogger(__name__).info("Prompts begin unread each time: %s", error)
        return None
    return folder


def state_files(folder: Path) -> list[Path]:
    """The files that are whole, the latest used last; all but these are deleted.

    Each is compared with the hash in its name: a damaged one would end the engine.
    """
    with suppress(OSError):
        delete(_abandoned(folder))
        files = _by_use(folder)
        whole = [file for file in files[-MOST:] if file.stem.endswith(f"-{_hash(file)}")]
        delete([file for file in files if file not in whole])
        return whole
    return []


def is_kept(folder: Path, name: str) -> bool:
    """Whether there is a state of that name; it counts as used now."""
    try:
        for file in (files := _of_name(folder, name)):
            os.utime(file)
    except OSError:
        return False
    return bool(files)


def new_file(folder: Path) -> Path:
    """Where the engine may write a state that has no name yet."""
    return folder / f"{UNNAMED}{secrets.token_hex(8)}"


def keep(written: Path, name: str) -> None:
    """Give the state in ``written`` its name, and delete what was used before the last ``MOST``.

    Raises:
        OSError: it cannot be read or renamed.
    """
    folder = written.parent
    file = written.replace(folder / f"{name}-{_hash(written)}{SUFFIX}")
    delete([other for other in _of_name(folder, name) if other != file])
    delete(_by_use(folder)[:-MOST])


def _of_name(folder: Path, name: str) -> list[Path]:
    return [*folder.glob(f"{name}-*{SUFFIX}")]


def _by_use(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime)


def _abandoned(folder: Path) -> list[Path]:
    """What was written for a process that ended before it gave it a name."""
    latest = time.time() - ABANDONED_AFTER
    return [file for file in folder.glob(f"{UNNAMED}*") if file.stat().st_mtime < latest]


def delete(files: Iterable[Path]) -> None:
    """Delete what can be deleted of these files."""
    for file in files:
        with suppress(OSError):
            file.unlink()


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()[:32]
