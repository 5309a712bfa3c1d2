"""Closed questions: the model's probabilities, and which weights of the sources decide best.

Asks the embedded model once a question of LaMP, for one token and its log-probabilities, and keeps
the answers in a file, from which it goes on when it is started again:

    python benchmarks/decisions.py --answers /tmp/answers.jsonl --tasks LaMP_2M_style,LaMP_3_style

Then it fits the weights of ``nodes/decision/defaults.py`` on one half of the users, and reports them
on the other, with 95% intervals by bootstrap over users. ``--limit 0`` only reports; ``--no-model``
asks no model, so that history and names can be weighed on all questions within minutes.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from decision_questions import KINDS, Question, questions_of
from decision_weights import cases_of, report
from filled_home import real_embedder
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from measurement import print_progress, report_and_exit, skip_benchmark

from personaagent.core.errors import DataError
from personaagent.core.settings import load_settings
from personaagent.eval.tasks.files import data_folder
from personaagent.models.chat import Models
from personaagent.models.label_probabilities import answer_probabilities, with_logprobs
from personaagent.models.usage import usage_of

TOKENS = {"labels": 3, "numbers": 1, "options": 2}
"""How many are asked for: labels may begin alike, and an option's mark with a bracket."""


async def prepare_all(file: Path, tasks: Sequence[str], limit: int) -> None:
    """Write the questions with what needs no model."""
    with file.open("w", encoding="utf-8") as opened:
        async for question in _in_turn(tasks, limit):
            opened.write(json.dumps(question.record() | {"model": []}) + "\n")


async def ask_all(file: Path, tasks: Sequence[str], limit: int) -> None:
    """Ask what is not in ``file`` yet, the tasks in turn, and add it there."""
    if not limit:
        return
    models = Models(load_settings(openai_base_url=None, openai_api_key=None, tool_mode="native"))
    try:
        model = with_logprobs(await models.chat("actor"))
        asked = {(record["task"], record["id"]) for record in read(file)}
        async for question in _in_turn(tasks, limit):
            if (question.task, question.id) not in asked:
                record = question.record() | await _ask(model, question)
                with file.open("a", encoding="utf-8") as opened:
                    opened.write(json.dumps(record) + "\n")
                print_progress(f"{question.task} {question.id}: {record['seconds']:.1f} s")
    finally:
        await models.aclose()


def read(file: Path) -> list[dict[str, Any]]:
    """The records of the questions asked so far, one of each."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [*{(record["task"], record["id"]): record for record in map(json.loads, lines)}.values()]


async def _in_turn(tasks: Sequence[str], limit: int) -> AsyncIterator[Question]:
    """The first ``limit`` questions of each task, one of each in turn."""
    embedder = real_embedder()
    sources = [questions_of(task, data_folder(), embedder) for task in tasks]
    for _ in range(limit):
        for source in sources:
            if question := await anext(source, None):
                yield question


async def _ask(model: BaseChatModel, question: Question) -> dict[str, Any]:
    """The probabilities by each prompt of the question (None: they cannot be read), and the cost."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    replies: list[AIMessage] = [
        await model.ainvoke(prompt, max_tokens=TOKENS[KINDS[question.task]])
        for prompt in question.prompts
    ]
    return {
        "model": [answer_probabilities(reply, question.answers) for reply in replies],
        "logprobs": [reply.response_metadata.get("logprobs") for reply in replies],
        "tokens": [usage_of(reply).input_tokens for reply in replies],
        "seconds": loop.time() - started,
    }


def main() -> None:
    """Ask, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--tasks", default=",".join(KINDS))
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prepare = prepare_all if options.no_model else ask_all
    try:
        asyncio.run(prepare(options.answers, options.tasks.split(","), options.limit))
    except DataError as error:
        skip_benchmark(str(error))
    report_and_exit(report(cases_of(read(options.answers))))


if __name__ == "__main__":
    main()
