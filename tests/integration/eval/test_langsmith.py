"""The evaluation and LangSmith: everything where it is asked for, and else nothing at all."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Result
from tests.support.endpoint import Endpoint, Reply, Status, scripted_endpoint
from tests.support.forks import MAIN, run
from tests.support.langsmith_datasets import Datasets
from tests.support.langsmith_recorder import Recorder, langsmith_recorder, watched_proxy
from tests.support.movies import TASK, favourite, film_models, write_movies

USERS = 3
SWITCHED_ON = {
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_TEST_TRACKING": "true",
    "LANGSMITH_API_KEY": "a key of the tests",
    "LANGSMITH_PROJECT": "somewhere else",
}


def script(body: dict[str, Any]) -> Reply:
    """The models; nothing is to be had about the second person."""
    failing = "person 1 and" in str(body["messages"][-1]["content"])
    return Status(400, "no such film") if failing else film_models(body)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with scripted_endpoint(script) as endpoint:
        yield endpoint


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with langsmith_recorder() as recorder:
        recorder.answer = Datasets()
        yield recorder


def evaluate(
    folder: Path, endpoint: Endpoint, *more: str, fresh: bool = False, **variables: str
) -> Result:
    """``eval run`` in a process with these variables, ``fresh``: also while it imports LangSmith."""
    ours = ("LANGSMITH_", "LANGCHAIN_", "OTEL_", "PERSONAAGENT_", "OPENAI_")
    if not (folder / "data").exists():
        write_movies(folder / "data", USERS)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
        "PERSONAAGENT_HOME": str(folder / "home"),
        "PERSONAAGENT_DATA": str(folder / "data"),
        "OPENAI_BASE_URL": endpoint.base_url,
        "OPENAI_API_KEY": "a key of the tests",
        "PERSONAAGENT_MODEL": "scripted",
        "PERSONAAGENT_MODEL_RETRIES": "0",
        "PERSONAAGENT_EMBEDDINGS": "openai:test",
        **variables,
    }
    arguments = ["eval", "run", "--tasks", TASK, "--out", str(folder / "out"), *more]
    if fresh:
        command = [sys.executable, "-c", MAIN, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    else:
        done = run(MAIN, *arguments, env=environment)
    return Result(done.returncode, done.stdout, done.stderr)


def test_nothing_leaves_the_machine_unless_it_is_asked_for(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    """Whatever the environment says: neither to LangSmith, nor to anywhere else."""
    with watched_proxy() as (proxy, told):
        result = evaluate(
            tmp_path,
            endpoint,
            *("--methods", "prompt,react,pag,persona", "--json"),
            **SWITCHED_ON,
            **proxy,
            LANGSMITH_ENDPOINT=recorder.url,
            fresh=True,
        )
    assert result.code == 0, result.err
    assert result.data["tasks"][TASK]["methods"]["persona"]["answered"] == 2
    assert recorder.received == []
    assert told == []


def test_dataset_experiments_traced_runs_and_feedback(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    asked = ("--methods", "rag,persona", "--seed", "7", "--langsmith", "films")
    key = {"LANGSMITH_API_KEY": "a key of the tests", "LANGSMITH_ENDPOINT": recorder.url}
    result = evaluate(tmp_path, endpoint, *asked, **key)
    assert result.code == 0, result.err
    made = recorder.answer
    assert isinstance(made, Datasets)

    [dataset] = made.datasets
    assert dataset["name"] == f"films-{TASK}"
    assert {each["dataset_id"] for each in made.examples} == {dataset["id"]}
    golds = {each["id"]: each["outputs"]["gold"] for each in made.examples}
    assert sorted(golds.values()) == sorted(map(favourite, range(USERS)))
    assert all("journey" in each["inputs"]["query"] for each in made.examples)

    experiments = {each["extra"]["metadata"]["method"]: each for each in made.experiments}
    assert set(experiments) == {"rag", "persona"}
    for method, each in experiments.items():
        assert each["name"].startswith(f"films-{TASK}-{method}-")
        assert each["reference_dataset_id"] == dataset["id"]

    kept = [json.loads(line) for line in (tmp_path / "out/samples.jsonl").read_text().splitlines()]
    assert [each["case"] for each in kept if each["failed"]] == ["1-0", "1-0"], kept
    trees = recorder.trees()
    assert Counter(tree.name for tree in trees) == {"rag": USERS, "persona": USERS}
    for tree in trees:
        assert set(tree.run["tags"]) == {TASK, tree.name}
        assert tree.run["session_name"] == experiments[tree.name]["name"]
        assert tree.run["reference_example_id"] in golds
        assert (tree.metadata["seed"], tree.metadata["task"]) == (7, TASK)
        assert len(tree.metadata["user"]) == 16
    assert len({tree.metadata["user"] for tree in trees}) == USERS
    answered = [tree for tree in trees if not tree.run.get("error")]
    assert Counter(tree.name for tree in answered) == {"rag": USERS - 1, "persona": USERS - 1}
    versions = [tree.metadata["persona_version"] for tree in answered if tree.name == "persona"]
    assert sorted(versions) == [1, 2], "one had no loss to learn from"
    for tree in answered:
        names = {node.name for node in tree.each()}
        if tree.name == "persona":
            assert {"recall", "inject_persona", "react", "remember", "ChatOpenAI"} <= names
        else:
            assert "ChatOpenAI" in names
        assert tree.run["outputs"]["answer"] == golds[tree.run["reference_example_id"]]
    [failed] = {tree.run["error"] for tree in trees if tree.run.get("error")}
    assert "no such film" in failed

    scores = {tree.run["id"]: {} for tree in trees}
    for each in made.feedback:
        scores[each["run_id"]][each["key"]] = each["score"]
    for tree in trees:
        right = {"correct": 1, "exact": 1, "faithfulness": 1}
        assert scores[tree.run["id"]] == ({} if tree.run.get("error") else right)
    assert b"user0" not in recorder.said()
    assert b"a key of the tests" in recorder.said(), "the key is a header"


def test_what_is_there_already_is_not_made_again(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    key = {"LANGSMITH_API_KEY": "a key of the tests", "LANGSMITH_ENDPOINT": recorder.url}
    for methods in ("majority", "majority,similar"):
        folder = tmp_path / methods
        folder.mkdir()
        result = evaluate(folder, endpoint, "--methods", methods, "--langsmith", "films", **key)
        assert result.code == 0, result.err
    made = recorder.answer
    assert isinstance(made, Datasets)
    assert (len(made.datasets), len(made.examples)) == (1, USERS)
    assert len(made.experiments) == 3, "one for each method of a run"
    assert len(recorder.trees()) == 3 * USERS


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (401, 3, "LangSmith refuses the key: check LANGSMITH_API_KEY."),
        (500, 4, "LangSmith cannot be used now:"),
    ],
)
def test_langsmith_that_does_not_take_it_ends_the_run_before_anything_is_asked(
    tmp_path: Path,
    endpoint: Endpoint,
    recorder: Recorder,
    status: int,
    code: int,
    sentence: str,
) -> None:
    recorder.refusals += [status] * 20
    before = len(endpoint.requests)
    key = {"LANGSMITH_API_KEY": "a key of the tests", "LANGSMITH_ENDPOINT": recorder.url}
    result = evaluate(tmp_path, endpoint, "--methods", "rag", "--langsmith", "films", **key)
    assert result.code == code
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert len(endpoint.requests) == before


def test_content_that_may_not_be_traced_is_not_sent(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    key = {"LANGSMITH_API_KEY": "a key of the tests", "LANGSMITH_ENDPOINT": recorder.url}
    quiet = {"PERSONAAGENT_TRACE_CONTENT": "false"}
    asked = ("--methods", "rag", "--langsmith", "films")
    result = evaluate(tmp_path, endpoint, *asked, **key, **quiet)
    assert result.code == 3
    assert "PERSONAAGENT_TRACE_CONTENT" in result.err
    assert recorder.received == []


def test_langsmith_that_fails_midway_costs_no_answer(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    datasets = Datasets()

    def failing(received: Any) -> Any:
        if received.path == "/feedback":
            recorder.refusals += [500] * 20
        return datasets(received)

    recorder.answer = failing
    key = {"LANGSMITH_API_KEY": "a key of the tests", "LANGSMITH_ENDPOINT": recorder.url}
    asked = ("--methods", "majority", "--concurrency", "1")
    result = evaluate(tmp_path, endpoint, *asked, "--langsmith", "films", **key)
    assert result.code == 4
    assert "LangSmith cannot be used now" in result.err
    kept = [json.loads(line) for line in (tmp_path / "out/samples.jsonl").read_text().splitlines()]
    assert kept
    assert evaluate(tmp_path, endpoint, *asked, "--json").data["done"] == USERS
