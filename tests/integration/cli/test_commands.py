"""The command from end to end: real files, and a scripted endpoint over HTTP that reads its prompt."""

import json
import os
import re
import stat
import subprocess
import sys
from typing import Any

import pytest

from tests.support.command import Command, Result
from tests.support.endpoint import Reply, Status, ToolCall


def script(body: dict[str, Any]) -> Reply:
    """Answers by what stands in the prompt, and by nothing else."""
    texts = [str(message["content"]) for message in body["messages"]]
    prompt, last = "\n".join(texts), texts[-1]
    if "short profile of one user" in prompt:
        evidence = [line.split(":")[0] for line in prompt.splitlines() if "Lisbon" in line]
        change = {"statement": "new", "text": "The user lives in Lisbon.", "evidence": evidence}
        return json.dumps({"changes": [change]})
    if last == "Who refuses?":
        return Status(401)
    if last == "Look it up.":
        return [ToolCall("recall_episodes", {"query": "home Lisbon"})]
    home = "Lisbon" if "Lisbon" in prompt else "nowhere that I know"
    style = "Ahoy! " if "like a pirate" in texts[0] else ""
    return f"{style}You live in {home}."


def told(command: Command) -> str:
    """An episode of Ann's, who lives in Lisbon: its id."""
    episode: str = command("ask", "My home is Lisbon.", "--user", "ann", "--json").data[
        "episode_id"
    ]
    return episode


def test_ask_gives_one_json_document_with_all_that_is_to_be_known(command: Command) -> None:
    first = told(command)
    result = command(
        "ask", "Where is my home?", "-u", "ann", "--task", "places", "--thread", "t", "--json"
    )
    assert result.err == ""
    answer = result.data
    assert answer.pop("seconds") > 0
    assert answer.pop("episode_id") not in ("", None, first)
    usage = answer.pop("usage")
    assert usage["by_role"] == {"actor": {k: usage[k] for k in usage if k != "by_role"}}
    assert usage["llm_calls"] == 1
    assert usage["input_tokens"] > usage["output_tokens"] > 0
    assert answer == {
        "reply": "You live in Lisbon.",
        "decision": None,
        "user_id": "ann",
        "thread_id": "t",
        "persona_version": 1,
        "recalled": [first],
        "tool_calls": [],
        "warnings": [],
    }


def test_ask_prints_the_answer_alone(command: Command) -> None:
    assert command("ask", "Where?", "-u", "ann") == Result(
        0, "You live in nowhere that I know.\n", ""
    )


def test_ask_reads_standard_input(command: Command, endpoint) -> None:
    assert command("ask", "-", "-u", "ann", stdin="Wo genau? ß\n".encode()).code == 0
    assert endpoint.requests[0].body["messages"][-1]["content"] == "Wo genau? ß"


def test_tools_that_were_used_are_named(command: Command) -> None:
    told(command)
    answer = command("ask", "Look it up.", "-u", "ann", "--json").data
    assert answer["tool_calls"] == [{"name": "recall_episodes", "args": {"query": "home Lisbon"}}]
    assert (answer["reply"], answer["usage"]["llm_calls"]) == ("You live in Lisbon.", 2)


def test_incognito_is_not_remembered(command: Command) -> None:
    answer = command("ask", "My home is Lisbon.", "-u", "ann", "--incognito", "--json").data
    assert answer["episode_id"] is None
    assert command("persona", "show", "-u", "ann").code == 5


def test_feedback_becomes_ground_truth(command: Command) -> None:
    episode = told(command)
    noted = command("feedback", episode, "-u", "ann", "--edit", "In Lisbon, Alfama.", "--json").data
    assert (noted["signal"], noted["ground_truth"]) == ("edit", "In Lisbon, Alfama.")
    accepted = command("feedback", episode, "-u", "ann", "--accept", "--json").data
    assert (accepted["signal"], accepted["ground_truth"]) == ("edit", "In Lisbon, Alfama.")
    assert command("feedback", episode, "-u", "ann", "--reject").code == 2
    forced = command("feedback", episode, "-u", "ann", "--reject", "--force")
    assert "marked as wrong" in forced.out
    facts = command("profile", "show", "-u", "ann", "--json").data["facts"]
    assert facts == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--accept", "--reject"], 2, "exactly one"),
        ([], 2, "exactly one"),
        (["--edit", " "], 2, "text you wanted is empty"),
        (["--edit", "a\x00b"], 2, "control character U+0000"),
    ],
)
def test_feedback_that_says_nothing_clear_is_refused(arguments, code, said, command) -> None:
    told(command)
    result = command("feedback", "an-id", "--user", "ann", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_feedback_on_an_episode_that_is_not_there(command: Command) -> None:
    told(command)
    result = command("feedback", "an-id", "--user", "ann", "--accept")
    assert (result.code, result.out) == (5, "")
    assert "no episode 'an-id'" in result.err


def test_each_change_of_a_persona_is_a_new_version(command: Command) -> None:
    told(command)
    edited = command(
        "persona", "edit", "-u", "ann", "--add", "Speak like a pirate.", "--remove", "r3", "--json"
    ).data
    assert (edited["version"], edited["author"], edited["parent"]) == (2, "user", 1)
    assert edited["rules"][-1] == {
        "id": "r4", "text": "Speak like a pirate.", "evidence": [], "locked": False
    }  # fmt: skip
    assert command("ask", "Where?", "-u", "ann").out == "Ahoy! You live in Lisbon.\n"
    assert command("persona", "lock", "r4", "-u", "ann", "--json").data["rules"][-1]["locked"]
    assert not command("persona", "unlock", "r4", "-u", "ann", "--json").data["rules"][-1]["locked"]
    back = command("persona", "rollback", "1", "-u", "ann", "--json").data
    assert (back["version"], [rule["id"] for rule in back["rules"]]) == (5, ["r1", "r2", "r3"])
    history = command("persona", "history", "-u", "ann", "--json").data
    assert [each["author"] for each in history] == ["initial", *["user"] * 4]
    change = command("persona", "diff", "1", "2", "-u", "ann", "--json").data
    assert ([r["id"] for r in change["added"]], [r["id"] for r in change["removed"]]) == (
        ["r4"],
        ["r3"],
    )
    assert "+ r4  Speak like a pirate." in command("persona", "diff", "1", "2", "-u", "ann").out


def test_a_persona_is_edited_in_the_users_editor(command: Command, monkeypatch) -> None:
    told(command)
    monkeypatch.setenv("VISUAL", "sed -i -e 's/^- .r2. .*/- Speak like a pirate./'")
    rules = command("persona", "edit", "-u", "ann", "--json").data["rules"]
    assert [rule["id"] for rule in rules] == ["r1", "r4", "r3"]
    unchanged = command("persona", "edit", "-u", "ann", "--replace", "r4", "Speak like a pirate.")
    assert (unchanged.code, unchanged.err) == (0, "Nothing was changed.\n")
    for editor, said in (
        ("false", "'false' did not work (it ended with exit code 1)"),
        ("no-such-editor", "'no-such-editor' did not work (No such file or directory)"),
        (r"sed -i s/^-/\\xff/", "did not work (the file that it saved is not UTF-8)"),
        ("sed -i s/^-/+/", "Line 5 is not a rule"),
    ):
        monkeypatch.setenv("VISUAL", editor)
        result = command("persona", "edit", "-u", "ann")
        assert (result.code, result.out) == (2, "")
        assert said in result.err
    assert command("persona", "show", "-u", "ann", "--json").data["version"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lock", "r9"], "no rule 'r9'"),
        (["rollback", "9"], "no version 9"),
        (["show", "--version", "9"], "no version 9"),
        (["edit"], "no terminal for an editor"),
    ],
)
def test_what_a_persona_has_not_got_is_exit_code_2(arguments, said, command, monkeypatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    told(command)
    result = command("persona", *arguments, "-u", "ann")
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_refreshed_profile_cites_the_episode(command: Command) -> None:
    episode = told(command)
    refreshed = command("profile", "refresh", "-u", "ann", "--json").data
    [statement] = refreshed["summary"]
    assert (statement["id"], statement["text"]) == ("s1", "The user lives in Lisbon.")
    assert (statement["evidence"], statement["source"]) == ([episode], "summary")
    assert refreshed["usage"]["by_role"]["critic"]["llm_calls"] == 1
    shown = command("profile", "show", "-u", "ann").out
    assert re.search(rf"s1  The user lives in Lisbon\.\n +from {episode[:8]}  20\d\d-", shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ["persona", "show"],
        ["persona", "history"],
        ["persona", "lock", "r1"],
        ["profile", "show"],
        ["profile", "refresh"],
        ["feedback", "an-id", "--accept"],
    ],
)
def test_a_user_of_whom_nothing_is_remembered_is_exit_code_5(arguments, command, endpoint) -> None:
    result = command(*arguments, "--user", "nobody")
    assert (result.code, result.out) == (5, "")
    assert "There is no memory of 'nobody'" in result.err
    assert endpoint.requests == []


BAD_USERS = {
    "": "empty",
    "  ": "empty",
    "a\nb": "control characters",
    "\udcff": "not valid UTF-8",
    "u" * 129: "129 characters",
}


@pytest.mark.parametrize(("user", "said"), BAD_USERS.items())
@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "Hello"],
        ["chat"],
        ["persona", "show"],
        ["profile", "show"],
        ["feedback", "x", "--accept"],
    ],
)
def test_a_user_id_that_cannot_be_is_exit_code_2(user, said, arguments, command) -> None:
    result = command(*arguments, "--user", user)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "stdin", "said"),
    [
        ("", b"", "message is empty"),
        ("\udcff", b"", "not valid UTF-8"),
        ("a\x1b[2Jb", b"", "control character U+001B"),
        ("-", b"caf\xe9", "not valid UTF-8"),
        ("-", b"x" * 1_000_000, "at most 32,000"),
        ("x" * 1_000_000, b"", "1,000,000 characters; at most 32,000"),
    ],
)
def test_a_text_that_cannot_be_is_exit_code_2_and_sent_nowhere(
    text, stdin, said, command, endpoint
) -> None:
    result = command("ask", text, "--user", "ann", "--json", stdin=stdin)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert endpoint.requests == []


def test_bytes_that_are_no_utf8_through_a_real_shell(command: Command) -> None:
    code = "from personaagent.cli.main import main; raise SystemExit(main())"
    arguments = [sys.executable.encode(), b"-c", code.encode(), b"ask", b"\xff\xfe", b"-u", b"ann"]
    ran = subprocess.run(arguments, capture_output=True, env=os.environ, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr == b"Error: The message is not valid UTF-8.\n"


def test_a_key_that_is_refused_is_exit_code_3(command: Command) -> None:
    result = command("ask", "Who refuses?", "-u", "ann", "--json")
    assert (result.code, result.out) == (3, "")
    assert "OPENAI_API_KEY" in result.err


def test_an_endpoint_that_is_not_there_is_exit_code_4(command: Command, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = command("ask", "Hello", "-u", "ann")
    assert (result.code, result.out) == (4, "")
    assert result.err.count("Error: ") == 1


def test_a_database_that_is_damaged_is_exit_code_5(command: Command, tmp_path) -> None:
    told(command)
    for name in ("memory.sqlite", "memory.sqlite-wal"):
        (tmp_path / "home" / name).write_bytes(b"no database at all" * 100)
    result = command("persona", "show", "-u", "ann")
    assert (result.code, result.out) == (5, "")
    assert "damaged" in result.err


def test_files_are_readable_by_their_owner_alone(command: Command, tmp_path) -> None:
    told(command)
    found = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert len(found) > 3
    assert not [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_models_are_listed_with_what_they_are(command: Command) -> None:
    models = command("model", "list", "--json").data
    assert [each["use"] for each in models if each["default"]] == ["chat", "embeddings"]
    assert not any(each["present"] for each in models)
    assert all(len(file["sha256"]) == 64 for each in models for file in each["files"])
    result = command("model", "pull", "gpt-9")
    assert (result.code, result.out) == (3, "")
    assert "No model 'gpt-9'" in result.err
