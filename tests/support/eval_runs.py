"""Runs of an evaluation of three methods on riddles, with results and alignments made by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from personaagent.core.alignment import Alignment, Round
from personaagent.core.records import RoleUsage, Usage
from personaagent.eval.jsonl import JsonLinesWriter
from personaagent.eval.prices import Prices, TokenPrice
from personaagent.eval.query_draw import QueryDraw
from personaagent.eval.results import (
    RESULTS_FILE,
    TRAINING_FILE,
    Result,
    SwappedOptions,
    TrainingRecord,
)
from personaagent.eval.run_record import EvalOptions, MadeWith, RunRecord, Session
from personaagent.eval.samples import TrainingResult

PRICES = Prices({"scripted": TokenPrice(input=2, output=10)})


def usage(role: str, calls: int, read: int, written: int) -> Usage:
    return Usage(
        by_role={role: RoleUsage(llm_calls=calls, input_tokens=read, output_tokens=written)}
    )


def result(method: str, place: str, correct: float | None, **more: Any) -> Result:
    """``ann 0``: Ann's first question; without ``correct`` it failed."""
    user, question = place.split()
    answered: dict[str, Any] = (
        {"failed": "The endpoint slept."}
        if correct is None
        else {
            "text": "yes",
            "read": "yes",
            "scores": {"correct": correct},
            "usage": usage("actor", 1, 100, 10),
            "seconds": 2.0,
        }
    )
    return Result(
        task="riddles",
        method=method,
        case=f"case of {user}",
        question=question,
        user_id=user,
        query="a riddle",
        gold="yes",
        **(answered | more),
    )


def swapped(agrees: bool) -> SwappedOptions:
    return SwappedOptions(text="no", read="no", agrees=agrees, usage=usage("actor", 1, 1000, 100))


RESULTS = [
    result("rag", "ann 0", 1, turned=swapped(True)),
    result("rag", "ann 1", 0, read=None, turned=swapped(False), seconds=5.0),
    result("rag", "bob 0", 1, judge=usage("judge", 1, 30, 3)),
    result("persona", "ann 0", 1),
    result("persona", "ann 1", 1, usage=usage("actor", 2, 400, 20)),
    result("persona", "bob 0", None),
    result("majority", "ann 0", 0, usage=Usage(), seconds=0.0),
    result("majority", "ann 1", 0, usage=Usage(), seconds=0.0),
    result("majority", "bob 0", 0, usage=Usage(), seconds=0.0),
]


def alignment(**fields: Any) -> Alignment:
    values = {
        "user_id": "ann",
        "mode": "gated",
        "rounds": [],
        "from_version": 1,
        "to_version": 1,
        "stopped_by": "rounds",
        "rules_before": [],
        "rules_after": [],
        "usage": {},
        "seconds": 1.0,
    }
    return Alignment.model_validate(values | fields)


def pair(part: str, before: float | None, after: float | None) -> dict[str, Any]:
    return {"episode": "e", "part": part, "before": before, "after": after}


PUBLISHED = alignment(
    to_version=2,
    pairs=[pair("batch", 1, 0), pair("holdout", 1, 0), pair("holdout", 0.5, 0.5)],
)
"""Held out, the loss was 0.75 and is 0.25."""
UNPUBLISHED = alignment(
    rounds=[Round(losses_before={"a": 1.0}, holdout_before={"b": 0.25, "c": None})]
)
"""Nothing was published: the loss stays at 0.25."""


def training_result(run: Alignment | None, tokens: int) -> TrainingResult:
    return TrainingResult(
        usage=usage("critic", 4, tokens, 0),
        seconds=10.0,
        alignment=run.stored() if run else None,
    )


def write(
    folder: Path, results: Sequence[Result], trainings: Sequence[TrainingResult] = ()
) -> Path:
    """A run of three methods on the riddles, with these results and training results."""
    folder.mkdir(parents=True, exist_ok=True)
    made = MadeWith(
        options=EvalOptions(tasks=["riddles"], methods=["rag", "majority", "persona"]),
        drawn={"riddles": QueryDraw(users=2, cases=2, questions=3, sha256="")},
        models=dict.fromkeys(("actor", "critic", "editor"), "scripted"),
        prompts={},
        settings={},
    )
    session = Session(commit=None, versions={}, concurrency=1, endpoint="here", data="there")
    record = RunRecord(made_with=made, sessions=[session])
    (folder / "run.json").write_text(record.model_dump_json())
    result_lines, training_lines = (
        JsonLinesWriter(folder / RESULTS_FILE),
        JsonLinesWriter(folder / TRAINING_FILE),
    )
    for result in results:
        result_lines.append(result)
    for number, training in enumerate(trainings):
        training_lines.append(
            TrainingRecord(
                task="riddles", method="persona", case=f"c{number}", user_id="u", learned=training
            )
        )
    result_lines.close()
    training_lines.close()
    return folder
