"""What a model sends, through the command: what is shown, remembered, marked and sent again."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import Command, scripted_command
from tests.support.endpoint import Cut, Endpoint, Reply
from tests.support.replies import streamed, texts

THOUGHT = "The user lives there."


@pytest.fixture
def ask(monkeypatch, capsys, tmp_path) -> Any:
    """Runs commands against a script, on one data folder."""

    def run(script: Any, **variables: str) -> Any:
        return scripted_command(script, monkeypatch, capsys, tmp_path / "home", **variables)

    return run


def episodes(command: Command) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = command("memory", "list", "-u", "ann", "--json").data
    return data


def conversations(endpoint: Endpoint) -> Iterator[str]:
    for request in endpoint.requests:
        if "messages" in request.body:
            yield str(request.body["messages"])


@pytest.mark.parametrize(
    "deltas",
    [
        texts("<think>", THOUGHT, "</think>", "In ", "Oslo."),
        texts(THOUGHT, "</think>\n\n", "In ", "Oslo."),
        [{"reasoning_content": THOUGHT}, *texts("In ", "Oslo.")],
    ],
    ids=["tags", "no opening tag", "beside"],
)
def test_reasoning_is_not_shown_remembered_or_sent_again(deltas: Any, ask) -> None:
    with ask(lambda body: streamed(*deltas)) as (command, endpoint):
        first = command("ask", "Where is my home?", "-u", "ann", "--thread", "t")
        command("ask", "And my job?", "-u", "ann", "--thread", "t")
        kept = episodes(command)
        sent = [*conversations(endpoint)]

    assert (first.code, first.out) == (0, "In Oslo.\n")
    assert THOUGHT not in first.err
    assert {episode["response"] for episode in kept} == {"In Oslo."}
    assert len(sent) == 2
    assert "In Oslo." in sent[1]
    assert THOUGHT not in "".join(sent)


def test_reasoning_is_shown_when_asked_for(ask) -> None:
    reply = streamed({"reasoning": THOUGHT}, *texts("In ", "Oslo."))
    with ask(lambda body: reply) as (command, _):
        shown = command("ask", "Where is my home?", "-u", "ann", "--reasoning")
        document = command("ask", "Where is my home?", "-u", "ann", "--reasoning", "--json").data
        kept = episodes(command)

    assert shown.out == "In Oslo.\n"
    assert THOUGHT in shown.err
    assert (document["reply"], document["reasoning"]) == ("In Oslo.", THOUGHT)
    assert THOUGHT not in str(kept)


def test_an_answer_that_broke_off_and_was_asked_again_is_shown_and_remembered_once(ask) -> None:
    replies: list[Reply] = [Cut("You live in"), "You live in Oslo."]
    with ask(lambda body: replies.pop(0), PERSONAAGENT_MODEL_RETRIES="1") as (command, _):
        result = command("ask", "Where is my home?", "-u", "ann")
        [kept] = episodes(command)

    assert (result.code, result.out, result.err) == (0, "You live in Oslo.\n", "")
    assert kept["response"] == "You live in Oslo."


@pytest.mark.parametrize(
    ("finish", "told", "mark"),
    [
        ("length", "cut off at the model's token limit", "length"),
        ("content_filter", "content filter ended the answer early", "filtered"),
        (None, "did not say why the answer ended", "unknown"),
        ("stop", None, None),
    ],
)
def test_an_answer_that_may_not_be_whole_is_told_and_marked(
    finish: str | None, told: str | None, mark: str | None, ask
) -> None:
    with ask(lambda body: streamed(*texts("In ", "Oslo."), finish=finish)) as (command, _):
        answer = command("ask", "Where is my home?", "-u", "ann", "--json").data
        [kept] = episodes(command)

    assert answer["reply"] == "In Oslo."
    assert [told in warning for warning in answer["warnings"]] == ([True] if told else [])
    assert kept["metadata"].get("ended") == mark
