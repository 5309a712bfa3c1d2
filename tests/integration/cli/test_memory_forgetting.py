"""``memory forget`` end to end: what it asks first, and that no file holds what was forgotten."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from personaagent.core.users import user_key
from tests.support.command import Command
from tests.support.folders import contents
from tests.support.memory_commands import CANARY, command, file, home, imported

__all__ = ["command", "file", "home", "imported"]  # fixtures, by name


def files_with(home: Path, text: str) -> list[str]:
    """The files of the data folder that hold the text, or bear it in their names."""
    return [
        str(path)
        for path, held in contents(home).items()
        if text in str(path) or text.encode() in held
    ]


def test_forget_takes_everything_that_held_it_along(imported: Command, home: Path) -> None:
    secret_id = imported("ask", f"Keep my {CANARY} safe", "-u", "ann", "--json").data["episode_id"]
    assert imported("profile", "refresh", "-u", "ann").code == 0
    assert secret_id in imported("ask", "What is safe?", "-u", "ann", "--json").data["recalled"]
    added = imported("persona", "edit", "-u", "ann", "--add", "Be brief", "--json").data
    assert files_with(home, CANARY)

    receipt = imported("memory", "forget", secret_id, "-u", "ann", "--json").data

    assert (receipt["episodes"], receipt["embeddings"]) == ([secret_id], 1)
    assert [each["text"] for each in receipt["statements"]] == [f"The user keeps a {CANARY}."]
    assert receipt["rules"] == []
    assert len(receipt["threads"]) == 2
    assert files_with(home, CANARY) == []
    persona = imported("persona", "show", "-u", "ann", "--json").data
    assert persona["rules"] == added["rules"]
    assert len(imported("memory", "list", "-u", "ann", "--json").data) == 4


@pytest.mark.parametrize(
    ("question", "variable", "value", "code"),
    [
        ("Look it up.", "PERSONAAGENT_TOP_K", "0", 0),  # recalled by the tool alone
        (
            "What is safe?",
            "PERSONAAGENT_PROMPT_TOKENS",
            "200",
            0,
        ),  # recalled, no room in the prompt
        ("Break off.", "PERSONAAGENT_TOP_K", "8", 4),  # recalled into a turn that failed
    ],
)
def test_forget_knows_every_conversation_that_held_it(
    imported: Command,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
    variable: str,
    value: str,
    code: int,
) -> None:
    secret_id = imported("ask", f"Keep my {CANARY} safe", "-u", "ann", "--json").data["episode_id"]
    monkeypatch.setenv(variable, value)
    assert imported("ask", question, "-u", "ann", "--thread", "second").code == code
    receipt = imported("memory", "forget", secret_id, "-u", "ann", "--json").data
    assert f"{user_key('ann')}:second" in receipt["threads"]
    assert files_with(home, CANARY) == []


def test_an_imported_secret_is_gone_from_every_file(
    imported: Command, tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "more.jsonl"
    lines = [{"id": f"m{n}", "query": f"number {n}", "response": f"{n} " * 400} for n in range(200)]
    lines[77]["response"] = f"{CANARY} " * 900
    path.write_text("\n".join(map(json.dumps, lines)))
    assert imported("memory", "import", str(path), "-u", "ann", "--json").data["added"] == 200
    assert imported("feedback", "m77", "-u", "ann", "--edit", f"{CANARY}, please").code == 0
    assert files_with(home, CANARY)
    result = imported("memory", "forget", "m77", "tea", "-u", "ann")
    assert result.out == "Forgotten: 2 episodes, 2 embeddings.\n"
    assert files_with(home, CANARY) == []
    listed = imported("memory", "forgotten", "-u", "ann")
    assert listed.out.endswith("  2 episodes\n")
    [entry] = imported("memory", "forgotten", "-u", "ann", "--json").data["forgettings"]
    assert (entry["kind"], entry["episodes"]) == ("episodes", 2)


def test_forget_by_query_shows_first_and_forgets_with_yes(imported: Command) -> None:
    arguments = ("memory", "forget", "--query", "dog called", "-u", "ann", "--json")
    asked = imported(*arguments)
    assert (asked.code, [each["id"] for each in asked.data]) == (2, ["dog"])
    assert "add --yes" in asked.err
    assert imported(*arguments, "--yes").data["episodes"] == ["dog"]
    left = imported("memory", "list", "-u", "ann", "--json").data
    assert [each["id"] for each in left] == ["tea", "old"]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("dog",), "My dog is called Rex"),
        (("--query", "dog called"), "My dog is called Rex"),
        (("--all",), "everything about 'ann' (3 episodes)"),
    ],
)
def test_on_a_terminal_forget_shows_what_would_go_and_asks(
    arguments: tuple[str, ...], shown: str, imported: Command
) -> None:
    forget = ("memory", "forget", *arguments, "-u", "ann", "--json")
    for said in (b"n\n", b"\n", b""):
        asked = imported(*forget, stdin=said, terminal=True)
        assert (asked.code, asked.out) == (2, "")
        assert shown in asked.err
        assert "[y/N]" in asked.err
        assert "Nothing was forgotten." in asked.err
    assert len(imported("memory", "list", "-u", "ann", "--json").data) == 3
    agreed = imported(*forget, stdin=b"y\n", terminal=True)
    assert "dog" in agreed.data["episodes"]


def test_with_yes_forget_asks_nobody(imported: Command) -> None:
    receipt = imported("memory", "forget", "dog", "--yes", "-u", "ann", "--json", terminal=True)
    assert (receipt.data["episodes"], receipt.err) == (["dog"], "")


@pytest.mark.parametrize("arguments", [(), ("tea", "--all"), ("--query", "x", "--all")])
def test_forget_wants_one_way_to_say_what(imported: Command, arguments: tuple[str, ...]) -> None:
    result = imported("memory", "forget", *arguments, "-u", "ann", "--yes")
    assert result.code == 2
    assert "Say what to forget" in result.err


def test_one_unknown_id_forgets_nothing(imported: Command) -> None:
    assert imported("memory", "forget", "tea", "none", "-u", "ann").code == 5
    assert len(imported("memory", "list", "-u", "ann", "--json").data) == 3


def test_forget_all_leaves_nothing_of_the_user_and_all_of_others(
    imported: Command, file: Path, home: Path
) -> None:
    imported("ask", f"Keep my {CANARY} safe", "-u", "ann", "--thread", "talk")
    imported("profile", "refresh", "-u", "ann")
    imported("persona", "edit", "-u", "ann", "--add", f"Mind the {CANARY}")
    imported("ask", "Hello", "-u", "bob")
    assert files_with(home, user_key("ann")[:32])
    unsure = imported("memory", "forget", "--all", "-u", "ann")
    assert unsure.code == 2
    assert "--yes" in unsure.err

    receipt = imported("memory", "forget", "--all", "--yes", "-u", "ann", "--json").data

    assert (len(receipt["episodes"]), receipt["embeddings"]) == (4, 4)
    assert f"Mind the {CANARY}" in [each["text"] for each in receipt["rules"]]
    assert files_with(home, CANARY) == []
    for database in home.glob("*.sqlite"):
        with closing(sqlite3.connect(database)) as opened:
            assert user_key("ann") not in "\n".join(opened.iterdump())
    assert not [path for path in home.rglob("*") if user_key("ann")[:32] in path.name]
    assert imported("memory", "list", "-u", "ann").code == 5
    assert [each["query"] for each in imported("memory", "list", "-u", "bob", "--json").data] == [
        "Hello"
    ]
