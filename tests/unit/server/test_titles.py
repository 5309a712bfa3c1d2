"""What of a request becomes a title."""

import json
from typing import Any

import pytest

from personaagent.server.titles import STARTS_RUN, TITLE_CHARS, _question_in, title_of

THREAD = "5f0ec8a1-26d4-4a42-9c2a-2f4fd39df2f3"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Hello?", "Hello?"),
        ("  one\n\ttwo  ", "one two"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("word " * 40, ("word " * 11).strip() + " …"),
    ],
    ids=["short", "lines", "control", "long"],
)
def test_a_title_is_one_short_line(question: str, title: str) -> None:
    assert title_of(question) == title
    assert len(title) <= TITLE_CHARS


def human(content: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("run", "question"),
    [
        ({"input": {"messages": [human("Hi"), human("there")]}}, "Hi"),
        ({"input": {"messages": human("Hi")}}, "Hi"),
        ({"input": {"messages": "Hi"}}, "Hi"),
        ({"input": {"messages": [{"type": "human", "content": "Hi"}]}}, "Hi"),
        ({"input": {"messages": [human("Be brief.", "system"), human("Hi")]}}, "Hi"),
        ({"input": {"messages": [human([PICTURE]), human("Hi")]}}, "Hi"),
        ({"method": "run.start", "params": {"input": {"messages": [human("Hi")]}}}, "Hi"),
        ({"input": {"messages": [human([PICTURE])]}}, ""),
        ({"input": {"messages": [human("Hi")]}, "context": {"incognito": True}}, ""),
        (
            {
                "input": {"messages": [human("Hi")]},
                "config": {"configurable": {"incognito": True}},
            },
            "",
        ),
        ({"input": {"messages": [{"nobody": 1}]}}, ""),
        ({"input": {"messages": 7}}, ""),
        ({"input": None, "context": None}, ""),
        ({"input": {"trigger": "request"}}, ""),
        ([], ""),
    ],
    ids=str,
)
def test_the_question_is_the_first_text_of_the_user(run: Any, question: str) -> None:
    assert _question_in(json.dumps(run).encode()) == question


def test_what_is_no_json_has_no_question() -> None:
    assert _question_in(b"\xff{") == ""


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        (f"/threads/{THREAD}/runs", True),
        (f"/threads/{THREAD}/runs/stream", True),
        (f"/threads/{THREAD}/runs/wait", True),
        (f"/threads/{THREAD}/commands", True),
        (f"/threads/{THREAD}/runs/crons", False),
        (f"/threads/{THREAD}/state", False),
        ("/runs/stream", False),
        ("/me/episodes", False),
    ],
)
def test_only_questions_on_threads_give_titles(path: str, starts: bool) -> None:
    assert (STARTS_RUN.fullmatch(path) is not None) is starts
