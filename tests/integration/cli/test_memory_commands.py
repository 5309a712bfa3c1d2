"""The memory commands from end to end: real files, SQLite, the embedded index, HTTP on loopback."""

import errno
import json
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.users import user_key
from tests.support.chat_exports import claude
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Reply, Status, ToolCall
from tests.support.folders import contents

CANARY = "zq7canary"


def script(body: dict[str, Any]) -> Reply:
    """Answers by the last message; the critic finds the canary where it stands in an episode."""
    last = body["messages"][-1]["content"]
    if last == "Look it up.":
        return [ToolCall("recall_episodes", {"query": CANARY, "k": 1})]
    if last == "Break off.":
        return Status(400)
    prompt = "\n".join(str(message["content"]) for message in body["messages"])
    if "short profile of one user" not in prompt:
        return "Noted."
    shown = re.search(rf"(E\d+): the user asked: [^\n]*{CANARY}", prompt)
    evidence = [shown[1]] if shown else []
    change = {"statement": "new", "text": f"The user keeps a {CANARY}.", "evidence": evidence}
    return json.dumps({"changes": [change]})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> Iterator[Command]:
    with scripted_command(script, monkeypatch, capsys, home, PERSONAAGENT_SUMMARY_EVERY="0") as (
        command,
        _,
    ):
        yield command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    lines = [
        {"id": "tea", "query": "Which tea is mine?", "response": "Black", "ground_truth": "Green"},
        {"id": "dog", "query": "My dog is called Rex", "response": "Nice", "task": "pets"},
        {"id": "old", "query": "An old story", "response": "Yes", "created_at": "2001-02-03"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture
def imported(command: Command, file: Path) -> Command:
    result = command("memory", "import", str(file), "--user", "ann", "--json")
    assert result.data == {
        "added": 3,
        "skipped": 0,
        "forgotten": 0,
        "to_summarise": 3,
        "warnings": [],
        "left_out": 0,
        "problems": [],
        "messages_left_out": {},
        "cancelled": False,
    }
    assert result.err == ""
    return command


def files_with(home: Path, text: str) -> list[str]:
    """The files of the data folder that hold the text, or bear it in their names."""
    return [
        str(path)
        for path, held in contents(home).items()
        if text in str(path) or text.encode() in held
    ]


def test_import_says_what_it_did_and_adds_nothing_twice(imported: Command, file: Path) -> None:
    again = imported("memory", "import", str(file), "--user", "ann")
    assert (again.code, again.out) == (0, "0 episodes added, 3 were there already.\n")
    assert again.err == ""


def test_an_import_says_what_the_profile_has_not_read(command: Command, file: Path) -> None:
    first = command("memory", "import", str(file), "--user", "ann")
    assert "The profile has not read 3 episodes yet: `personaagent profile refresh`" in first.err
    assert command("memory", "import", str(file), "-u", "ann", "--json").data["to_summarise"] == 3


def test_a_chat_export_is_told_by_its_content(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "whatever.txt"
    path.write_text(json.dumps([claude("c", ("human", "One?"), ("assistant", "1"))]))
    assert command("memory", "import", str(path), "-u", "ann", "--json").data["added"] == 1


def test_errors_of_a_file_are_named_one_a_line(command: Command, file: Path, home: Path) -> None:
    file.write_text(file.read_text() + '\nnonsense\n{"query": "q"}\n')
    result = command("memory", "import", str(file), "-u", "ann", "--json")
    assert (result.code, result.out) == (5, "")
    first, second, last = result.err.splitlines()
    assert first.startswith("history.jsonl, line 4: is not valid JSON")
    assert second == "history.jsonl, line 5: response: Field required"
    assert last == (
        "Error: Nothing was imported: history.jsonl has 2 errors; "
        "correct the file and import it again."
    )
    assert command("memory", "list", "-u", "ann").code == 5


def test_list_is_newest_first_and_filtered(imported: Command) -> None:
    def ids(*options: str) -> list[str]:
        return [
            each["id"] for each in imported("memory", "list", "-u", "ann", "--json", *options).data
        ]

    assert ids() == ["dog", "tea", "old"]
    assert ids("--limit", "1") == ["dog"]
    assert ids("--task", "pets") == ["dog"]
    assert ids("--labelled") == ["tea"]
    assert "wanted: Green" in imported("memory", "list", "-u", "ann").out


def test_a_discarded_episode_can_be_kept(command: Command, file: Path) -> None:
    file.write_text('{"id": "cat", "query": "My cat is Tom.", "response": "Ok", "discarded": true}')
    command("memory", "import", str(file), "-u", "ann")
    assert " discarded" in command("memory", "list", "-u", "ann").out
    assert "discarded" in command("memory", "show", "cat", "-u", "ann").out
    assert command("memory", "keep", "cat", "-u", "ann").out == "Episode cat stands.\n"
    assert "discarded" not in command("memory", "show", "cat", "-u", "ann").out
    assert "discarded" not in command("memory", "export", "-u", "ann").out
    assert command("memory", "keep", "dog", "-u", "ann").code == 5


def test_one_episode_replaces_another_and_stands_again(imported: Command) -> None:
    def link(id: str) -> str | None:
        superseded_by: str | None = imported("memory", "show", id, "-u", "ann", "--json").data[
            "superseded_by"
        ]
        return superseded_by

    done = imported("memory", "supersede", "old", "--by", "dog", "-u", "ann")
    assert done.out == "Episode old is superseded by dog.\n"
    assert link("old") == "dog"
    assert "superseded by dog" in imported("memory", "list", "-u", "ann").out
    assert '"superseded_by":"dog"' in imported("memory", "export", "-u", "ann").out
    assert imported("memory", "supersede", "dog", "--by", "old", "-u", "ann").code == 2
    imported("memory", "supersede", "old", "--undo", "-u", "ann")
    assert link("old") is None
    assert "superseded" not in imported("memory", "export", "-u", "ann").out


def test_an_episode_is_not_recalled_for_a_question_that_it_is_irrelevant_to(
    imported: Command,
) -> None:
    question = "What is the name of my dog?"

    def found() -> list[str]:
        ids = imported("memory", "search", question, "-u", "ann", "--json").data
        return [each["id"] for each in ids]

    assert "dog" in found()
    done = imported("memory", "irrelevant", "dog", "--to", question, "-u", "ann")
    assert done.out == "Episode dog is not recalled for questions like it.\n"
    assert "dog" not in found()
    assert question in imported("memory", "show", "dog", "-u", "ann").out
    undone = imported("memory", "irrelevant", "dog", "--to", question, "--undo", "-u", "ann")
    assert undone.out == "Episode dog is recalled for it again.\n"
    assert "dog" in found()
    imported("memory", "irrelevant", "dog", "--to", question, "-u", "ann")
    assert "irrelevant to" in imported("undo", "--yes", "-u", "ann").out
    assert "dog" in found()
    assert imported("memory", "irrelevant", "nobody", "--to", question, "-u", "ann").code == 5


def test_search_recalls_and_show_shows(imported: Command) -> None:
    found = imported("memory", "search", "dog called", "-u", "ann", "--top-k", "1", "--json").data
    assert [each["id"] for each in found] == ["dog"]
    shown = imported("memory", "show", "tea", "-u", "ann", "--json").data
    assert (shown["signal"], shown["ground_truth"], shown["source"]) == ("edit", "Green", "import")
    assert "Which tea is mine?" in imported("memory", "show", "tea", "-u", "ann").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("search", "x"),
        ("show", "x"),
        ("export",),
        ("forget", "x"),
        ("forget", "--all", "--yes"),
        ("reindex",),
    ],
)
def test_a_user_without_memory_is_told_so(command: Command, arguments: tuple[str, ...]) -> None:
    result = command("memory", *arguments, "--user", "nobody")
    assert (result.code, result.out) == (5, "")
    assert "There is no memory of 'nobody'" in result.err


def test_what_is_exported_is_imported_as_it_was(imported: Command, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = imported("memory", "export", "-u", "ann", "--out", str(out))
    assert (result.code, result.out) == (0, "")
    assert "3 episodes written" in result.err
    assert imported("memory", "export", "-u", "ann").out == out.read_text()
    assert imported("memory", "import", str(out), "-u", "bob", "--json").data["added"] == 3
    assert imported("memory", "export", "-u", "bob").out == out.read_text()


def test_another_embedding_model_is_refused_until_reindex(
    imported: Command, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setenv("PERSONAAGENT_EMBEDDINGS", "openai:another")
    for arguments in (("search", "dog"), ("import", str(file))):
        refused = imported("memory", *arguments, "-u", "ann")
        assert refused.code == 3
        assert "memory reindex" in refused.err
    assert imported("memory", "reindex", "-u", "ann", "--json").data == {"indexed": 3}
    assert imported("memory", "search", "dog called", "-u", "ann", "--json").data[0]["id"] == "dog"


def test_forget_takes_everything_that_held_it_along(imported: Command, home: Path) -> None:
    told = imported("ask", f"Keep my {CANARY} safe", "-u", "ann", "--json").data["episode_id"]
    assert imported("profile", "refresh", "-u", "ann").code == 0
    assert told in imported("ask", "What is safe?", "-u", "ann", "--json").data["recalled"]
    added = imported("persona", "edit", "-u", "ann", "--add", "Be brief", "--json").data
    assert files_with(home, CANARY)

    receipt = imported("memory", "forget", told, "-u", "ann", "--json").data

    assert (receipt["episodes"], receipt["embeddings"]) == ([told], 1)
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
    told = imported("ask", f"Keep my {CANARY} safe", "-u", "ann", "--json").data["episode_id"]
    monkeypatch.setenv(variable, value)
    assert imported("ask", question, "-u", "ann", "--thread", "second").code == code
    receipt = imported("memory", "forget", told, "-u", "ann", "--json").data
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


def test_a_list_says_how_many_more_there_are(imported: Command) -> None:
    shown = imported("memory", "list", "-u", "ann", "--limit", "1")
    assert "Rex" in shown.out
    assert shown.err == "2 more: --limit 3 shows them too.\n"
    for whole in (("--limit", "3"), ("--limit", "1", "--json")):
        assert imported("memory", "list", "-u", "ann", *whole).err == ""


@pytest.mark.parametrize("path", ["missing.jsonl", "/proc/self/mem", "closed.jsonl"])
def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_code_5(
    path: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed.jsonl"
    closed.touch()
    access, opened = os.access, Path.open

    def refuse(file: Path, *arguments: Any, **options: Any) -> Any:
        if file == closed:  # whoever runs the tests may be root, to whom nothing is closed
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return opened(file, *arguments, **options)

    monkeypatch.setattr(
        os, "access", lambda file, mode: Path(file) != closed and access(file, mode)
    )
    monkeypatch.setattr(Path, "open", refuse)
    result = command("memory", "import", str(tmp_path / path), "-u", "ann")
    assert (result.code, result.out) == (5, "")
    assert re.fullmatch(r"Error: \S+ cannot be read: [^\n]+\.\n", result.err)


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


PEAK = """
    import asyncio, resource, sys
    from collections import deque
    from pathlib import Path
    from personaagent.core.settings import Settings
    from personaagent.local.agent import open_local
    from personaagent.memory.exchange.importer import import_episodes
    from personaagent.nodes.dependencies import Dependencies
    from tests.support.embedder import BagEmbedder

    async def main(folder):
        settings = Settings(home=folder / "home")
        embedder = BagEmbedder()
        embedder.texts = deque(maxlen=1)
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            memory = agent.memory("u")
            await import_episodes(memory, folder / "given.jsonl")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

    asyncio.run(main(Path(sys.argv[1])))
"""


def peak_megabytes(folder: Path, lines: int) -> int:
    folder.mkdir()
    with (folder / "given.jsonl").open("w") as file:
        for number in range(lines):
            file.write(
                json.dumps({"query": f"question {number}", "response": "word " * 5000}) + "\n"
            )
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PEAK), str(folder)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONPATH": ""},
    )
    return int(done.stdout)


def test_a_file_larger_by_far_takes_no_more_memory(tmp_path: Path) -> None:
    small = peak_megabytes(tmp_path / "small", 400)
    large = peak_megabytes(tmp_path / "large", 2400)
    assert large - small < 20  # the files: 10 and 60 MB
