"""LangGraph's JavaScript SDK under Node, against the development server: what a chat page sees."""

from typing import Any

import pytest

from tests.support.javascript import need_node, run_program
from tests.support.server import Server

REX = "Your dog is called Rex."


@pytest.fixture(scope="module")
def saw(request: pytest.FixtureRequest) -> Any:
    """What the program saw."""
    need_node()
    server: Server = request.getfixturevalue("token_server")
    return run_program("conversation.mjs", SERVER=server.url, TOKEN=server.token("javascript"))


def test_answers_carry_their_episodes_in_the_state(saw: Any) -> None:
    answers = saw["chosen"]["answers"]
    assert [each["text"] for each in answers] == ["I do not know.", REX, "Rex"]
    episodes = [each["episode"] for each in answers]
    assert all(episodes)
    assert len(set(episodes)) == 3


@pytest.mark.parametrize("turn", ["told", "asked", "chosen"])
def test_pieces_join_to_the_answer_with_its_episode(saw: Any, turn: str) -> None:
    assert saw[turn]["streamed"] == saw[turn]["answers"][-1]


def test_an_incognito_answer_has_no_episode(saw: Any) -> None:
    assert saw["secret"]["streamed"] == {"text": REX, "episode": None}
    assert saw["secret"]["answers"][-1]["episode"] is None


def test_the_newer_protocol_names_the_episode_beside_the_messages(saw: Any) -> None:
    assert saw["anew"]["stored"]
    assert saw["anew"]["streamed"] == saw["anew"]["stored"]


def test_the_first_question_is_the_title_until_it_is_renamed(saw: Any) -> None:
    assert (saw["titled"], saw["renamed"]) == ("My dog is called Rex.", "My dog")
    assert saw["found"] == [True]


def test_feedback_goes_through_the_sdk(saw: Any) -> None:
    corrected = saw["corrected"]
    assert corrected["id"] == saw["asked"]["streamed"]["episode"]
    assert (corrected["signal"], corrected["ground_truth"]) == ("edit", "Rex, of course.")
    assert "404" in saw["refused"]
