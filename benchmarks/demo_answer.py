"""What an answer of the embedded model with memory costs, as `make demo` asks for it.

Each of the demo's questions about Mira is asked as the demo asks it, and again with every prompt read
from its beginning and a tool chosen each time. Compared is the processor time of the engine, which load
disturbs less than seconds. What is kept of earlier starts is there, as after a first answer. `--quick`
asks one question.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import psutil
from measurement import Measurement, quick, report_and_exit, skip_benchmark

from personaagent import PersonaAgent
from personaagent.core.settings import Settings, load_settings
from personaagent.models import structured_tools
from personaagent.models.catalog import CHAT, find_model
from personaagent.models.download import present
from personaagent.models.embedded_model import EmbeddedModel

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from demo import HISTORY, QUESTIONS, USER  # pyright: ignore[reportMissingImports]

ASKED = [question.text for question in QUESTIONS if question.only_memory]
WARM_UP = "Hello!"


@dataclass(frozen=True)
class Cost:
    """Of one answer: seconds, seconds of the engine's processors, and tokens."""

    wall: float
    processor: float
    anew: int
    cached: int
    written: int


async def measure() -> list[Measurement]:
    """Ask each question in both ways."""
    settings = load_settings()
    if not present(find_model(CHAT), settings.home):
        skip_benchmark("The embedded model is not there: run `personaagent model pull`.")
    questions = ASKED[:1] if quick() else ASKED
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").symlink_to(settings.home / "models")
        async with PersonaAgent(_settings(settings, home)) as agent:
            await agent.memory(USER).import_file(HISTORY)
            await _ask(agent, WARM_UP)
            ours = [await _ask(agent, question) for question in questions]
            with _without_cache():
                plain = [await _ask(agent, question) for question in questions]
    return _measurements(ours, plain)


def _settings(settings: Settings, home: Path) -> Settings:
    """The embedded model, and no summary beside the answers."""
    own = {"home": home, "openai_api_key": None, "openai_base_url": None, "summary_every": 0}
    return settings.model_copy(update=own)


async def _ask(agent: PersonaAgent, question: str) -> Cost:
    wall, processor = time.perf_counter(), _engine_seconds()
    answer = await agent.ask(question, user=USER, incognito=True)
    usage = answer.usage
    cached = usage.get("cached_input_tokens", 0)
    return Cost(
        time.perf_counter() - wall,
        _engine_seconds() - processor,
        usage["input_tokens"] - cached,
        cached,
        usage["output_tokens"],
    )


def _engine_seconds() -> float:
    times = [child.cpu_times() for child in psutil.Process().children()]
    return sum(each.user + each.system for each in times)


@contextmanager
def _without_cache() -> Iterator[None]:
    """Nothing is taken from a cache, and a tool is chosen each time."""
    payload_of = EmbeddedModel._get_request_payload

    def uncached(self: EmbeddedModel, *args: Any, **options: Any) -> dict[str, Any]:
        return payload_of(self, *args, **options) | {"extra_body": {"cache_prompt": False}}

    with (
        patch.object(EmbeddedModel, "_get_request_payload", uncached),
        patch.object(structured_tools, "needs_no_choice", lambda *asked: False),
    ):
        yield


def _measurements(ours: list[Cost], plain: list[Cost]) -> list[Measurement]:
    ratios = [own.processor / other.processor for own, other in zip(ours, plain, strict=True)]
    return [
        Measurement("an answer with memory against the same without a cache", median(ratios), "x"),
        *_of("an answer with memory", ours),
        *_of("the same without a cache", plain),
    ]


def _of(what: str, costs: list[Cost]) -> list[Measurement]:
    return [
        Measurement(f"{what}, seconds (median)", median(each.wall for each in costs), " s"),
        Measurement(
            f"{what}, processor time (median)", median(each.processor for each in costs), " s"
        ),
        Measurement(f"{what}, tokens read anew (median)", median(each.anew for each in costs)),
        Measurement(
            f"{what}, tokens from the cache (median)", median(each.cached for each in costs)
        ),
        Measurement(f"{what}, tokens written (median)", median(each.written for each in costs)),
    ]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
