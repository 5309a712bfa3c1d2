"""``persona scorecard`` from end to end: real files, and a scripted endpoint that reads its prompt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Endpoint, Reply

ROOMS = ("kitchen", "bedroom", "hall", "studio")
RULE = "Answer blue."


def script(body: dict[str, Any]) -> Reply:
    """Red, but blue where a rule says so, or where a plain prompt says that it was right."""
    system = body["messages"][0]["content"]
    blue = RULE in system if "<persona>" in system else "right answer: blue" in system
    return "blue" if blue else "red"


def lines(start: int, year: int) -> str:
    return "\n".join(
        json.dumps(
            {
                "id": f"e{number}",
                "query": f"Paint for the {room} in {year}?",
                "response": "red",
                "ground_truth": "blue",
                "task": "colour",
                "created_at": f"{year}-01-0{number}",
            }
        )
        for number, room in enumerate(ROOMS, start)
    )


@pytest.fixture
def learned(command: Command, tmp_path: Path) -> Command:
    """Four rooms of long ago, then a new rule, then four rooms that are yet to come."""
    for start, year in ((1, 2001), (5, 2101)):
        file = tmp_path / f"{year}.jsonl"
        file.write_text(lines(start, year))
        assert command("memory", "import", str(file), "--user", "ann").code == 0
        if start == 1:
            assert command("persona", "edit", "--add", RULE, "--user", "ann").code == 0
    return command


def test_the_scorecard_as_json_with_a_picture(
    learned: Command, endpoint: Endpoint, tmp_path: Path
) -> None:
    file = tmp_path / "card.png"
    result = learned("persona", "scorecard", "-u", "ann", "--json", "--picture", str(file))
    assert result.code == 0, result.err
    assert result.err == f"The picture is in {file}.\n"
    assert file.read_bytes().startswith(b"\x89PNG\r\n")
    card = result.data
    assert set(card) == {
        *("user_id", "episodes", "means", "usage", "warnings", "helped", "calibration"),
    }
    assert [(each["id"], each["version"]) for each in card["episodes"]] == [
        *((f"e{number}", 1) for number in range(1, 5)),
        *((f"e{number}", 2) for number in range(5, 9)),
    ]
    assert card["episodes"][0] == {
        "id": "e1",
        "task": "colour",
        "at": "2001-01-01T00:00:00Z",
        "version": 1,
        "losses": {"none": 1, "rag": 1, "initial": 1, "then": 1},
        "now": 0,
    }
    assert card["episodes"][4]["losses"] == {"none": 1, "rag": 0, "initial": 1, "then": 0}
    means = {name: mean["loss"]["mean"] for name, mean in card["means"].items()}
    assert means == {"none": 1, "rag": 1 / 8, "initial": 1, "then": 1 / 2}
    assert card["means"]["then"]["to_none"]["mean"] == -1 / 2
    assert card["usage"]["llm_calls"] == len(asked(endpoint)) == 4 * (3 + 1) + 4 * 4
    assert card["usage"]["cached"] == 0


def test_the_scorecard_as_a_table(learned: Command, endpoint: Endpoint) -> None:
    learned("persona", "scorecard", "--user", "ann", "--limit", "2", "--json")
    paid = len(asked(endpoint))
    result = learned("persona", "scorecard", "--user", "ann", "--limit", "2")
    assert (result.code, result.err) == (0, "")
    assert len(asked(endpoint)) == paid == 2 * 4
    shown = [re.split(r"\s{2,}", line.strip()) for line in result.out.splitlines()]
    assert shown == [
        [
            "Tested before trained: ann, 2 episodes, 2101-01-07 (version 2) to 2101-01-08 (version 2)"
        ],
        [
            "Has it helped? Too few questions to be certain: of 2 questions that version 2 was not "
            "learned from (2 newer than it), 2 got better and 0 worse than with the initial persona."
        ],
        ["mean loss", "95% interval", "against none, in pairs"],
        ["no persona, no memory", "1.000", "[1.000, 1.000]"],
        ["plain RAG", "0.000", "[0.000, 0.000]", "-1.000 [-1.000, -1.000]"],
        ["initial persona", "1.000", "[1.000, 1.000]", "+0.000 [+0.000, +0.000]"],
        ["persona of that time", "0.000", "[0.000, 0.000]", "-1.000 [-1.000, -1.000]"],
        ["mean loss so far, from 0.000 to 1.000"],
        ["no persona, no memory", "██"],
        ["plain RAG", "▁▁"],
        ["initial persona", "██"],
        ["persona of that time", "▁▁"],
        [
            "8 simulations were paid for earlier; the rest took 0 model calls, "
            "0 input and 0 output tokens."
        ],
    ]


def test_one_sentence_where_there_is_nothing_to_test(command: Command) -> None:
    unknown = command("persona", "scorecard", "--user", "nobody")
    assert (unknown.code, unknown.out) == (5, "")
    assert unknown.err.startswith("Error: There is no memory of 'nobody'")
    assert command("ask", "Which paint?", "--user", "ann").code == 0
    unlabelled = command("persona", "scorecard", "--user", "ann")
    assert (unlabelled.code, unlabelled.out) == (5, "")
    assert unlabelled.err.startswith("Error: No episode of 'ann' says what they wanted")
    assert len(unlabelled.err.splitlines()) == 1


def asked(endpoint: Endpoint) -> list[Any]:
    """The calls of a chat model."""
    return [each for each in endpoint.requests if each.path.endswith("/chat/completions")]
