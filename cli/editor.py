"""The user's own editor."""

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from personaagent.core.errors import UsageError


async def edit_text(text: str) -> str:
    """Open ``text`` in ``$VISUAL``, ``$EDITOR`` or vi; return what the user saved.

    Raises:
        UsageError: there is no terminal to edit on, or the editor failed.
    """
    if not (sys.stdin.isatty() or _editor()):
        raise UsageError("There is no terminal for an editor: use --add, --replace or --remove.")
    command = shlex.split(_editor() or "vi")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "persona.md"
        file.write_text(text, "utf-8")
        try:
            await asyncio.to_thread(subprocess.run, [*command, str(file)], check=True)
            return file.read_text("utf-8")
        except (OSError, subprocess.CalledProcessError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The editor '{command[0]}' did not work ({_reason(error)}). Set EDITOR to another one, or "
                "use --add, --replace or --remove. Nothing was changed."
            ) from error


def _reason(error: OSError | subprocess.CalledProcessError | UnicodeDecodeError) -> str:
    match error:
        case subprocess.CalledProcessError():
            return f"it ended with exit code {error.returncode}"
        case UnicodeDecodeError():
            return "the file that it saved is not UTF-8"
    return error.strerror or str(error)


def _editor() -> str:
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
