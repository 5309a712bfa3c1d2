"""The ways to ask for JSON: in a grammar, as any object, or in words; each model takes some of them."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from personaagent.core.errors import PersonaAgentError, UnusableAnswer
from personaagent.models.endpoint_reason import whole_reason_of
from personaagent.models.json_text import objects_in
from personaagent.models.refusals import JSON_OBJECT, JSON_SCHEMA, OTHER_WORDS, OVERFLOW
from personaagent.prompts.render import render

WORDS = "words"
FORMS = (JSON_SCHEMA, JSON_OBJECT, WORDS)
"""The surest first."""

REFUSED = (400, 415, 422, 501)
"""HTTP errors after which the next form is tried, whatever the endpoint says; after others where it names
the form."""

Ask = Callable[[list[BaseMessage], dict[str, Any] | None], Awaitable[AIMessage]]
"""Asks with these messages, and this ``response_format`` if any."""

_ignored: set[tuple[str, str]] = set()
"""Models, by endpoint, that write prose whatever form is asked for."""


async def ask_in_json(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    json_schema: Mapping[str, Any],
    ask: Ask,
    *,
    insist: bool = True,
) -> list[AIMessage]:
    """The replies that it took to get JSON, or the last form; the last reply is the one to read.

    A form that the endpoint refuses is not asked for again: the endpoint's memory keeps it.

    Args:
        json_schema: ``name`` and ``schema``.
        insist: after a reply without any object, ask once more, in words.

    Raises:
        Exception: what ``ask`` raises, where no form is taken or the reason is another.
    """
    forms, refused, replies = _forms_of(model), list[str](), list[AIMessage]()
    refusal: Exception | None = None
    while True:
        form, *forms = forms
        try:
            replies.append(await ask(*_in_form(form, messages, json_schema)))
        except Exception as error:
            if _refuses(error) and forms:
                refusal = refusal or error
                refused.append(form)
                continue
            if not (forms and insist and _is_empty(error)):
                raise (refusal if refusal and _refuses(error) else error) from None
        else:
            has_object = bool(objects_in(replies[-1].text))
            await _remember(model, refused, ignored=form != WORDS and not has_object)
            if has_object or not forms or not insist:
                return replies
        forms = [WORDS]


def _in_form(
    form: str, messages: Sequence[BaseMessage], json_schema: Mapping[str, Any]
) -> tuple[list[BaseMessage], dict[str, Any] | None]:
    if form == JSON_SCHEMA:
        return [*messages], {"type": JSON_SCHEMA, JSON_SCHEMA: dict(json_schema)}
    words = render("json_words", schema=json.dumps(json_schema["schema"], ensure_ascii=False))
    *before, last = messages
    asked = last.model_copy(update={"content": f"{last.text}\n\n{words}"})
    ends = [asked] if isinstance(last, HumanMessage) else [last, HumanMessage(words)]
    return [*before, *ends], {"type": JSON_OBJECT} if form == JSON_OBJECT else None


def _forms_of(model: BaseChatModel) -> list[str]:
    """The forms that the model may take, by what is known of its endpoint."""
    endpoint = _endpoint(model)
    if endpoint is None:
        return [*FORMS]
    address, name, memory = endpoint
    if (address, name) in _ignored:
        return [WORDS]
    refused = memory.left_out(address, name)
    return [form for form in FORMS if form not in refused]


async def _remember(model: BaseChatModel, refused: Sequence[str], *, ignored: bool) -> None:
    if endpoint := _endpoint(model):
        address, name, memory = endpoint
        await memory.keep(address, name, refused)
        if ignored:
            _ignored.add((address, name))


def _endpoint(model: Any) -> tuple[str, str, Any] | None:
    """Address, name and memory of the model, where it has these."""
    inner = getattr(model, "model", model)  # of ``StructuredToolsModel``
    inner = model if isinstance(inner, str) else inner
    memory = getattr(inner, "memory", None)
    return None if memory is None else (str(inner.openai_api_base), inner.model_name, memory)


def _refuses(error: Exception) -> bool:
    """Whether the endpoint refuses the form, or may."""
    cause = error.__cause__ if isinstance(error, PersonaAgentError) else error
    if cause is None or (status := getattr(cause, "status_code", None)) is None:
        return False
    reason = whole_reason_of(cause)
    names_it = bool(OTHER_WORDS["response_format"].search(reason))
    return (status in REFUSED or names_it) and not OVERFLOW.search(reason)


def _is_empty(error: Exception) -> bool:
    return isinstance(error, UnusableAnswer) and error.empty
