"""Structured answers: a model fills in a schema, forced by the endpoint's grammar."""

from collections.abc import Sequence
from typing import TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ValidationError

from personaagent.core.errors import ModelError
from personaagent.core.records import RoleUsage
from personaagent.core.settings import Role
from personaagent.models.failures import speak
from personaagent.models.usage import usage_of

Filled = TypeVar("Filled", bound=BaseModel)


async def fill(
    model: BaseChatModel, messages: Sequence[BaseMessage], schema: type[Filled], *, role: Role
) -> tuple[Filled, RoleUsage]:
    """Ask ``model`` for JSON that fits ``schema``; every string in it should have a maxLength.

    Raises:
        ModelError: the answer does not fit (an endpoint that ignores ``response_format``).
        ServiceError, ConfigurationError: as ``speak`` raises them.
    """
    json_schema = {"name": schema.__name__.strip("_"), "schema": schema.model_json_schema()}
    form = {"type": "json_schema", "json_schema": json_schema}
    reply = await speak(cast(BaseChatModel, model.bind(response_format=form)), messages, role=role)
    try:
        return schema.model_validate_json(reply.text), usage_of(reply)
    except ValidationError as error:
        raise ModelError(
            f"The {role} model did not answer in the form that was asked for: "
            "use a model that supports structured output."
        ) from error
