"""How probable the actor found each answer, from the log-probabilities of its own answer."""

from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage


def answer_probabilities(message: AIMessage, answers: Sequence[str]) -> dict[str, float] | None:
    """The probability of each answer; None where the message carries no log-probabilities."""
    return None


def with_logprobs(model: BaseChatModel) -> BaseChatModel:
    """The model, asked for log-probabilities."""
    return model


def without_logprobs(message: AIMessage) -> AIMessage:
    """``message`` without its log-probabilities."""
    return message
