"""``align --all --ray``: the same as one process, also if a worker is killed; local workers of Ray."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.alignment import walks
from tests.support.alignment_command import WANTED, Script, remember, rules, versions
from tests.support.alignment_endpoint import chats, role_of
from tests.support.command import Command, command_line, scripted_command
from tests.support.endpoint import Endpoint
from tests.support.forks import MAIN

pytest.importorskip("ray", reason="Ray is not installed: the extra ray has it")

EVERYONE = ("align", "--all", "--after", "3", "--json")
ON_RAY = (*EVERYONE, "--ray", "local")
USERS = {
    "anna": walks(15, WANTED)[:5],
    "ben": walks(15, WANTED)[5:10],
    "cleo": walks(15, WANTED)[10:],
}
TIMES = {"run", "at", "started_at", "seconds", "created_at"}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def scripted(script, monkeypatch, capsys, tmp_path) -> Iterator[tuple[Command, Endpoint]]:
    """The command in which three users have five walks each, and the endpoint that it asks."""
    variables = {
        "PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge",
        "PERSONAAGENT_CONCURRENCY": "1",
        "RAY_USE_MULTIPROCESSING_CPU_COUNT": "1",
    }
    with scripted_command(script, monkeypatch, capsys, tmp_path / "home", **variables) as both:
        for user, episodes in USERS.items():
            remember(both[0], tmp_path, user, episodes)
        yield both


def on_ray(*arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, which starts Ray."""
    command = [sys.executable, "-c", MAIN, *ON_RAY, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def learned(command: Command, user: str) -> dict[str, Any]:
    """The persona of the user, without what differs from run to run."""
    return without_times(command("persona", "show", "--user", user, "--json").data)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if name not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def test_two_workers_learn_what_one_process_learns(
    command, endpoint, monkeypatch, capsys, tmp_path
) -> None:
    with on_ray() as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    results = {each["user_id"]: each for each in json.loads(out)}
    assert [*results] == ["anna", "ben", "cleo"]
    assert {each["alignment"]["to_version"] for each in results.values()} == {2}
    personas = {user: learned(command, user) for user in USERS}
    asked = chats(endpoint.requests)
    with command_line(monkeypatch, capsys, tmp_path / "other", **speaking(endpoint)) as alone:
        for user, episodes in USERS.items():
            remember(alone, tmp_path, user, episodes)
        before = len(endpoint.requests)
        here = alone(*EVERYONE)
        assert without_times(here.data) == without_times([*results.values()])
        assert {user: learned(alone, user) for user in USERS} == personas
        assert sorted(chats(endpoint.requests[before:])) == sorted(asked)
        assert alone(*EVERYONE).data == []


def speaking(endpoint: Endpoint) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": endpoint.base_url,
        "PERSONAAGENT_MODEL": "scripted",
        "PERSONAAGENT_EMBEDDINGS": "openai:test",
        "PERSONAAGENT_MODEL_RETRIES": "0",
        "PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge",
        "PERSONAAGENT_CONCURRENCY": "1",
    }


def test_a_killed_worker_loses_nothing(command, script: Script, endpoint, tmp_path: Path) -> None:
    last_of_ben = USERS["ben"][-1].query
    script.held = lambda body: role_of(body) == "critic" and last_of_ben in str(body["messages"])
    with on_ray("--users-at-once", "1") as process:
        ends = time.monotonic() + 300
        while not script.holding.wait(1):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < ends, "no worker asks"
        script.held = lambda body: False
        workers = [
            each
            for each in psutil.Process(process.pid).children(recursive=True)
            if "MapWorker" in " ".join(each.cmdline()) and asks(each, endpoint)
        ]
        assert len(workers) >= 1
        for each in workers:
            each.kill()
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    results = {each["user_id"]: each["alignment"] for each in json.loads(out)}
    assert {user: each["to_version"] for user, each in results.items()} == dict.fromkeys(USERS, 2)
    assert {user: versions(command, user) for user in USERS} == {
        user: ["initial", "alignment"] for user in USERS
    }
    assert rules(command, "ben")[3:] == WANTED
    asked = chats(endpoint.requests)
    assert len(asked) - len(set(asked)) <= 2, "one question of each worker that was killed"


def asks(process: psutil.Process, endpoint: Endpoint) -> bool:
    """Whether the process is connected to the endpoint."""
    port = int(endpoint.base_url.rpartition(":")[2].partition("/")[0])
    return any(each.raddr and each.raddr.port == port for each in process.net_connections())


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("align", "--user", "anna", "--ray", "local"), 2, "use it with --all"),
        ((*EVERYONE, "--vllm", "some/model"), 2, "use it with --ray"),
        ((*EVERYONE, "--ray", "ray://127.0.0.1:9"), 2, "part of the cluster"),
        ((*EVERYONE, "--ray", "127.0.0.1:9"), 4, "start it with `ray start --head`"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    arguments: tuple[str, ...], code: int, sentence: str, command: Command, endpoint: Endpoint
) -> None:
    before = len(endpoint.requests)
    result = command(*arguments)
    assert result.code == code
    assert sentence in result.err
    assert len(endpoint.requests) == before
