"""Reasoning written into a reply is no part of the answer, wherever the pieces are cut."""

import pytest

from personaagent.models.reasoning import ReasoningSplitter, split_reasoning, without_reasoning

REPLIES = {
    "before the answer": ("<think>\nOslo? Yes.\n</think>\n\nIn Norway.", "In Norway."),
    "no opening tag": ("Oslo? Yes.\n</think>\n\nIn Norway.", "In Norway."),
    "no opening tag, one line": ("Oslo? Yes.</think>In Norway.", "In Norway."),
    "empty": ("<think>\n\n</think>\n\nIn Norway.", "In Norway."),
    "only an end": ("</think>\n\nIn Norway.", "In Norway."),
    "space before": ("\n <think>Oslo.</think> In Norway.", "In Norway."),
    "twice": ("<think>Oslo.</think>\n<think>Norway.</think>In Norway.", "In Norway."),
    "capitals": ("<Think>Oslo.</THINK>In Norway.", "In Norway."),
    "another name": ("<thinking>Oslo.</thinking>In Norway.", "In Norway."),
    "Gemini": ("<thought>Oslo.</thought>In Norway.", "In Norway."),
    "Magistral": ("[THINK]Oslo.[/THINK]In Norway.", "In Norway."),
    "Kimi": ("◁think▷Oslo.◁/think▷In Norway.", "In Norway."),
    "Seed": ("<seed:think>Oslo.</seed:think>In Norway.", "In Norway."),
    "gpt-oss": (
        "<|channel|>analysis<|message|>Oslo.<|end|><|start|>assistant"
        "<|channel|>final<|message|>In Norway.",
        "In Norway.",
    ),
    "Command A": (
        "<|START_THINKING|>Oslo.<|END_THINKING|><|START_RESPONSE|>In Norway.<|END_RESPONSE|>",
        "In Norway.",
    ),
    "Hunyuan": ("<think>Oslo.</think>\n<answer>\nIn Norway.\n</answer>", "In Norway."),
    "amid the answer": (
        "In Norway.\n<think>Say more?</think>\nIt is cold there.",
        "In Norway.\nIt is cold there.",
    ),
    "never ends": ("<think>Oslo? It might be", ""),
    "a tag is quoted": ("Write `</think>` after it.", "Write `</think>` after it."),
    "code": ("```\n<think>\nx\n</think>\n```\nDone.", "```\n<think>\nx\n</think>\n```\nDone."),
    "a tag amid a line": ("The tag <think> begins it.", "The tag <think> begins it."),
    "a tag that never ends": ("It begins:\n<think>\nso.", "It begins:\n<think>\nso."),
    "markup": ("<b>In</b> Norway < Sweden </b>", "<b>In</b> Norway < Sweden </b>"),
    "plain": (" In Norway.\n", " In Norway.\n"),
    "letters that grow in lower case": ("İİİ</think>In Norway.", "In Norway."),
}


@pytest.mark.parametrize(("reply", "answer"), REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_answer_is_what_stands_outside(reply: str, answer: str, size: int) -> None:
    splitter, shown = ReasoningSplitter(), ""
    for start in range(0, len(reply), size):
        piece = splitter.feed(reply[start : start + size])
        shown = piece.answer if piece.taken_back else shown + piece.answer
    shown += splitter.end().answer

    assert shown == answer
    assert without_reasoning(reply) == answer


def test_the_reasoning_is_kept_apart() -> None:
    piece = split_reasoning("<think>Oslo? Yes.</think>In Norway.")
    assert (piece.reasoning, piece.answer) == ("Oslo? Yes.", "In Norway.")


@pytest.mark.parametrize("opening", ["", "<think>"])
def test_a_model_whose_prompt_opens_the_block_shows_nothing_before_its_end(opening: str) -> None:
    splitter = ReasoningSplitter(opened=True)
    shown = [
        splitter.feed(piece) for piece in (opening, "Oslo? ", "Yes.</thi", "nk>In ", "Norway.")
    ]

    assert not any(piece.taken_back for piece in shown)
    assert "".join(piece.answer for piece in shown) + splitter.end().answer == "In Norway."


def test_such_a_model_may_answer_at_once_or_be_cut_while_it_reasons() -> None:
    answers, reasons = ReasoningSplitter(opened=True), ReasoningSplitter(opened=True)
    answers.feed("In Norway.")
    reasons.feed("Oslo? It might")

    assert answers.end().answer == "In Norway."
    assert reasons.end(cut=True).answer == ""


def test_what_was_shown_is_taken_back_when_an_end_shows_that_it_was_reasoning() -> None:
    splitter = ReasoningSplitter()

    assert splitter.feed("Oslo? ").answer == "Oslo? "
    piece = splitter.feed("Yes.</think>In Norway.")

    assert piece.taken_back
    assert piece.answer == "In Norway."
    assert splitter.opened_in_prompt
