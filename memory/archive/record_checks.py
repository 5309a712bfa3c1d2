"""What a record of each namespace must be, before it is stored."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from personaagent.core.records import Persona
from personaagent.core.text import check_characters
from personaagent.memory.personas import CURRENT
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.stored_statements import StoredStatements
from personaagent.memory.user_store import Namespace

LONGEST_KEY = 256


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _CurrentPersona(_Strict):
    version: int = Field(ge=1)
    highest_rule: int = Field(ge=0)
    persona: Persona


class _Pending(_Strict):
    at: float
    made: float
    revision: str


class _User(_Strict):
    user_id: str


_OBJECT = TypeAdapter(dict[str, JsonValue])


def check_record(namespace: Namespace, key: str, value: Any) -> None:
    """Check the value of one key.

    Raises:
        ValueError: it is not what this namespace holds.
    """
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise ValueError("a key is not a short text")
    check_characters(key, "key")
    match namespace, key:
        case "persona", str() if key == CURRENT:
            _CurrentPersona.model_validate(value)
        case "persona", _:
            if f"{Persona.model_validate(value).version:06d}" != key:
                raise ValueError("a version of the persona has another's key")
        case "profile", "summary":
            StoredStatements.model_validate(value)
        case "profile", "user":
            _User.model_validate(value)
        case "profile_history", _:
            ProfileChange.model_validate(value)
        case (("unsummarised" | "unaligned"), _):
            _Pending.model_validate(value)
        case "profile", _:
            raise ValueError(f"the profile has no '{key}'")
        case _:
            _OBJECT.validate_python(value)
