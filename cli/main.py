"""The console script. It imports next to nothing, so that help comes at once.

For a bare ``--help`` it prints ``help.txt``, which holds what Typer prints: 0.03 s instead of 0.5 s.
A test compares the two. To update it: ``COLUMNS=80 python -m personaagent.cli.app > cli/help.txt``.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from personaagent.cli.streams import argument, lost, replaced, steady_streams
from personaagent.core.errors import DataError, PersonaAgentError

INTERRUPTED = 130
DEBUG = "PERSONAAGENT_DEBUG"
COMPLETE = "_PERSONAAGENT_COMPLETE"
"""Set by the shell when it asks what may stand next, in place of arguments."""
COLLECT_AFTER = 50_000
"""New objects before Python looks for garbage. Its default, 700, looks a hundred times at what a
start imports and keeps: a sixth of the time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: that of the process) and return its exit code.

    Every error is one sentence on standard error. Only the user can read the files that it writes.
    """
    arguments = [*map(argument, sys.argv[1:])] if argv is None else list(argv)
    os.umask(0o077)
    if argv is None and not _wants_help(arguments):
        _import_less()
    exit_code = guarded(lambda: _run(arguments))
    if argv is None:
        gc.freeze()  # the process ends: it need not look at everything once more
    return exit_code


def guarded(run: Callable[[], int]) -> int:
    """Return the exit code of ``run``; print an error that ends it, and return the error's code.

    It is no error if the reader of standard output leaves, but it is one if a disk is full.
    """
    steady_streams()
    exit_code = _guarded(run)
    if reason := lost():
        return exit_code or _fail(
            f"Standard output could not be written ({reason}). What you asked for was done: only "
            "its output is incomplete.",
            DataError.exit_code,
        )
    if replaced():
        from personaagent.cli.output import print_notice

        print_notice(
            f"A ? stands for what the encoding {sys.stdout.encoding} lacks: "
            "PYTHONIOENCODING=utf-8 shows everything, if your terminal can."
        )
    return exit_code


def _guarded(run: Callable[[], int]) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        return INTERRUPTED
    except PersonaAgentError as error:
        return _fail(str(error), error.exit_code)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and error.filename:
            return _fail(
                f"{error.filename} cannot be used ({error.strerror}): check its path and "
                "permissions. PERSONAAGENT_HOME sets the data folder.",
                DataError.exit_code,
            )
        return _fail(
            f"An unexpected error occurred ({type(error).__name__}: {error}): "
            f"set {DEBUG}=1 to see the traceback.",
            PersonaAgentError.exit_code,
        )


def _run(arguments: list[str]) -> int:
    if _wants_help(arguments):
        sys.stdout.write(Path(__file__).with_name("help.txt").read_text("utf-8"))
        sys.stdout.flush()
        return 0
    from personaagent.cli.app import app

    try:
        app(arguments, prog_name="personaagent")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _wants_help(arguments: list[str]) -> bool:
    return arguments in ([], ["--help"], ["-h"]) and COMPLETE not in os.environ


def _import_less() -> None:
    """Shorten the start of a process that is the command's alone."""
    from personaagent.cli.deferred_packages import defer_packages

    gc.set_threshold(COLLECT_AFTER)
    defer_packages()


def _fail(sentence: str, exit_code: int) -> int:
    from personaagent.cli.output import print_error

    print_error(sentence)
    return exit_code
