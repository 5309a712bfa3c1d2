"""Every setting: its name, default, meaning, and where its value came from."""

import os
from datetime import tzinfo
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    Field,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from personaagent.core.calendar import time_zone
from personaagent.core.errors import ConfigurationError
from personaagent.core.setting_groups import (
    AlignmentSettings,
    MemorySettings,
    ModelSettings,
    RecallMode,
    Sampling,
    ServerSettings,
    TextMetric,
    ToolSettings,
    TraceSettings,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "CONFIG_FILE",
    "Mode",
    "RecallMode",
    "Role",
    "Sampling",
    "Settings",
    "TextMetric",
    "load_settings",
    "origin",
    "variable",
]

Role = Literal["actor", "critic", "editor"]
Mode = Literal["gated", "paper"]

CONFIG_FILE = "config.toml"
LONGEST_WAIT = 60.0
"""The most seconds that the client waits between two tries, if Retry-After asks for it."""


class DataSettings(BaseModel):
    """Where data lives, and whose it is."""

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("personaagent", appauthor=False)),
        description="Folder of the user's data: memory, checkpoints, embedded models.",
    )
    user: str | None = Field(
        None,
        description="Whose memory a command uses without --user, and a server without tokens for clients "
        "of OpenAI's API and MCP.",
    )


# The last group comes first, as pydantic lists the fields of the last base first.
class Settings(  # pyright: ignore[reportIncompatibleVariableOverride]
    ServerSettings,
    TraceSettings,
    AlignmentSettings,
    ToolSettings,
    MemorySettings,
    ModelSettings,
    DataSettings,
    BaseSettings,
):
    """Settings from the environment, else ``config.toml`` in the data folder, else the default.

    Every field is the environment variable ``PERSONAAGENT_<NAME>``, except the shared
    ``OPENAI_*`` and ``QDRANT_*`` ones. Times are seconds, sizes what their names say.
    """

    model_config = SettingsConfigDict(
        env_prefix="PERSONAAGENT_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=True,
    )

    @cached_property
    def embedded(self) -> bool:
        """Whether the embedded model answers: neither a key nor a base URL is set."""
        return self.openai_base_url is None and self.openai_api_key is None

    @property
    def zone(self) -> tzinfo:
        """The user's time zone."""
        return time_zone(self.timezone)

    @property
    def patience(self) -> float:
        """Seconds that one step of a graph may take, with all retries of its request."""
        if self.embedded:
            return self.embedded_timeout
        return (self.model_timeout + LONGEST_WAIT) * (self.model_retries + 1)

    @property
    def text_metric(self) -> TextMetric:
        """How the loss of free texts is measured; ``auto`` avoids the embedded model, a poor judge."""
        if self.align_text_metric == "auto":
            return "rouge" if self.embedded else "judge"
        return self.align_text_metric

    @property
    def simulations_at_once(self) -> int:
        """How many model calls of alignments may run at once, over all users."""
        return self.concurrency or (1 if self.embedded else 16)

    @property
    def json_tools(self) -> bool:
        """Whether tools are called through grammar-forced JSON."""
        return self.tool_mode == "json" or (self.tool_mode == "auto" and self.embedded)

    def model_for(self, role: Role) -> str | None:
        """Name of the model that plays ``role``, None for the endpoint's default."""
        own = {"actor": self.model, "critic": self.critic_model, "editor": self.editor_model}[role]
        return own or self.model

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = init_settings().get("home") or env_settings().get("home")
        folder = Path(home or platformdirs.user_data_dir("personaagent", appauthor=False))
        file = TomlConfigSettingsSource(settings_cls, toml_file=folder.expanduser() / CONFIG_FILE)
        return init_settings, env_settings, file


def variable(name: str) -> str:
    """The environment variable of the setting ``name``."""
    alias = Settings.model_fields[name].validation_alias
    return (
        str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PERSONAAGENT_{name}".upper()
    )


def origin(settings: Settings, name: str) -> str:
    """Where the value of the setting ``name`` came from: a variable, ``config.toml``, or ``default``."""
    if name not in settings.model_fields_set:
        return "default"
    set_variables = {key.upper() for key, value in os.environ.items() if value}
    names = (variable(name), f"PERSONAAGENT_{name}".upper())
    return next((name for name in names if name in set_variables), CONFIG_FILE)


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``overrides`` win over environment and file.

    Raises:
        ConfigurationError: naming each setting that is unknown or out of range.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(map(_problem, error.errors()))
        raise ConfigurationError(
            f"Wrong setting: {problems}; correct it in the environment or in {CONFIG_FILE}, "
            "where names are in lower case and have no prefix."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{CONFIG_FILE} in the data folder cannot be read: {error}"
        ) from error


def _problem(error: "ErrorDetails") -> str:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        plain_name = name.lower().removeprefix("personaagent_")
        similar = get_close_matches(plain_name, Settings.model_fields, 1)
        return f"{name} is no setting" + (f" (do you mean {similar[0]}?)" if similar else "")
    shown_name = variable(name) if name in Settings.model_fields else name
    if error["type"] == "too_short":
        return f"{shown_name} needs at least {error.get('ctx', {})['min_length']} characters"
    return f"{shown_name}: {error['msg'].removeprefix('Value error, ')}"
