"""A command on a pseudo-terminal."""

import codecs
import os
import pty
import select
import subprocess
import sys

PROMPT = "\x1b[?2004h"  # bracketed paste: from here on keys are the prompt's
PATIENCE = 60


class Terminal:
    """The command on a pseudo-terminal: what is typed goes in, what is shown can be waited for."""

    def __init__(self, *arguments: str, columns: int = 200, **variables: str) -> None:
        self._master, terminal = pty.openpty()
        shown = {"TERM": "xterm", "COLUMNS": str(columns), "PROMPT_TOOLKIT_NO_CPR": "1"}
        code = (
            "import os; os.open(os.ttyname(0), os.O_RDWR);"  # Ctrl-C is for who opened it first
            "from personaagent.cli.main import main; raise SystemExit(main())"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=os.environ | shown | variables,
            start_new_session=True,
        )
        os.close(terminal)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._shown = self.passed = ""

    def wait_for(self, text: str) -> None:
        """Read until ``text`` is shown; what stood before it is in ``passed``."""
        while text not in self._shown:
            ready, _, _ = select.select([self._master], [], [], PATIENCE)
            assert ready, f"{text!r} does not come: {self._shown!r}"
            self._shown += self._read()
        self.passed, _, self._shown = self._shown.partition(text)

    def _read(self) -> str:
        return self._decoder.decode(os.read(self._master, 65536))

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._master, keys.encode())

    def type_at_prompt(self, keys: str) -> None:
        """Press these keys once the prompt reads them: before, Ctrl-C discards what was typed."""
        self.wait_for(PROMPT)
        self.type(keys)

    def kill(self) -> None:
        """End it where it stands, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """The exit code, once it has ended; the rest of what it shows is in ``passed``."""
        self.passed = self._shown
        while True:
            try:
                self.passed += self._read()
            except OSError:  # the other side is closed
                os.close(self._master)
                return self._process.wait(PATIENCE)
