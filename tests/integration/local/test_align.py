"""Alignment from the command line: real files, and scripted models over HTTP that read their prompts."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from personaagent.core.errors import DataError
from personaagent.core.users import user_key
from personaagent.memory.pending import PendingSet
from tests.support.alignment import PREFERENCES
from tests.support.alignment_command import ALIGN, WANTED, Script, nth, remember, rules, versions
from tests.support.alignment_endpoint import chats, role_of
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint, Reply, Status
from tests.support.forks import MAIN, start


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


def test_the_persona_learns_and_says_what(command: Command) -> None:
    result = command(*ALIGN)
    assert result.code == 0
    assert "Version 1 -> 2" in result.out
    assert "0.00  Tell me about the oak forest?  batch" in result.out
    assert "0.00  Tell me about the old mill?  held out" in result.out
    for number, rule in enumerate(WANTED, 4):
        assert f"+ r{number}  {rule}  (from walk4, walk3, walk2)" in result.out
    assert "no loss is left in the batch" in result.out
    assert f"Round 1: - Say what is lacking: {PREFERENCES[WANTED[0]]}.\n" in result.err
    assert "Round 1: accepted, better on the batch, not worse held out; loss 0." in result.err
    assert rules(command)[3:] == WANTED


def test_json_is_one_document_with_all_that_is_to_be_known(command: Command) -> None:
    result = command(*ALIGN, "--json").data
    assert set(result) == {
        *("user_id", "mode", "rounds", "from_version", "to_version", "stopped_by", "usage"),
        *("seconds", "rules_before", "rules_after", "pairs", "refused", "warnings"),
        *("weights_before", "weights_after"),
    }
    assert (result["from_version"], result["to_version"]) == (1, 2)
    assert [set(each) for each in result["rounds"]] == [
        {
            *("losses_before", "losses_after", "holdout_before", "holdout_after"),
            *("gradient", "edits", "accepted", "reason", "weights"),
        }
    ] * len(result["rounds"])
    usage = result["usage"]
    assert set(usage) == {
        *("llm_calls", "input_tokens", "output_tokens", "by_role", "cached", "gate")
    }
    assert usage["llm_calls"] == sum(each["llm_calls"] for each in usage["by_role"].values())
    assert 0 < usage["gate"]["llm_calls"] < usage["llm_calls"]


def test_a_dry_run_publishes_nothing_and_shows_what_would_be(command: Command) -> None:
    result = command(*ALIGN, "--dry-run")
    assert "Nothing was published (dry run): version 1 stays" in result.out
    assert f"+ r4  {WANTED[0]}" in result.out
    assert versions(command) == ["initial"]


def test_the_user_is_asked_and_decides(command: Command) -> None:
    silent = command(*ALIGN, "--approve")
    assert (silent.code, silent.out) == (2, "")
    assert "the same command asks again" in silent.err
    refused = command(*ALIGN, "--approve", stdin=b"n\n")
    assert refused.code == 0
    assert f"+ r4  {WANTED[0]}" in refused.err
    assert "Publish these rules?" in refused.err
    assert "Nothing was published: version 1 stays" in refused.out
    assert versions(command) == ["initial"]
    assert "Version 1 -> 2" in command(*ALIGN, "--approve", stdin=b"y\n").out
    assert versions(command) == ["initial", "alignment"]


def test_a_question_without_an_answer_costs_no_second_run(command: Command, endpoint) -> None:
    command(*ALIGN, "--approve")
    asked = len(endpoint.requests)
    assert "Version 1 -> 2" in command(*ALIGN, "--approve", stdin=b"y\n").out
    assert len(endpoint.requests) == asked


def test_too_few_labels_are_no_failure(command: Command, tmp_path, endpoint) -> None:
    remember(command, tmp_path, "ben", 2)
    remember(command, tmp_path, "eve", 1)
    for user, few in (("ben", "2 labelled episodes are"), ("eve", "1 labelled episode is")):
        result = command("align", "--user", user)
        assert result.code == 0
        assert f"Warning: {few} too few to learn from" in result.err
        assert "Version 1 stays as it is." in result.out
        assert "(nothing was tried)" in result.out
    assert chats(endpoint.requests) == []


def test_the_papers_method_rewrites_the_whole(command: Command, script: Script) -> None:
    script.respond = _paper
    result = command(*ALIGN, "--mode", "paper", "--rounds", "1", "--json").data
    assert (result["mode"], result["to_version"]) == ("paper", 2)
    assert rules(command) == ["Sing.", "Dance."]


def _paper(body: dict[str, Any]) -> Reply:
    """Feedback for each question in the words of what was wanted, and a rewrite by that."""
    text = str(body["messages"][-1]["content"])
    if "<feedback>" in text:
        assert "The user wants: " in text
        return "- Sing.\n- Dance."
    return "The user wants: song" if "wanted answer:" in text else "An answer."


def test_the_users_own_edit_meanwhile_wins(command: Command, script: Script) -> None:
    def edit_first(body: dict[str, Any]) -> bool:
        if role_of(body) == "editor" and not script.holding.is_set():
            script.holding.set()
            subprocess.run(
                [sys.executable, "-c", MAIN, "persona", "edit", "-u", "anna", "--add", "Sing."],
                check=True,
                capture_output=True,
            )
        return False

    script.held = edit_first
    result = command(*ALIGN, "--json")
    assert result.code == 5
    assert result.data["stopped_by"] == "conflict"
    assert "Nothing was published: The persona is now at version 2, not 1" in result.err
    assert rules(command)[3:] == ["Sing."]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--all", "--user", "anna"], 2, "--user NAME, or --all"),
        (["--all", "--approve"], 2, "--approve asks about one persona"),
        (["--user", "anna", "--sampling", "similar"], 2, "similar to: give a query"),
        (["--user", "anna", "--query", " "], 2, "query is empty"),
        (["--user", "anna", "--batch", "0"], 2, "--batch"),
        (
            ["--user", "anna", "--budget-price", "1"],
            2,
            "no token has a price: set PERSONAAGENT_PRICE",
        ),
        (["--user", "nobody"], 5, "There is no memory of 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, code, said, command, endpoint) -> None:
    asked = len(endpoint.requests)
    result = command("align", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert len(endpoint.requests) == asked


def test_the_batch_can_be_what_is_similar_to_a_text(command: Command) -> None:
    result = command(*ALIGN, "--query", "Tell me about the old mill?", "--batch", "1", "--json")
    assert list(result.data["rounds"][0]["losses_before"]) == ["walk0"]


def test_the_budget_ends_a_run(command: Command) -> None:
    result = command(*ALIGN, "--budget-calls", "4")
    assert "Version 1 stays as it is." in result.out
    assert "the limit of model calls was reached" in result.out


def test_a_second_alignment_of_the_same_user_is_refused(command, script: Script) -> None:
    script.held = nth(1, "critic")
    with start(MAIN, *ALIGN) as first:
        assert script.holding.wait(60)
        second = command(*ALIGN)
        assert (second.code, second.out) == (5, "")
        assert "'anna' is being aligned by another process" in second.err
        forgotten = command("memory", "forget", "walk4", "--user", "anna")
        assert (forgotten.code, forgotten.out) == (5, "")
        assert "being aligned by another process" in forgotten.err
        assert command("memory", "show", "walk4", "--user", "anna").code == 0
        first.send_signal(signal.SIGINT)
        _, said = first.communicate()
    assert first.returncode == 130
    assert "Traceback" not in said


def test_a_run_that_broke_off_after_it_published_publishes_once(command, monkeypatch) -> None:
    async def fail(*_: Any) -> None:
        raise DataError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(PendingSet, "clear", fail)
        assert command(*ALIGN).code == 5
    assert versions(command) == ["initial", "alignment"]
    result = command(*ALIGN, "--json").data
    assert (result["from_version"], result["to_version"]) == (1, 2)
    assert versions(command) == ["initial", "alignment"]


def test_a_run_that_asks_for_something_else_begins_anew(command, script: Script, endpoint) -> None:
    script.held = nth(1, "critic")
    with start(MAIN, *ALIGN) as process:
        assert script.holding.wait(60)
        process.kill()
    script.held = lambda body: False
    result = command(*ALIGN, "--rounds", "1", "--json").data
    assert len(result["rounds"]) == 1


def test_all_users_with_new_labels_are_aligned(command, tmp_path, script: Script) -> None:
    remember(command, tmp_path, "ben")
    remember(command, tmp_path, "few", 2)
    result = command("align", "--all", "--after", "3", "--json")
    assert result.code == 0
    outcome = {each["user_id"]: each for each in result.data}
    assert [*outcome] == ["anna", "ben"]
    assert {each["alignment"]["to_version"] for each in outcome.values()} == {2}
    assert rules(command, "ben")[3:] == WANTED
    again = command("align", "--all", "--after", "3")
    assert (again.code, again.out) == (0, "(nobody has new labels)\n")


def test_one_users_failure_does_not_stop_the_others(command, tmp_path, script: Script) -> None:
    remember(command, tmp_path, "ben")
    file = tmp_path / "strange.jsonl"
    file.write_text(file.with_name("walks.jsonl").read_text().replace("Tell me about", "Strange:"))
    command("memory", "import", str(file), "--user", "aaron")
    script.broken = lambda body: "Strange:" in str(body["messages"][-1]["content"])
    result = command("align", "--all", "--after", "1", "--users-at-once", "1")
    assert result.code == 4
    lines = dict(line.split("  ", 1) for line in result.out.splitlines())
    assert list(lines) == ["aaron", "anna", "ben"]
    assert "nothing was changed" in lines["aaron"]
    assert "version 1 -> 2; batch 0." in lines["ben"]
    assert "no such thing" in result.err
    script.broken = lambda body: False
    [late] = command("align", "--all", "--after", "1", "--json").data
    assert late["user_id"] == "aaron"


def test_what_was_learned_is_shown_with_its_reasons(command: Command) -> None:
    assert command("learned", "-u", "anna").out == "(nothing has changed since then)\n"
    command(*ALIGN)
    command("persona", "edit", "-u", "anna", "--add", "Sing.")
    result = command("learned", "-u", "anna")
    assert "version 2, by alignment" in result.out
    assert f"+ r4  {WANTED[0]}  (from walk4, walk3, walk2)" in result.out
    assert "wanted: The walk to the oak forest takes an hour measured" in result.out
    assert "-> 0.00  Tell me about the old mill?  held out" in result.out
    assert re.search(r"before: The walk to the old mill takes an hour *\n", result.out)
    assert "after: The walk to the old mill takes an hour measured in kilometres" in result.out
    assert "version 3, by user" in result.out
    assert "+ r6  Sing." in result.out
    [learned, edited] = command("learned", "-u", "anna", "--since", "2w", "--json").data
    assert [each["text"] for each in learned["difference"]["added"]] == WANTED
    assert {each["id"] for each in learned["evidence"]} == {"walk4", "walk3", "walk2"}
    assert len(learned["proved_on"]) == len(learned["persona"]["proof"]["pairs"]) == 5
    assert (edited["persona"]["author"], edited["evidence"]) == ("user", [])
    assert command("learned", "-u", "anna", "--since", "2999-01-01", "--json").data == []


def test_forgetting_everything_leaves_no_thread_and_no_lock(command: Command, tmp_path) -> None:
    command(*ALIGN)
    assert command("memory", "forget", "--all", "--yes", "-u", "anna").code == 0
    home = tmp_path / "home"
    assert not list((home / "locks").iterdir())
    key = user_key("anna").encode()
    held = [path.name for path in home.rglob("*") if path.is_file() and key in path.read_bytes()]
    assert held == []


def test_a_run_that_failed_begins_anew_once_the_models_answer(
    command: Command, script: Script
) -> None:
    working, script.respond = script.respond, lambda body: Status(503)
    assert command(*ALIGN).code == 4
    script.respond = working
    assert command(*ALIGN, "--json").data["to_version"] == 2
