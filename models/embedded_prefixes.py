"""Files with the engine's state after what every prompt of a kind begins with.

The engine reads such a beginning once. Its next starts have it in their cache, so that an answer
begins without it. The files hold no word of a user: only texts of ours and names of tools.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from personaagent.core.files import make_private

SUFFIX = ".state"
MOST = 4
"""Files that are kept and restored: 15 MB each on the default model. With other tools, the choice of a
tool begins otherwise."""


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
        files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime)
        whole = [file for file in files[-MOST:] if file.stem.endswith(f"-{_hash(file)}")]
        delete([file for file in files if file not in whole])
        return whole
    return []


def is_kept(folder: Path, name: str) -> bool:
    """Whether there is a state of that name; it counts as used now."""
    try:
        [file] = folder.glob(f"{name}-*{SUFFIX}")
        os.utime(file)
    except (OSError, ValueError):
        return False
    return True


def keep(written: Path, name: str) -> None:
    """Give the state in ``written`` its name.

    Raises:
        OSError: it cannot be read or renamed.
    """
    written.replace(written.with_name(f"{name}-{_hash(written)}{SUFFIX}"))


def delete(files: Iterable[Path]) -> None:
    """Delete what can be deleted of these files."""
    for file in files:
        with suppress(OSError):
            file.unlink()


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()[:32]
