"""Episodes through the memory commands, end to end: listed, found, shown, marked and indexed anew."""

from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.memory_commands import command, file, home, imported

__all__ = ["command", "file", "home", "imported"]  # fixtures, by name


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


def test_a_list_says_how_many_more_there_are(imported: Command) -> None:
    shown = imported("memory", "list", "-u", "ann", "--limit", "1")
    assert "Rex" in shown.out
    assert shown.err == "2 more: --limit 3 shows them too.\n"
    for whole in (("--limit", "3"), ("--limit", "1", "--json")):
        assert imported("memory", "list", "-u", "ann", *whole).err == ""


def test_search_recalls_and_show_shows(imported: Command) -> None:
    recalled = imported(
        "memory", "search", "dog called", "-u", "ann", "--top-k", "1", "--json"
    ).data
    assert [each["id"] for each in recalled] == ["dog"]
    shown = imported("memory", "show", "tea", "-u", "ann", "--json").data
    assert (shown["signal"], shown["ground_truth"], shown["source"]) == ("edit", "Green", "import")
    assert "Which tea is mine?" in imported("memory", "show", "tea", "-u", "ann").out


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
