"""The model's own probability of each answer, read from the log-probabilities of its answer call.

OpenAI, vLLM and llama.cpp give the likeliest tokens of each position (``logprobs``,
``top_logprobs``); langchain-openai puts them into ``response_metadata["logprobs"]["content"]``,
streamed or not. llama.cpp gives them as they were before a grammar cut them.
"""

import math
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from personaagent.models.structured_tools import StructuredToolsModel

LOGPROBS = "logprobs"
"""Key in ``response_metadata``."""

LEAST_MASS = 0.1
"""With less on all answers together, the model is about to write something else, and what little each
gets is noise of the tail. Asked as closed questions are, the embedded model gives them 0.80 to 1."""

LEAST_MASS_LATER = 0.5
"""The same after words of the model's own ("The answer is"): there, other words are as likely."""

LEAD_IN = 12
"""An answer begins within so many tokens, or is none."""

READ = 2 * LEAD_IN
"""The probabilities of so many tokens are read."""

BEFORE = " \t\r\n\"'`*_[({<“”„«»‘’「『【"
AFTER = BEFORE + "])}>」』】.,:;!"
"""What may stand around an answer."""

SHOWN = 20
"""How many tokens a position are asked for; an endpoint that refuses so many is asked for fewer."""


def answer_probabilities(message: AIMessage, answers: Sequence[str]) -> dict[str, float] | None:
    """How probable each of ``answers`` was to the model when it wrote ``message``; they add up to 1.

    Read at the first position where the answers hold enough probability, without regard to case,
    quotes and brackets. A token that begins several answers is told apart at the next position if
    the model wrote it; if not, they share its probability evenly. An answer that is not among the
    likeliest tokens gets as much as the least likely of them, at most.

    Args:
        answers: the set, each distinct from the others without regard to case.

    Returns:
        None if ``message`` has no log-probabilities or the answers hold too little of them.
    """
    positions = _positions(message)
    keys = {answer: _key(answer) for answer in answers}
    for start in _starts(positions):
        masses = _masses(positions[start:], list(keys.values()))
        if sum(masses.values()) >= (LEAST_MASS_LATER if start else LEAST_MASS):
            return _normalised(
                {answer: masses[key] for answer, key in keys.items()}, positions[start]
            )
    return None


def with_logprobs(model: BaseChatModel, *, nothing_else: bool = False) -> BaseChatModel:
    """``model``, asking for log-probabilities with each answer; as it is if it knows no such thing.

    With ``nothing_else`` the text counts for nothing: it ends where no probability is read any more.
    """
    if isinstance(model, StructuredToolsModel):
        inside = with_logprobs(model.model, nothing_else=nothing_else)
        return model.model_copy(update={"answering": inside})
    if "top_logprobs" not in type(model).model_fields:
        return model
    limit = {"max_tokens": READ} if nothing_else else {}
    return model.model_copy(update={"logprobs": True, "top_logprobs": SHOWN} | limit)


def without_logprobs(message: AIMessage) -> AIMessage:
    """``message`` without its log-probabilities, which are much larger than its text."""
    metadata = {key: each for key, each in message.response_metadata.items() if key != LOGPROBS}
    return message.model_copy(update={"response_metadata": metadata})


@dataclass(frozen=True)
class _Position:
    """The token written at one position, and the probabilities of the likeliest ones."""

    written: bytes
    likeliest: dict[bytes, float]


def _positions(message: AIMessage) -> list[_Position]:
    content = (message.response_metadata.get(LOGPROBS) or {}).get("content") or []
    return [_position(token) for token in islice(content, READ) if token.get("top_logprobs")]


def _position(token: Mapping[str, Any]) -> _Position:
    likeliest: dict[bytes, float] = {_bytes(token): math.exp(token["logprob"])}
    for each in token["top_logprobs"]:
        likeliest[_bytes(each)] = math.exp(each["logprob"])
    return _Position(_bytes(token), likeliest)


def _bytes(token: Mapping[str, Any]) -> bytes:
    return bytes(token["bytes"]) if token.get("bytes") else str(token["token"]).encode()


def _starts(positions: Sequence[_Position]) -> list[int]:
    """Where an answer may begin: at first, and where a word begins."""
    written = [position.written.decode(errors="ignore") for position in positions[:LEAD_IN]]
    return [
        index
        for index, text in enumerate(written)
        if index == 0 or not (text[:1].isalnum() and written[index - 1][-1:].isalnum())
    ]


def _key(answer: str) -> str:
    """What is compared of an answer: of single letters, which are also words, the case as well."""
    bare = unicodedata.normalize("NFKC", answer).strip(AFTER) or answer
    return _with_case_of(bare, bare)


def _masses(positions: Sequence[_Position], keys: Sequence[str]) -> dict[str, float]:
    """The probability of each key when writing begins at the first of ``positions``."""
    masses = dict.fromkeys(keys, 0.0)
    before, reached, candidates = b"", 1.0, list(keys)
    for position in positions:
        path: list[str] = []
        for token, probability in position.likeliest.items():
            begun = _begun(before + token, candidates, ended=not token)
            if token == position.written and begun and not _settled(before + token, begun):
                path = begun
            else:
                _share(masses, before + token, begun, reached * probability)
        if not path:
            return masses
        reached *= position.likeliest[position.written]
        before, candidates = before + position.written, path
    _share(masses, before, candidates, reached)
    return masses


def _begun(written: bytes, keys: Sequence[str], *, ended: bool) -> list[str]:
    """The keys that ``written`` is, or may be the beginning of if the text has not ``ended``."""
    text, pending = _text(written)
    whole = [key for key in keys if not pending and _is(text, key)]
    if ended:
        return whole
    return [key for key in keys if key in whole or _begins(text, pending, key)]


def _settled(written: bytes, begun: Sequence[str]) -> bool:
    """Whether ``written`` is an answer that no other begins with."""
    return len(begun) == 1 and _is(_text(written)[0], begun[0])


def _share(
    masses: dict[str, float], written: bytes, keys: Sequence[str], probability: float
) -> None:
    """Give ``probability`` to the key that ``written`` is, or else to all ``keys`` evenly."""
    text, pending = _text(written)
    if text or pending:
        receivers = [key for key in keys if not pending and _is(text, key)] or keys
        for key in receivers:
            masses[key] += probability / len(receivers)


def _text(written: bytes) -> tuple[str, bytes]:
    """``written`` from its first letter or digit on, and the bytes of a letter half written."""
    decoder = getincrementaldecoder("utf-8")("ignore")
    text = unicodedata.normalize("NFKC", decoder.decode(written)).lstrip(BEFORE)
    return text, decoder.getstate()[0]


def _is(text: str, key: str) -> bool:
    """Whether ``text`` is ``key``, perhaps with something after it that is no letter or digit."""
    text = _with_case_of(key, text)
    return text.startswith(key) and not text[len(key) : len(key) + 1].isalnum()


def _begins(text: str, pending: bytes, key: str) -> bool:
    return key.encode().startswith(_with_case_of(key, text).encode() + pending)


def _with_case_of(key: str, text: str) -> str:
    return text if len(key) == 1 else text.casefold()


def _normalised(masses: dict[str, float], position: _Position) -> dict[str, float]:
    """``masses`` to a sum of 1, after each unseen answer got what it may have had at most."""
    unseen = [answer for answer, mass in masses.items() if mass == 0]
    unshown = max(1 - sum(position.likeliest.values()), 1e-9)
    most = min(*position.likeliest.values(), unshown / max(len(unseen), 1))
    masses = masses | dict.fromkeys(unseen, max(most, 1e-9))
    total = sum(masses.values())
    return {answer: mass / total for answer, mass in masses.items()}
