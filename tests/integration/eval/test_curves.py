"""``eval curve``: the same run with each value of one setting."""

import json
import re
from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.eval_command import USERS
from tests.support.movies import TASK


@pytest.mark.parametrize("axis", ["history", "labels"])
def test_a_curve_from_a_cold_start(command: Command, tmp_path: Path, axis: str) -> None:
    arguments = ("eval", "curve", axis, "--values", "0,2,5", "--tasks", TASK)
    result = command(*arguments, "--methods", "rag,majority", "--out", "cold", "--json")
    assert result.code == 0
    curve = result.data
    assert (curve["axis"], curve["values"]) == (axis, ["0", "2", "5"])
    lines = {line["method"]: line for line in curve["lines"]}
    means = [round(each["mean"] * USERS) for each in lines["rag"]["estimates"]]
    assert means == [1, 6, 6]
    assert lines["rag"]["tokens"][0] < lines["rag"]["tokens"][1] < lines["rag"]["tokens"][2]
    assert lines["majority"]["estimates"][0]["mean"] == 0, "no history, no answer"
    report = command("eval", "report", f"cold/{axis}-0", "--json").data
    majority = report["tasks"][TASK]["methods"]["majority"]
    assert (majority["no_answer"], majority["unparsable"]) == (1, None)
    page = (tmp_path / "cold" / "curve.html").read_text()
    assert page.count("<svg") == 1
    assert re.findall(r"""(?:src|href)=["'](?!#)""", page) == []
    assert json.loads((tmp_path / "cold" / "curve.json").read_text()) == curve


@pytest.mark.parametrize(
    ("axis", "values", "setting"),
    [
        ("batch", "2,3", "align_batch"),
        ("rounds", "1,2", "align_rounds"),
        ("memories", "1,4", "top_k"),
    ],
)
def test_the_other_curves_vary_their_setting(
    command: Command, axis: str, values: str, setting: str
) -> None:
    result = command(
        *("eval", "curve", axis, "--values", values, "--tasks", TASK, "--methods", "rag"),
        *("--users", "1", "--out", "curve", "--json"),
    )
    assert result.code == 0
    found = [
        json.loads(Path(f"curve/{axis}-{value}/run.json").read_text())["made_with"]["settings"]
        for value in values.split(",")
    ]
    assert [each[setting] for each in found] == [int(value) for value in values.split(",")]


def test_a_curve_over_models(command, endpoint) -> None:
    values = "org/small,large"
    result = command(
        *("eval", "curve", "model", "--values", values, "--tasks", TASK, "--methods", "prompt"),
        *("--users", "1", "--out", "curve", "--json"),
    )
    assert result.data["values"] == values.split(",")
    assert [each.body["model"] for each in endpoint.requests] == values.split(",")
    wrong = ("eval", "curve", "weather", "--values", "1", "--tasks", TASK, "--methods", "prompt")
    assert "There is no axis 'weather'; there are batch" in command(*wrong).err
    wrong = ("eval", "curve", "history", "--values", "x", "--tasks", TASK, "--methods", "prompt")
    assert command(*wrong).code == 2
