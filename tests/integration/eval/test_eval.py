"""The evaluation from the command line: invented film lovers, models over HTTP that read their prompt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from personaagent.eval.solvers.registry import SOLVERS
from personaagent.eval.tasks.all import TASKS
from tests.support.command import Command
from tests.support.endpoint import Endpoint, Reply, Status
from tests.support.eval_command import METHODS_RUN, USERS, Script, run
from tests.support.eval_data import locomo, prefeval
from tests.support.movies import TASK

CATEGORY = {"category": 4}


def chats(endpoint: Endpoint) -> list[str]:
    """The last message of every chat."""
    return [
        str(each.body["messages"][-1]["content"])
        for each in endpoint.requests
        if each.path.endswith("/chat/completions")
    ]


def without_times(data: Any) -> Any:
    """The same without what a clock said."""
    if isinstance(data, dict):
        return {k: without_times(v) for k, v in data.items() if k not in ("seconds", "tokens_a_s")}
    return [without_times(each) for each in data] if isinstance(data, list) else data


def test_the_table_is_that_of_the_answers(command: Command, tmp_path: Path) -> None:
    result = run(command, "--json")
    assert result.code == 0
    task = result.data["tasks"][TASK]
    assert (task["users"], task["questions"], task["rival"]) == (USERS, USERS, "rag")
    accuracy = {
        name: round(each["metrics"]["accuracy"]["mean"] * USERS)
        for name, each in task["methods"].items()
    }
    assert accuracy == dict(zip(METHODS_RUN, (1, 6, 6, 1, 6), strict=True))
    against = task["methods"]["persona-no-alignment"]["against"]["rag"]
    assert against["questions"] == USERS
    assert against["metrics"]["accuracy"]["mean"] == pytest.approx(-5 / 6)
    assert {name: each["usage"]["llm_calls"] for name, each in task["methods"].items()} == dict(
        zip(METHODS_RUN, (1, 1, 0, 1, 1), strict=True)
    )
    learned = task["methods"]["persona"]["learning"]
    assert (learned["accepted"], learned["loss_before"], learned["loss_after"]) == (
        pytest.approx(5 / 6),
        pytest.approx(5 / 6),
        0,
    )
    assert task["methods"]["persona-no-alignment"]["learning"] is None
    assert result.data["price"] is None
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == result.data


def test_the_table_for_people_and_the_reports(command: Command, tmp_path: Path) -> None:
    result = run(command)
    assert f"{TASK}: 6 users, 6 questions" in result.out
    assert re.search(r"rag +1\.000 \[1\.000, 1\.000\]", result.out)
    assert re.search(r"prompt +0\.167 .* -0\.833 \[-1\.000, -0\.500\] p 0\.06", result.out)
    assert "30 results; they are kept in out." in result.err
    for kind in ("md", "html", "json"):
        assert f"Written: out/report.{kind}" in result.err
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert re.search(r"^\| rag \| 1\.000 \[1\.000, 1\.000\] \|", markdown, re.M)
    assert "+ - Give every film the tag sci-fi." in markdown
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Give every film the tag sci-fi." in page
    assert re.findall(r"""(?:src|href)=["'](?!#)""", page) == []
    assert "<script" not in page
    assert "url(" not in page
    assert command("eval", "report", "out").out == result.out


def test_regressions_are_told_with_all_that_the_model_was_told(
    command: Command, tmp_path: Path
) -> None:
    result = run(command, "--against", "majority", "--json", methods="majority,prompt,persona")
    assert result.data["tasks"][TASK]["rival"] == "majority"
    assert "The worst regressions" not in (tmp_path / "out" / "report.html").read_text()
    lines = (tmp_path / "out" / "samples.jsonl").read_text().splitlines()
    spoilt = [json.loads(line) for line in lines]
    for each in spoilt:
        if each["method"] == "persona" and each["user_id"] == "user3":
            each |= {"read": None, "text": "<b>no idea</b>", "scores": {"correct": 0.0}}
    (tmp_path / "out" / "samples.jsonl").write_text("\n".join(map(json.dumps, spoilt)) + "\n")
    assert command("eval", "report", "out").code == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "persona did better on 0 and worse on 1" in page
    assert "&lt;b&gt;no idea&lt;/b&gt;" in page
    assert "<b>no idea" not in page
    assert "person 3 and their 0. journey" in page
    assert "choose as this user would" in page, "the system prompt"
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "## The worst regressions" in markdown


def test_the_same_run_twice_gives_the_same_table(command: Command) -> None:
    first = run(command, "--json", "--concurrency", "1", out="first").data
    second = run(command, "--json", "--concurrency", "8", out="second").data
    assert without_times(first) == without_times(second)


def test_the_same_command_goes_on_and_asks_nothing_twice(command, endpoint, tmp_path) -> None:
    assert "30 results; they are kept" in run(command).err
    asked = len(endpoint.requests)
    again = run(command)
    assert "30 results, 30 of them from before" in again.err
    assert len(endpoint.requests) == asked
    assert len(json.loads((tmp_path / "out" / "run.json").read_text())["sessions"]) == 2


def test_what_failed_is_counted_and_run_again_on_demand(command, endpoint, script) -> None:
    script.broken = "person 4 and"
    result = run(command, "--json", methods="prompt,rag")
    assert result.code == 0
    found = result.data["tasks"][TASK]["methods"]["rag"]
    assert (found["answered"], found["failed"], found["metrics"]["accuracy"]["mean"]) == (5, 1, 1)
    page = Path("out/report.html").read_text()
    assert "refused the actor model&#39;s request (HTTP 400): no such film" in page
    script.broken = "nothing is broken"
    asked = len(chats(endpoint))
    run(command, methods="prompt,rag")
    assert len(chats(endpoint)) == asked
    result = run(command, "--retry-failed", "--json", methods="prompt,rag")
    assert ["person 4 and" in chat for chat in chats(endpoint)[asked:]] == [True, True]
    found = result.data["tasks"][TASK]["methods"]["rag"]
    assert (found["answered"], found["failed"]) == (6, 0)


def test_a_refused_key_ends_the_run_in_one_sentence(command, script, monkeypatch) -> None:
    monkeypatch.setattr(Script, "__call__", lambda self, body: Status(401))
    result = run(command, methods="prompt")
    assert result.code == 3
    assert "refused the key" in result.err
    assert "0 of 6 results are kept in out; the same command continues from there." in result.err


def test_users_and_questions_are_drawn_by_the_seed(command: Command, tmp_path: Path) -> None:
    def drawn(*more: str) -> set[str]:
        out = "-".join(["out", *more])
        assert run(command, *more, methods="majority", out=out).code == 0
        lines = (tmp_path / out / "samples.jsonl").read_text().splitlines()
        return {json.loads(line)["user_id"] for line in lines}

    assert len(drawn("--users", "2")) == 2
    assert drawn("--users", "2") < drawn("--users", "4"), "more users are added to the fewer"
    assert len({frozenset(drawn("--users", "2", "--seed", str(seed))) for seed in range(5)}) > 1
    assert len(drawn("--limit", "3")) == 3


def test_prices(command: Command, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("[scripted]\ninput = 1000000\noutput = 0\n")
    run(command, methods="prompt")
    result = command("eval", "report", "out", "--prices", "prices.toml", "--json").data
    found = result["tasks"][TASK]["methods"]["prompt"]
    assert found["price"] == found["usage"]["input_tokens"] > 0
    assert result["price"] == pytest.approx(found["price"] * USERS)


def test_the_other_kinds_of_tasks(command, endpoint, monkeypatch, tmp_path) -> None:
    """Options in both orders, a judge, and recall without a model."""

    def models(self: Script, body: dict[str, Any]) -> Reply:
        form = body.get("response_format", {}).get("json_schema", {})
        if "restated" in str(form):
            verdict = {"restated": "", "differs": False, "violates": True, "helpful": True}
            return json.dumps(verdict)
        if "right" in str(form):
            return json.dumps({"why": "It is.", "right": True})
        last = str(body["messages"][-1]["content"])
        return "<choice>A</choice>" if "four options" in last else "She bought a boat."

    monkeypatch.setattr(Script, "__call__", models)
    data = prefeval(tmp_path / "data")
    locomo(
        data, {"question": "What did Ann buy?", "answer": "A boat", "evidence": ["D1:1"]} | CATEGORY
    )
    tasks = ("prefeval_mcq", "prefeval_generation", "locomo_recall", "locomo_qa")
    result = command(
        *("eval", "run", "--tasks", ",".join(tasks), "--methods", "prompt,rag", "--turns", "2"),
        *("--out", "out", "--json"),
    )
    assert result.code == 0, result.err
    found = result.data["tasks"]
    options = found["prefeval_mcq"]["methods"]["rag"]
    assert (options["agreement"], options["answered"]) == (0, 9), "it always says A"
    assert (options["usage"]["llm_calls"], options["judge"]["llm_calls"]) == (1, 0)
    judged = found["prefeval_generation"]["methods"]["rag"]
    assert judged["judge"]["by_role"]["critic"]["llm_calls"] == 1
    assert (judged["metrics"]["follows"]["mean"], judged["metrics"]["unaware"]["mean"]) == (0, 1)
    assert judged["agreement"] is None
    recall = found["locomo_recall"]["methods"]
    assert list(recall) == ["rag"], "the bare model has nothing to recall"
    assert recall["rag"]["metrics"]["recall@4"]["mean"] == 1
    assert (recall["rag"]["usage"]["llm_calls"], recall["rag"]["unparsable"]) == (0, None)
    assert found["locomo_qa"]["methods"]["prompt"]["metrics"]["judged right"]["mean"] == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert all(f'<h2 id="{task}">' in page for task in tasks)


def test_all_that_there_is_is_listed(command: Command) -> None:
    result = command("eval", "list", "--json").data
    assert [each["name"] for each in result["tasks"]] == list(TASKS)
    assert [each["name"] for each in result["methods"]] == list(SOLVERS)
    assert [each["name"] for each in result["methods"] if not each["asks"]] == [
        "majority",
        "similar",
        "history",
    ]
    shown = command("eval", "list").out
    assert all(name in shown for name in (*TASKS, *SOLVERS))
