"""What a start costs in processor time: ``--help``, an import, and ``ask`` to its first token.

The model is an endpoint of its own process that answers at once. ``ask`` runs on a terminal, where the
answer appears as it comes; everything else of it is real: a data folder on disk, the local embeddings.
Its baseline is the shortest script with LangChain's stock agent on the same endpoint, without memory.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from filled_home import real_embedder
from instant_endpoint import instant_endpoint
from measurement import Measurement, quick, report_and_exit

from personaagent.core.settings import load_settings

RUNS = 3 if quick() else 9
COMMAND = str(Path(sys.executable).with_name("personaagent"))
HELP = [COMMAND, "--help"]
ASK = [COMMAND, "ask", "What is the capital of France?", "--user", "ana"]
NOTHING = [sys.executable, "-c", "pass"]
IMPORT = [sys.executable, "-c", "from personaagent import PersonaAgent"]
STOCK = [
    sys.executable,
    "-c",
    """
import asyncio, os
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

async def ask():
    agent = create_agent(ChatOpenAI(model=os.environ["PERSONAAGENT_MODEL"]))
    question = {"messages": [("user", "What is the capital of France?")]}
    async for message, _ in agent.astream(question, stream_mode="messages"):
        print(message.text, end="", flush=True)

asyncio.run(ask())
""",
]
MEGABYTE = 1e6


@dataclass(frozen=True)
class Start:
    """Seconds of processor time until the process wrote its first byte and until its end, and the most
    memory it held, in MB."""

    to_first_byte: float
    in_all: float
    memory: float


def measure() -> list[Measurement]:
    asyncio.run(real_embedder().ready())
    with instant_endpoint() as url, home_with_models() as home:
        environment = _environment(home, url)
        rounds = [
            [started(command, environment) for command in (NOTHING, HELP, IMPORT, STOCK, ASK)]
            for _ in range(RUNS + 1)
        ][1:]  # the first one fills the caches
    return _measurements(*(list(each) for each in zip(*rounds, strict=True)))


def _measurements(
    nothing: list[Start],
    help_: list[Start],
    imported: list[Start],
    stock: list[Start],
    ask: list[Start],
) -> list[Measurement]:
    first_token = median(each.to_first_byte for each in ask)
    return [
        Measurement("python -c pass", 1000 * _in_all(nothing), " ms"),
        Measurement("start-up of --help against it", _ratio(help_, nothing), "x", most=6),
        Measurement("import personaagent, with PersonaAgent", _in_all(imported), " s", most=0.1),
        Measurement(
            "personaagent ask, processor time to the first token", first_token, " s", most=2
        ),
        Measurement(
            "personaagent ask, memory", median(each.memory for each in ask), " MB", most=250
        ),
        Measurement("a whole ask, processor time", _in_all(ask), " s"),
        Measurement(
            "ask to the first token, against the stock agent",
            median(a.to_first_byte / b.to_first_byte for a, b in zip(ask, stock, strict=True)),
            "x",
            baseline="a script with `create_agent` and `ChatOpenAI`, without memory",
        ),
        Measurement("the stock agent's memory", median(each.memory for each in stock), " MB"),
    ]


def _in_all(starts: list[Start]) -> float:
    return median(each.in_all for each in starts)


def _ratio(ours: list[Start], theirs: list[Start]) -> float:
    return median(a.in_all / b.in_all for a, b in zip(ours, theirs, strict=True))


def started(command: list[str], environment: dict[str, str]) -> Start:
    """Run ``command`` on a terminal of its own.

    Raises:
        RuntimeError: it failed.
    """
    ours, its = os.openpty()
    process = subprocess.Popen(command, stdout=its, stderr=subprocess.PIPE, env=environment)
    os.close(its)
    assert process.stderr is not None
    with process.stderr, os.fdopen(ours, "rb", 0) as terminal:
        to_first_byte = _processor_time(process.pid) if _read(terminal) else 0.0
        while _read(terminal):
            pass
        errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:2]} failed: {errors}")
    in_all = usage.ru_utime + usage.ru_stime
    return Start(to_first_byte, in_all, 1024 * usage.ru_maxrss / MEGABYTE)


def _processor_time(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def _read(terminal: Any) -> bytes:
    """What the process wrote next; nothing once it has closed its terminal."""
    try:
        data: bytes = terminal.read(1024)
    except OSError:  # how Linux says so
        return b""
    return data


@contextmanager
def home_with_models() -> Iterator[Path]:
    """A new data folder with the models of the user's own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        (Path(folder) / "models").symlink_to(load_settings().home / "models")
        yield Path(folder)


def _environment(home: Path, url: str) -> dict[str, str]:
    """That of this process, except that modules are compiled once, as where they were installed."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | {
        "PERSONAAGENT_HOME": str(home),
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "none",
        "PERSONAAGENT_MODEL": "any",
    }


if __name__ == "__main__":
    report_and_exit(measure())
