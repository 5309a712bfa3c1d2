"""The console script. It imports next to nothing: help must come at once.

For a bare ``--help`` it prints ``help.txt``, which is what Typer renders for the whole app; a test
compares the two. To write it anew: ``COLUMNS=80 python -m personaagent.cli.app > cli/help.txt``.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from personaagent.core.errors import DataError, PersonaAgentError

INTERRUPTED = 130
DEBUG = "PERSONAAGENT_DEBUG"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's) and return its exit code.

    Whatever goes wrong is one sentence on standard error; what is written, its owner alone reads.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    os.umask(0o077)
    return guarded(lambda: _run(arguments))


def guarded(work: Callable[[], int]) -> int:
    """The exit code of ``work``, or that of what ended it, told in one sentence."""
    try:
        return work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
        return 1
    except PersonaAgentError as error:
        return _tell(str(error), error.exit_code)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and error.filename:
            return _tell(
                f"{error.filename} cannot be used ({error.strerror}): check its path and "
                "permissions; PERSONAAGENT_HOME is where the data folder stands.",
                DataError.exit_code,
            )
        return _tell(
            f"Something unforeseen went wrong ({type(error).__name__}: {error}); "
            f"set {DEBUG}=1 for the traceback.",
            PersonaAgentError.exit_code,
        )


def _run(arguments: list[str]) -> int:
    if not arguments or arguments in (["--help"], ["-h"]):
        sys.stdout.write(Path(__file__).with_name("help.txt").read_text("utf-8"))
        sys.stdout.flush()
        return 0
    from personaagent.cli.app import app

    try:
        app(arguments, prog_name="personaagent")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _tell(sentence: str, exit_code: int) -> int:
    from personaagent.cli.output import complain

    complain(sentence)
    return exit_code
