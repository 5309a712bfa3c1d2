"""The decisions of an evaluation weighed anew: which weights would have decided best.

    personaagent eval run --tasks LaMP_2N --methods persona-no-alignment --out DIR
    python benchmarks/decision_replay.py DIR

No model is asked: the results hold what each source said of each question. Weights are chosen on one
half of the users and reported on the other, with 95% intervals by bootstrap over users.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from decision_weights import Case, report
from measurement import report_and_exit

from personaagent.core.decision import Decision


def cases_in(results: Path, method: str) -> list[Case]:
    """The closed questions that ``method`` answered in the folders of ``eval run --out``."""
    lines = (results / "samples.jsonl").read_text("utf-8").splitlines()
    records: list[dict[str, Any]] = [*map(json.loads, lines)]
    return [_case(r) for r in records if r["method"] == method and r.get("decision")]


def _case(record: dict[str, Any]) -> Case:
    decision = Decision.model_validate(record["decision"])
    sources = {source.name: source.probabilities for source in decision.sources}
    gold: str = record["gold"]
    marks = dict(zip(decision.question.texts, decision.question.answers, strict=False))
    return Case(
        task=record["task"],
        user=record["user_id"],
        gold=marks.get(gold, gold),
        question=decision.question,
        history=sources.get("history"),
        model=sources.get("model"),
        names=sources.get("names"),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Weigh anew, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--method", default="persona-no-alignment")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    cases = [case for folder in options.results for case in cases_in(folder, options.method)]
    report_and_exit(report(cases))


if __name__ == "__main__":
    main()
