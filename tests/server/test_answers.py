"""Possible answers in the context of a run: the question is closed, and its decision is in the state."""

from collections.abc import AsyncIterator

import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.our_routes import ask
from tests.support.server import Server

DOGS = ["Fido", "Rex"]


@pytest.fixture
async def sdk(token_server: Server) -> AsyncIterator[LangGraphClient]:
    async with token_server.sdk("chooser") as sdk:
        yield sdk


async def test_a_caller_names_the_possible_answers(sdk: LangGraphClient) -> None:
    await ask(sdk, "My dog is called Rex.")
    told = await ask(sdk, "What is my dog called?", answers=DOGS)
    decision = told["decision"]
    assert (decision["question"]["answers"], decision["answer"]) == (DOGS, "Rex")
    assert decision["probabilities"]["Rex"] > 0.5 > decision["probabilities"]["Fido"]
    assert told["messages"][-1]["content"] == "Rex"
    again = await ask(sdk, "What is my dog called?")
    assert again["decision"] is None, "the answers hold for one run"
    assert again["messages"][-1]["content"] == "Your dog is called Rex."


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (["Rex"], "Give at least two possible answers"),
        (["Rex", "rex"], "Two of the possible answers are the same"),
    ],
)
async def test_answers_that_are_no_choice_end_the_run_with_the_reason(
    sdk: LangGraphClient, answers: list[str], why: str
) -> None:
    with pytest.raises(Exception, match=why):
        await ask(sdk, "What is my cat called?", answers=answers)
