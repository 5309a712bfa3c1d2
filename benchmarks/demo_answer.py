"""What the embedded model reads anew for an answer of ``make demo`` with memory, against all it is sent.

Tokens are counted, not seconds: they do not depend on the load. The questions are those of the demo that
only memory answers; the first is left out, as nothing can be in the cache before it. The baseline is a
model without a cache, which reads every prompt from its beginning.
"""

import asyncio
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from instant_endpoint import REPOSITORY
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark

from personaagent import Answer, PersonaAgent
from personaagent.core.settings import Settings, load_settings
from personaagent.models.catalog import CHAT, EMBEDDINGS, find_model
from personaagent.models.download import present

sys.path.insert(0, str(REPOSITORY / "examples"))
from demo import HISTORY, QUESTIONS, USER  # pyright: ignore[reportMissingImports]


async def measure() -> list[Measurement]:
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = _embedded(Path(folder))
        async with PersonaAgent(settings) as agent:
            await agent.memory(USER).import_file(HISTORY)
            answers = []
            for question in QUESTIONS:
                if question.only_memory:
                    print_progress(question.text)
                    answers.append(await agent.ask(question.text, user=USER, incognito=True))
    later = answers[1:]
    return [
        Measurement(
            "an answer with memory against no cache",
            sum(map(_read_anew, later)) / sum(map(_sent, later)),
            "x",
            most=0.5,
        ),
        Measurement("tokens that it reads anew (median)", median(map(_read_anew, later))),
        Measurement("tokens that it is sent (median)", median(map(_sent, later))),
        Measurement("the first answer, tokens read anew", _read_anew(answers[0])),
        Measurement("an answer (median)", median(each.seconds for each in later), " s"),
    ]


def _embedded(folder: Path) -> Settings:
    """The settings of a new data folder with the models of the user's own."""
    home = load_settings().home
    if not all(present(find_model(name), home) for name in (CHAT, EMBEDDINGS)):
        skip_benchmark("the embedded models are not here: personaagent model pull")
    (folder / "models").symlink_to(home / "models")
    return load_settings(home=folder, openai_base_url=None, openai_api_key=None, model=None)


def _sent(answer: Answer) -> int:
    return int(answer.usage["input_tokens"])


def _read_anew(answer: Answer) -> int:
    return _sent(answer) - int(answer.usage.get("cached_input_tokens", 0))


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
