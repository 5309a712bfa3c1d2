"""Child processes without the seconds that importing the agent takes: forked from one that has.

    with start(MAIN, "ask", "Hello?", "-u", "ann") as child:
        child.send_signal(signal.SIGINT)
    assert child.returncode == 130

The first child starts the template, ``python -m tests.support.forks``: a process with one thread,
which imports and then forks. A child has its own environment variables, folder and streams. What
a library reads once, when it is imported, it has read in the template: without variables of ours.
"""

import atexit
import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Thread
from typing import IO, Any

ROOT = Path(__file__).parents[2]
MAIN = "from personaagent.cli.main import main; raise SystemExit(main())"
IMPORTED = (
    "personaagent.cli.app",
    "personaagent.eval.executor",
    "personaagent.local.agent",
    "langchain_openai",
    "openai.resources.chat",
    "openai.resources.embeddings",
    "rapidfuzz.distance",
    "tests.support.alignment",
)
OURS = ("PERSONAAGENT_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "OTEL_")


class Child:
    """A running child with text streams, as ``subprocess.Popen`` is one."""

    def __init__(self, code: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        theirs, ours = zip(*(os.pipe() for _ in range(3)), strict=True)
        given, self.stdin = theirs[0], open(ours[0], "w")  # noqa: SIM115
        self.stdout, self.stderr = open(theirs[1]), open(theirs[2])  # noqa: SIM115
        request = {
            "code": code,
            "arguments": arguments,
            "env": dict(os.environ if env is None else env),
            "cwd": os.getcwd(),
        }
        self.pid: int = _asked(request, given, ours[1], ours[2])
        for end in (given, ours[1], ours[2]):
            os.close(end)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or minus the signal that ended it; None while it runs."""
        if self.returncode is None:
            self.returncode = _asked({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """The exit code, once it has ended."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            assert time.monotonic() < until, "the child does not end"
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        """Send it, unless the child has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it where it stands."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, given: str = "", timeout: float = 60) -> tuple[str, str]:
        """Write this, and read all that it says until it ends: standard output and error."""
        errors: list[str] = []
        reading = Thread(target=lambda: errors.append(self.stderr.read()))
        reading.start()
        try:
            self.stdin.write(given)
            self.stdin.close()
        except BrokenPipeError:
            pass
        said = self.stdout.read()
        reading.join()
        self.wait(timeout)
        return said, errors[0]

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is not None:
            self.kill()
        for stream in (self.stdin, self.stdout, self.stderr):
            _close(stream)
        self.wait()


def start(code: str, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
    """Run the code in a child, as ``python -c`` does, with these arguments and variables."""
    return Child(code, *arguments, env=env)


def run(
    code: str, *arguments: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """The same to its end."""
    with start(code, *arguments, env=env) as child:
        out, err = child.communicate()
    return subprocess.CompletedProcess(arguments, child.wait(), out, err)


def _close(stream: IO[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def _asked(request: Mapping[str, Any], *streams: int) -> Any:
    """What the template answers."""
    template, message = _template(), json.dumps(request).encode() + b"\n"
    template.sendall(message[socket.send_fds(template, [message], streams) :])
    return _message(template)[0]


def _message(end: socket.socket) -> tuple[Any, list[int]]:
    """What comes next, and the streams that come along; None once the other end is closed."""
    message, streams = b"", []
    while not message.endswith(b"\n"):
        piece, more, _, _ = socket.recv_fds(end, 1 << 16, 3)
        if not piece:
            return None, []
        message, streams = message + piece, streams + more
    return json.loads(message), streams


@cache
def _template() -> socket.socket:
    ours, its = socket.socketpair(socket.AF_UNIX)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forks", str(its.fileno())],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        pass_fds=[its.fileno()],
        start_new_session=True,
    )
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # which ends it
    return ours


def serve(tests: socket.socket) -> dict[str, Any] | None:
    """Fork a child for each request, until the tests hang up; in a child, the request."""
    while True:
        request, streams = _message(tests)
        if request is None:
            return None
        if "ended" in request:
            answer = _exit_code(request["ended"])
        elif (answer := os.fork()) == 0:
            tests.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            return dict(request)
        for stream in streams:
            os.close(stream)
        tests.sendall(json.dumps(answer).encode() + b"\n")


def _exit_code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def become(request: Mapping[str, Any]) -> None:
    """What ``python -c`` would do with the code, in the child."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["-c", *request["arguments"]]
    exec(compile(request["code"], "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for module in IMPORTED:
        importlib.import_module(module)
    child = serve(socket.socket(fileno=int(sys.argv[1])))
    if child is not None:
        become(child)
