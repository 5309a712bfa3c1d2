"""What stands on the page of a report, and what does not."""

import re
from pathlib import Path
from typing import Any

from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.report.report_files import write_report
from personaagent.eval.results import Result
from personaagent.eval.summary import summarise_run
from tests.support.eval_runs import PRICES, RESULTS, result, write
from tests.support.evaluation import Riddles


def page(folder: Path, results: list[Result], *others: str) -> str:
    """The HTML of a run; ``others`` are metrics beside accuracy."""
    metrics: list[Metric] = [Mean("accuracy", "correct"), *(Mean(name, name) for name in others)]
    tasks: dict[str, Any] = {"riddles": Riddles(metrics=metrics)}
    write_report(summarise_run(write(folder, results), tasks, PRICES, None), folder, tasks)
    return (folder / "report.html").read_text()


def headers(html: str) -> list[list[str]]:
    """The headers of each table."""
    heads = re.findall(r"<thead>(.*?)</thead>", html, re.S)
    return [
        [re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<th.*?</th>", h, re.S)]
        for h in heads
    ]


def test_every_method_is_explained(tmp_path: Path) -> None:
    html = page(tmp_path, RESULTS)
    assert "<dt>rag</dt><dd>the user&#39;s most similar episodes</dd>" in html
    assert html.count("<dt>") == 3
    assert "- `majority`: no model:" in (tmp_path / "report.md").read_text()


def test_in_short_compares_persona_with_its_rival(tmp_path: Path) -> None:
    html = page(tmp_path, RESULTS)
    assert "<h2>In short</h2>" in html
    assert '<span class="p">rag</span> 0.667' in html


def test_nothing_is_in_short_without_persona_or_without_a_rival(tmp_path: Path) -> None:
    rag, persona = RESULTS[:3], RESULTS[3:6]
    assert "In short" not in page(tmp_path / "rag", [*rag, *RESULTS[6:]])
    assert "In short" not in page(tmp_path / "persona", persona)
    failed = [each.model_copy(update={"failed": "It slept."}) for each in persona]
    assert "In short" not in page(tmp_path / "failed", [*rag, *failed])


def test_many_metrics_stand_in_a_second_table(tmp_path: Path) -> None:
    others = [f"m{number}" for number in range(8)]
    results = [
        each.model_copy(update={"scores": dict.fromkeys(("correct", *others), 1.0)})
        for each in RESULTS
        if not each.failed
    ]
    tables = headers(page(tmp_path, results, *others))
    assert ["method", *(f"m{number} ↑" for number in range(4, 8))] in tables
    [first] = [table for table in tables if "against rag" in table]
    assert first[-1] == "m3 ↑"


def test_a_metric_that_nobody_has_is_not_shown(tmp_path: Path) -> None:
    assert "unheard ↑" not in page(tmp_path, RESULTS, "unheard")


def test_an_answer_that_was_not_given_is_not_called_unparsable(tmp_path: Path) -> None:
    silent = [result("majority", f"ann {n}", 0, text="", read=None) for n in range(3)]
    [answers] = [table for table in headers(page(tmp_path, silent)) if "scored" in table]
    assert answers == ["method", "scored", "no answer"]
    assert "unparsable" in str(headers(page(tmp_path / "rag", RESULTS[:3])))


def test_all_intervals_are_drawn_from_zero(tmp_path: Path) -> None:
    html = page(tmp_path, RESULTS)
    assert 'aria-label="from 0 to 1"' in html
