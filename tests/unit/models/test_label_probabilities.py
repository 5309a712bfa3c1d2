"""The model's own probability of each answer: how log-probabilities are read, and asked for."""

import json
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from personaagent.core.errors import ModelError
from personaagent.models.chat import connect
from personaagent.models.endpoint_memory import EndpointMemory
from personaagent.models.invoke import invoke_model
from personaagent.models.label_probabilities import (
    READ,
    answer_probabilities,
    with_logprobs,
    without_logprobs,
)
from personaagent.models.structured_tools import StructuredToolsModel
from tests.support.endpoint import Endpoint, Raw, Reply, Status, scripted_endpoint

Likeliest = dict[str, float]
TAGS = ["comedy", "sci-fi", "dark comedy"]


def wrote(*positions: tuple[str, Likeliest]) -> AIMessage:
    """A message of these tokens, each with the likeliest tokens of its position."""
    text = "".join(token for token, _ in positions)
    return AIMessage(text, response_metadata={"logprobs": logprobs(*positions)})


def logprobs(*positions: tuple[str, Likeliest]) -> dict[str, Any]:
    return {
        "content": [
            entry(token, likeliest.get(token, 1e-9))
            | {"top_logprobs": [entry(*each) for each in likeliest.items()]}
            for token, likeliest in positions
        ]
    }


def entry(token: str, probability: float) -> dict[str, Any]:
    """A token as endpoints show it; half a letter is written as its byte, ``\\udc..``."""
    raw = token.encode("utf-8", "surrogateescape")
    shown = raw.decode("utf-8", "replace")
    return {"token": shown, "bytes": [*raw], "logprob": math.log(probability)}


def of(message: AIMessage, answers: list[str]) -> dict[str, float]:
    probabilities = answer_probabilities(message, answers)
    assert probabilities is not None
    assert sum(probabilities.values()) == pytest.approx(1)
    return {answer: round(probability, 3) for answer, probability in probabilities.items()}


def test_spellings_of_an_answer_add_up_and_the_answers_are_normalised() -> None:
    first = {"Com": 0.2, " comedy": 0.1, "sci": 0.3, "dark": 0.2, "The": 0.2}
    message = wrote(("Com", first), ("edy", {"edy": 1.0}))
    assert of(message, TAGS) == {"comedy": 0.375, "sci-fi": 0.375, "dark comedy": 0.25}


@pytest.mark.parametrize("before", ["[", '"', "\n", "**", " [", "`"])
def test_what_stands_around_an_answer_is_looked_through(before: str) -> None:
    message = wrote((before, {before: 0.8, "2": 0.2}), ("1", {"1": 0.5, "2": 0.5}))
    assert of(message, ["[1]", "[2]"]) == {"[1]": 0.4, "[2]": 0.6}


def test_answers_that_begin_alike_are_told_apart_where_the_path_makes_them_differ() -> None:
    message = wrote(
        ("social", {"social": 0.6, "comedy": 0.4}),
        (" media", {" media": 0.75, " commentary": 0.25}),
    )
    answers = ["social commentary", "social media", "comedy"]
    assert list(of(message, answers).values()) == [0.15, 0.45, 0.4]


def test_answers_that_begin_alike_off_the_path_share_evenly() -> None:
    message = wrote(("comedy", {"comedy": 0.6, "so": 0.4}), ("", {"": 1.0}))
    answers = ["social commentary", "social media", "comedy"]
    assert list(of(message, answers).values()) == [0.2, 0.2, 0.6]


@pytest.mark.parametrize(("written", "most"), [("0", "10"), (".", "1"), ("", "1")])
def test_one_is_told_from_ten(written: str, most: str) -> None:
    after = {"0": 0.1, ".": 0.05, "": 0.05, written: 0.8}
    message = wrote(("1", {"1": 0.9, "2": 0.1}), (written, after))
    found = of(message, ["1", "2", "10"])
    assert max(found, key=lambda answer: found[answer]) == most


def test_an_answer_that_ends_the_text_is_that_answer_though_another_begins_with_it() -> None:
    found = of(wrote(("1", {"1": 0.9, "2": 0.1})), ["1", "2", "10"])
    assert found["1"] == pytest.approx(0.9, abs=0.01)
    assert found["10"] < 0.01


def test_an_answer_below_the_likeliest_tokens_gets_no_more_than_the_least_of_them() -> None:
    message = wrote(("comedy", {"comedy": 0.9, "sci": 0.04}))
    assert of(message, TAGS)["dark comedy"] == pytest.approx(0.04, abs=0.01)


def test_an_answer_after_a_lead_in_counts_where_it_begins() -> None:
    lead = [(word, {word: 1.0}) for word in ("The", " answer", " is", " ")]
    message = wrote(*lead, ("4", {"4": 0.7, "5": 0.3}))
    assert of(message, ["4", "5"]) == {"4": 0.7, "5": 0.3}


@pytest.mark.parametrize(
    "words",
    [
        ["Emma", " is", " a", " novel"],  # " a" begins "action"
        ["A", " robot", " falls"],
        ["I", " do", " not", " know"],
    ],
)
def test_a_text_that_holds_no_answer_has_no_probabilities(words: list[str]) -> None:
    message = wrote(*((word, {word: 0.99, "sci": 0.01}) for word in words))
    assert answer_probabilities(message, ["action", "sci-fi"]) is None


def test_the_article_is_not_the_option_a() -> None:
    message = wrote(("It", {"It": 1.0}), (" is", {" is": 1.0}), (" a", {" a": 0.9, " b": 0.1}))
    assert answer_probabilities(message, ["A", "B"]) is None


def test_letters_written_in_halves_are_put_together() -> None:
    comedy, drama = "комедия", "драма"
    halves = [bytes([byte]).decode("utf-8", "surrogateescape") for byte in "к".encode()]
    message = wrote(
        (halves[0], {halves[0]: 0.8, "драма": 0.2}),
        (halves[1], {halves[1]: 1.0}),
        ("омедия", {"омедия": 1.0}),
    )
    assert of(message, [comedy, drama]) == {comedy: 0.8, drama: 0.2}


def test_half_a_letter_begins_only_the_answers_that_have_it() -> None:
    half = "к".encode()[:1].decode("utf-8", "surrogateescape")
    message = wrote(("comedy", {"comedy": 0.8, half: 0.2}))
    assert of(message, ["comedy", "комедия"]) == {"comedy": 0.8, "комедия": 0.2}


def test_a_bracket_that_was_not_written_says_nothing() -> None:
    message = wrote(("1", {"1": 0.45, "[": 0.5, "2": 0.05}))
    assert of(message, ["[1]", "[2]"]) == {"[1]": 0.9, "[2]": 0.1}


@pytest.mark.parametrize("metadata", [{}, {"logprobs": None}, {"logprobs": {"content": None}}])
def test_without_log_probabilities_there_are_none(metadata: dict[str, Any]) -> None:
    assert answer_probabilities(AIMessage("4", response_metadata=metadata), ["4", "5"]) is None


def test_what_is_kept_of_a_message_can_leave_them_out() -> None:
    message = wrote(("4", {"4": 1.0}))
    assert "logprobs" not in without_logprobs(message).response_metadata
    assert without_logprobs(message).text == "4"


def test_a_model_that_knows_no_log_probabilities_stays_as_it_is() -> None:
    model = FakeListChatModel(responses=["4"])
    assert with_logprobs(model) is model


names = count()


async def asked(
    endpoint: Endpoint,
    name: str,
    *,
    memory: EndpointMemory | None = None,
    json_tools: bool = False,
    stream: bool = False,
    nothing_else: bool = False,
) -> AIMessage:
    """What the model ``name`` says, asked for log-probabilities, with a tool to choose."""
    model: Any = connect(name, endpoint.base_url, "none", timeout=10, retries=0, memory=memory)
    if stream:
        model = model.model_copy(update={"streaming": True})
    wrapped = StructuredToolsModel(model=model) if json_tools else model
    tools = [search] if json_tools else None
    try:
        return await invoke_model(
            with_logprobs(wrapped, nothing_else=nothing_else),
            [HumanMessage("Stars?")],
            role="actor",
            tools=tools,
        )
    finally:
        await model.root_async_client.close()


@tool
def search(query: str) -> str:
    """Look up facts."""
    return query


def completion(body: dict[str, Any]) -> Raw:
    """The answer "4", with log-probabilities if they were asked for, streamed or not."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    if body.get("logprobs"):
        choice["logprobs"] = logprobs(("4", {"4": 0.75, "5": 0.25}))
    envelope = {"id": "c", "created": 1, "model": body["model"]}
    said = {"role": "assistant", "content": "4"}
    if body.get("stream"):
        chunk = envelope | {
            "object": "chat.completion.chunk",
            "choices": [choice | {"delta": said}],
        }
        return Raw(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n", "text/event-stream")
    whole = envelope | {"object": "chat.completion", "choices": [choice | {"message": said}]}
    return Raw(json.dumps(whole))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("json_tools", [False, True])
async def test_an_answer_carries_them_streamed_or_not(json_tools: bool, stream: bool) -> None:
    with scripted_endpoint(_chooses_to_answer) as endpoint:
        message = await asked(endpoint, f"m{next(names)}", json_tools=json_tools, stream=stream)
    assert of(message, ["4", "5"]) == {"4": 0.75, "5": 0.25}
    *choices, answer = [request.body for request in endpoint.requests]
    assert (answer["logprobs"], answer["top_logprobs"]) == (True, 20)
    assert len(choices) == json_tools
    assert all("logprobs" not in choice for choice in choices)


def _chooses_to_answer(body: dict[str, Any]) -> Reply:
    return '{"action": "answer"}' if "response_format" in body else completion(body)


def shows_at_most(most: int, message: str, status: int = 400) -> Callable[[dict[str, Any]], Reply]:
    def respond(body: dict[str, Any]) -> Reply:
        if "response_format" in body:
            return '{"action": "answer"}'
        return Status(status, message) if body.get("top_logprobs", 0) > most else completion(body)

    return respond


@pytest.mark.parametrize("json_tools", [False, True])
@pytest.mark.parametrize(
    ("most", "message", "status"),
    [
        (5, "top_logprobs must be between 0 and 5", 400),
        (0, "logprobs is not supported with this model", 400),
        (0, "extra fields not permitted: body.logprobs", 422),
    ],
)
async def test_what_an_endpoint_refuses_is_left_out_and_not_asked_for_again(
    most: int, message: str, status: int, json_tools: bool
) -> None:
    name, memory = f"m{next(names)}", EndpointMemory()
    with scripted_endpoint(shows_at_most(most, message, status)) as endpoint:
        replies = [
            await asked(endpoint, name, memory=memory, json_tools=json_tools) for _ in range(2)
        ]
        refused = [r for r in endpoint.requests if r.body.get("top_logprobs", 0) > most]
        assert len(refused) == (1 if most else 2)  # 20, and then 5
        await asked(endpoint, f"m{next(names)}")
        assert endpoint.requests[-1].body.get("top_logprobs", 0) == most
        assert "top_logprobs" in refused[-1].body
    assert [reply.text for reply in replies] == ["4", "4"]
    assert all(bool(answer_probabilities(r, ["4", "5"])) == bool(most) for r in replies)


async def test_another_refusal_remains_an_error() -> None:
    with scripted_endpoint(lambda body: Status(400, "no such thing")) as endpoint:
        with pytest.raises(ModelError, match="no such thing"):
            await asked(endpoint, f"m{next(names)}")
        assert len(endpoint.requests) == 1


async def test_what_another_error_quotes_is_no_refusal() -> None:
    """It quotes the request, but fails without log-probabilities as well; the next asks for them."""
    name, memory = f"m{next(names)}", EndpointMemory()
    failures = 3  # asked for 20, for 5, for none

    def respond(body: dict[str, Any]) -> Reply:
        failed = len(endpoint.requests) <= failures
        return Status(422, "it cannot be: {..., 'logprobs': true}") if failed else completion(body)

    with scripted_endpoint(respond) as endpoint:
        with pytest.raises(ModelError, match="it cannot be"):
            await asked(endpoint, name, memory=memory)
        reply = await asked(endpoint, name, memory=memory)
        assert answer_probabilities(reply, ["4", "5"]) is not None
    assert [r.body.get("top_logprobs", 0) for r in endpoint.requests] == [20, 5, 0, 20]


async def test_an_answer_of_which_only_probabilities_count_ends_where_they_are_read() -> None:
    with scripted_endpoint(completion) as endpoint:
        counted = await asked(endpoint, "brief", nothing_else=True)
        whole = await asked(endpoint, "brief")
    assert of(counted, ["4", "5"]) == of(whole, ["4", "5"]) == {"4": 0.75, "5": 0.25}
    limits = [request.body.get("max_completion_tokens") for request in endpoint.requests]
    assert limits == [READ, None]
