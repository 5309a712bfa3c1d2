"""The task of docs/tasks.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

from personaagent.eval.metrics.protocol import Outcome
from tests.support.eval_data import only_query, score_text

DOCS = Path(__file__).parents[3] / "docs" / "tasks.md"
ROWS = """user,text,queue
ann,Charged twice,billing
ben,It crashes,bug
ann,Where is my invoice?,billing
ann,The button is dead,bug
ben,How do I print?,question
"""


def documented() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(code.partition("class ")[2].splitlines()) <= 25
    names: dict[str, Any] = {}
    exec(code, names)
    return names["Tickets"]()


async def test_the_documented_task_runs(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text(ROWS, "utf-8")
    task = documented()
    ann, ben = task.samples(tmp_path, 0)
    assert [(e.query, e.ground_truth) for e in ann.history] == [
        ("Charged twice", "billing"),
        ("Where is my invoice?", "billing"),
    ]
    assert only_query(ann).text == "Which queue? The button is dead"
    outcomes = []
    for sample in (ann, ben):
        found = await score_text(task, sample, "Queue: bug.")
        outcomes.append(Outcome(sample.user_id, only_query(sample).gold, found.read, found.scores))
    assert [metric.over(outcomes) for metric in task.metrics] == [0.5, (2 / 3) / 3]
