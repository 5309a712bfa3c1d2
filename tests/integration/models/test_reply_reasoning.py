"""Reasoning in a reply, however it is marked, over real HTTP: no part of the message, nor sent again."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from tests.support.endpoint import Raw, scripted_endpoint
from tests.support.oslo_question import ASKS, SAID, THOUGHT, answer, ask
from tests.support.replies import both, texts

THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
REASONED = {
    "tags": both(
        {"content": f"<think>\n{THOUGHT}\n</think>\n\n{SAID}"},
        texts("<thi", "nk>\n", THOUGHT, "\n</", "think>\n\nIn ", "Norway."),
    ),
    "no opening tag": both(
        {"content": f"{THOUGHT}\n</think>\n\n{SAID}"}, texts(THOUGHT, "\n</think>", "\n\n", SAID)
    ),
    "DeepSeek, llama.cpp": both(
        {"content": SAID, "reasoning_content": THOUGHT},
        [{"content": None, "reasoning_content": THOUGHT}, {"content": SAID}],
    ),
    "OpenRouter, Ollama": both(
        {"content": SAID, "reasoning": THOUGHT},
        [{"content": "", "reasoning": THOUGHT}, {"content": SAID, "reasoning": None}],
    ),
    "vLLM in both fields": both(
        {"content": SAID, "reasoning": THOUGHT, "reasoning_content": THOUGHT},
        [{"reasoning": THOUGHT, "reasoning_content": THOUGHT}, {"content": SAID}],
    ),
    "Mistral": both(
        {"content": [THINKING, {"type": "text", "text": SAID}]},
        [
            {"content": [THINKING]},
            {"content": [{"type": "text", "text": "In "}]},
            *texts("Norway."),
        ],
    ),
    "Gemini": both(
        {"content": f"<thought>{THOUGHT}</thought>{SAID}"},
        texts(f"<thought>{THOUGHT}", f"</thought>{SAID}"),
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("reply", REASONED.values(), ids=REASONED)
async def test_reasoning_is_no_part_of_the_message(reply: dict[bool, Raw], stream: bool) -> None:
    message = await answer(reply[stream], stream=stream)

    assert message.content == SAID
    assert THOUGHT not in message.model_dump_json()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_about_the_tags_keeps_them(stream: bool) -> None:
    says = "Write </think> at its end."
    reply = both({"content": f"<think>Tags?</think>{says}"}, texts("<think>Tags?</think>", says))
    assert (await answer(reply[stream], stream=stream)).text == says


async def test_reasoning_in_earlier_answers_is_not_sent_again() -> None:
    earlier = [*ASKS, AIMessage(f"<think>{THOUGHT}</think>{SAID}"), HumanMessage("And Rome?")]
    with scripted_endpoint(lambda body: "In Italy.") as endpoint:
        await ask(endpoint, stream=False, messages=earlier)

    assert [m["content"] for m in endpoint.requests[0].body["messages"]] == [
        "Where is Oslo?",
        SAID,
        "And Rome?",
    ]
