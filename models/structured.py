"""Structured answers: a model fills in a schema, forced by the endpoint's grammar where it has one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel, ValidationError

from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import RoleUsage
from personaagent.core.settings import Role
from personaagent.models.invoke import invoke_model
from personaagent.models.json_forms import ask_in_json
from personaagent.models.json_text import objects_in
from personaagent.models.usage import usage_of

FilledSchema = TypeVar("FilledSchema", bound=BaseModel)


async def invoke_structured(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    schema: type[FilledSchema],
    *,
    role: Role,
    names: Mapping[str, Sequence[str]] | None = None,
) -> tuple[FilledSchema, RoleUsage]:
    """Ask ``model`` for JSON that fits ``schema``; every string in it should have a maxLength.

    It is asked for in a grammar (``json_schema``); where the endpoint takes none, as a JSON object,
    and then in words. The object is taken out of whatever the model writes around it.

    ``names`` maps a field's name to the only strings that the grammar allows there. The answer is
    validated without them, so that one wrong name does not spoil all of it.

    Raises:
        UnusableAnswer: no object in the answer fits.
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    json_schema = {
        "name": schema.__name__.strip("_"),
        "schema": _limited(schema.model_json_schema(), names or {}),
    }

    async def ask(prompt: list[BaseMessage], form: dict[str, Any] | None) -> AIMessage:
        return await invoke_model(model, prompt, role=role, response_format=form, shown=False)

    replies = await ask_in_json(model, messages, json_schema, ask)
    usage = sum(map(usage_of, replies), RoleUsage())
    for candidate in _candidates(replies[-1].text):
        try:
            return schema.model_validate_json(json.dumps(candidate)), usage
        except ValidationError:
            continue
    raise UnusableAnswer(
        f"The {role} model did not answer in the form that was asked for: "
        "use a model that supports structured output."
    )


def _candidates(text: str) -> Iterator[dict[str, Any]]:
    """The objects in ``text``, and what stands in one under a single name."""
    for found in objects_in(text):
        yield found
        [*inner] = found.values()
        if len(inner) == 1 and isinstance(inner[0], dict):
            yield inner[0]


def _limited(schema: dict[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The JSON schema, with the fields of ``names`` limited to these strings, also within lists."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        for field in names.keys() & definition.get("properties", {}).keys():
            value = definition["properties"][field]
            value.get("items", value)["enum"] = [*names[field]]
    return schema
