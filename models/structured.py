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

Filled = TypeVar("Filled", bound=BaseModel)


async def invoke_structured(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    schema: type[Filled],
    *,
    role: Role,
    names: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Filled, RoleUsage]:
    """Ask ``model`` for JSON that fits ``schema``; every string in it should have a maxLength.

    ``names`` are the only strings that the grammar lets stand in the fields of these names. The
    answer is checked without that, so that one wrong name does not cost the whole of it.

    Raises:
        UnusableAnswer: it does not fit (an endpoint that ignores ``response_format``).
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    wanted = _limited(schema.model_json_schema(), names or {})
    json_schema = {"name": schema.__name__.strip("_"), "schema": wanted}
    form = {"type": "json_schema", "json_schema": json_schema}
    reply = await invoke_model(
        cast(BaseChatModel, model.bind(response_format=form)), messages, role=role
    )
    try:
        return schema.model_validate_json(reply.text), usage_of(reply)
    except ValidationError as error:
        raise UnusableAnswer(
            f"The {role} model did not answer in the form that was asked for: "
            "use a model that supports structured output."
        ) from error


def _limited(schema: dict[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The JSON schema, its fields of these names limited to these strings, also within lists."""
    for part in (schema, *schema.get("$defs", {}).values()):
        for field in names.keys() & part.get("properties", {}).keys():
            value = part["properties"][field]
            value.get("items", value)["enum"] = [*names[field]]
    return schema
