"""What a record of each namespace must be, before it is stored."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from personaagent.core.records import Persona
from personaagent.core.text import check_characters
from personaagent.memory.keyed_hash import KEY
from personaagent.memory.personas import CURRENT
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.stored_statements import StoredStatements
from personaagent.memory.tombstones import OTHER_KEYS
from personaagent.memory.user_store import Namespace

LONGEST_KEY = 256
HEX = r"^([0-9a-f]{2})+$"


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


class _HashKey(_Strict):
    key: str = Field(pattern=HEX)


class _OtherKeys(_Strict):
    keys: list[Annotated[str, Field(pattern=HEX)]]


_OBJECT: TypeAdapter[Any] = TypeAdapter(dict[str, JsonValue])
_BY_KEY: dict[tuple[Namespace, str], type[BaseModel]] = {
    ("persona", CURRENT): _CurrentPersona,
    ("profile", "summary"): StoredStatements,
    ("profile", "user"): _User,
    KEY: _HashKey,
    ("tombstones", OTHER_KEYS): _OtherKeys,
}
_BY_NAMESPACE: dict[Namespace, type[BaseModel]] = {
    "persona": Persona,
    "profile_history": ProfileChange,
    "unsummarised": _Pending,
    "unaligned": _Pending,
}


def check_record(namespace: Namespace, key: str, value: Any) -> None:
    """Check the value of one key.

    Raises:
        ValueError: it is not what this namespace holds.
        UsageError: the key has characters that cannot be stored.
    """
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise ValueError("a key is not a short text")
    check_characters(key, "key")
    record = _BY_KEY.get((namespace, key)) or _BY_NAMESPACE.get(namespace)
    if record is None:
        _OBJECT.validate_python(value)
        return
    parsed = record.model_validate(value)
    if isinstance(parsed, Persona) and f"{parsed.version:06d}" != key:
        raise ValueError("a version of the persona has another's key")
