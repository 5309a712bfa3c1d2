"""What the user types while the command works: it waits, unseen, for the next prompt."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def typed_ahead() -> Iterator[None]:
    """Do not show keys while the block runs: an echo would be drawn over, and seem to be lost.

    The terminal keeps them: a prompt that comes next, ours or the shell's, shows them.
    """
    descriptor = _own_terminal()
    if descriptor is None:
        yield
        return
    import termios

    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSANOW, silent)  # any other time drops what was typed
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _own_terminal() -> int | None:
    """The number of standard input, if it is a terminal that this process may change and writes on.

    A process in the background would be stopped for it.
    """
    try:
        if not (sys.stdout.isatty() or sys.stderr.isatty()):
            return None
        descriptor = sys.stdin.fileno()
        if os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp():
            return descriptor
    except (AttributeError, OSError, ValueError):  # no terminals here, or no file
        pass
    return None
