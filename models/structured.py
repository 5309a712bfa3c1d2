"""Structured answers: a model fills in a schema, forced by the endpoint's grammar."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ValidationError

from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import RoleUsage
from personaagent.core.settings import Role
from personaagent.models.invoke import invoke_model
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

    ``names`` maps a field's name to the only strings that the grammar allows there. The answer is
    validated without them, so that one wrong name does not spoil all of it.

    Raises:
        UnusableAnswer: it does not fit (an endpoint that ignores ``response_format``).
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    json_schema = {
        "name": schema.__name__.strip("_"),
        "schema": _limited(schema.model_json_schema(), names or {}),
    }
    response_format = {"type": "json_schema", "json_schema": json_schema}
    reply = await invoke_model(
        cast(BaseChatModel, model.bind(response_format=response_format)), messages, role=role
    )
    try:
        return schema.model_validate_json(reply.text), usage_of(reply)
    except ValidationError as error:
        raise UnusableAnswer(
            f"The {role} model did not answer in the form that was asked for: "
            "use a model that supports structured output."
        ) from error


def _limited(schema: dict[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The JSON schema, with the fields of ``names`` limited to these strings, also within lists."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        for field in names.keys() & definition.get("properties", {}).keys():
            value = definition["properties"][field]
            value.get("items", value)["enum"] = [*names[field]]
    return schema
