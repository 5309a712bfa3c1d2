"""Alignment that is killed: in every node, while it asks, and while it goes through all users."""

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.alignment import walks
from tests.support.alignment_command import ALIGN, WANTED, Script, nth, remember, rules, versions
from tests.support.alignment_endpoint import chats, role_of
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint
from tests.support.forks import MAIN, start

NODES = {
    "sample": 1,
    "simulate": 5,
    "compare": 1,
    "critique": 1,
    "update": 1,
    "gate": 1,
    "publish": 1,
}
"""Each with its branches."""
STANDING = """
import asyncio, functools, sys
from personaagent.cli.main import main
from personaagent.graphs import alignment

node, branches = getattr(alignment, sys.argv[1]), int(sys.argv[2])
ended = []

@functools.wraps(node)
async def never_kept(*given, **options):
    ended.append(await node(*given, **options))
    if len(ended) == branches:
        print("ended", flush=True)
    await asyncio.Event().wait()

setattr(alignment, sys.argv[1], never_kept)
main(sys.argv[3:])
"""
"""The command in which a node does all of its work, and nothing of that gets into a checkpoint."""


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def scripted(script, monkeypatch, capsys, tmp_path) -> Iterator[tuple[Command, Endpoint]]:
    """The command in which Anna has five walks, and the endpoint that it asks."""
    rouge = {"PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge"}
    with scripted_command(script, monkeypatch, capsys, tmp_path / "home", **rouge) as both:
        remember(both[0], tmp_path, "anna")
        yield both


def test_a_run_that_is_killed_at_the_end_of_each_node_goes_on(command, endpoint) -> None:
    """The latest moment at which a node's work can be lost: nothing simulated is asked again."""
    for node, branches in NODES.items():
        with start(STANDING, node, str(branches), *ALIGN, "--json") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ended\n", (node, process.stderr.read())
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    assert versions(command) == ["initial", "alignment"], "it was published, and then killed"
    result = command(*ALIGN, "--json").data
    assert (result["from_version"], result["to_version"]) == (1, 2)
    assert versions(command) == ["initial", "alignment"]
    assert rules(command)[3:] == WANTED
    asked = Counter(
        (role_of(request.body), chat)
        for request in endpoint.requests
        if request.path.endswith("/chat/completions")
        for chat in chats([request])
    )
    again = [role for (role, _), times in asked.items() for _ in range(times - 1)]
    assert sorted(again) == ["critic", "editor"], "the two whose answer was in no checkpoint"


def test_a_run_that_is_killed_again_and_again_goes_on(
    command, script: Script, endpoint, monkeypatch
) -> None:
    """Of what was asked for, only the answer that was held comes again."""
    monkeypatch.setenv("PERSONAAGENT_CONCURRENCY", "1")
    in_simulate, in_gate = nth(4, "actor"), nth(4, "actor", WANTED[1])
    in_critique, in_update, in_second_round = nth(1, "critic"), nth(1, "editor"), nth(1, "critic")
    for held in (in_simulate, in_critique, in_update, in_gate, in_second_round):
        script.held = held
        script.holding.clear()
        with start(MAIN, *ALIGN) as process:
            assert script.holding.wait(60)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    script.held = lambda body: False
    result = command(*ALIGN, "--json")
    assert (result.code, result.data["from_version"], result.data["to_version"]) == (0, 1, 2)
    assert rules(command)[3:] == WANTED
    assert versions(command) == ["initial", "alignment"]
    asked = chats(endpoint.requests)
    assert len(asked) - len(set(asked)) == 5


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ended_while_it_asked_asks_again(ending, command, endpoint) -> None:
    with start(MAIN, *ALIGN, "--approve") as process:
        assert process.stderr is not None
        shown = ""
        while "Publish these rules? [y/N] " not in shown:
            shown += process.stderr.read(1)
        process.send_signal(ending)
        assert process.wait(60) == (130 if ending is signal.SIGINT else -ending)
    assert versions(command) == ["initial"]
    before = len(endpoint.requests)
    assert "Version 1 -> 2" in command(*ALIGN, "--approve", stdin=b"y\n").out
    assert chats(endpoint.requests[before:]) == []


def test_all_users_go_on_where_they_were_killed(
    command, script: Script, endpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PERSONAAGENT_CONCURRENCY", "1")
    later = walks(10, WANTED)[5:]
    remember(command, tmp_path, "ben", later)
    of_ben = [each.query for each in later]
    script.held = lambda body: role_of(body) == "critic" and of_ben[-1] in str(body["messages"])
    everyone = ("align", "--all", "--after", "3", "--users-at-once", "1", "--json")
    with start(MAIN, *everyone) as process:
        assert script.holding.wait(60)
        process.send_signal(signal.SIGKILL)
    assert (versions(command), versions(command, "ben")) == (["initial", "alignment"], ["initial"])
    script.held = lambda body: False
    [left] = command(*everyone).data
    assert (left["user_id"], left["alignment"]["to_version"]) == ("ben", 2)
    assert rules(command, "ben")[3:] == WANTED
    asked = chats(endpoint.requests)
    assert len(asked) - len(set(asked)) == 1, "the question that was held"
