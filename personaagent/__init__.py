"""PersonaAgent: an agent that learns one person at a time.

    from personaagent import PersonaAgent

    async with PersonaAgent() as agent:
        answer = await agent.ask("What is my dog called?", user="ana")

What this module names is the public interface, which stays stable; everything else may move.
Importing it loads nothing: each name is loaded when you first use it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personaagent.core.alignment import Alignment
    from personaagent.core.answer import Answer
    from personaagent.core.errors import (
        ConfigurationError,
        DataError,
        ModelError,
        PersonaAgentError,
        ServiceError,
        UsageError,
    )
    from personaagent.core.records import Episode, Persona, Rule
    from personaagent.core.settings import Settings
    from personaagent.local.persona_agent import PersonaAgent
    from personaagent.local.turn_events import NodeFinished, Reasoning, TakenBack
    from personaagent.local.user_data import UserEpisodes, UserPersona
    from personaagent.local.user_profile import UserProfile
    from personaagent.memory.archive.restore import Restored
    from personaagent.memory.exchange.importer import Imported
    from personaagent.memory.exchange.preview import ImportPreview
    from personaagent.memory.forget import Receipt
    from personaagent.memory.undo import Undoable

_MODULES = {
    "Alignment": "core.alignment",
    "Answer": "core.answer",
    "ConfigurationError": "core.errors",
    "DataError": "core.errors",
    "Episode": "core.records",
    "ImportPreview": "memory.exchange.preview",
    "Imported": "memory.exchange.importer",
    "ModelError": "core.errors",
    "NodeFinished": "local.turn_events",
    "Persona": "core.records",
    "PersonaAgent": "local.persona_agent",
    "PersonaAgentError": "core.errors",
    "Reasoning": "local.turn_events",
    "Receipt": "memory.forget",
    "Restored": "memory.archive.restore",
    "Rule": "core.records",
    "ServiceError": "core.errors",
    "Settings": "core.settings",
    "TakenBack": "local.turn_events",
    "Undoable": "memory.undo",
    "UsageError": "core.errors",
    "UserEpisodes": "local.user_data",
    "UserPersona": "local.user_data",
    "UserProfile": "local.user_profile",
}

__all__ = [
    "Alignment",
    "Answer",
    "ConfigurationError",
    "DataError",
    "Episode",
    "ImportPreview",
    "Imported",
    "ModelError",
    "NodeFinished",
    "Persona",
    "PersonaAgent",
    "PersonaAgentError",
    "Reasoning",
    "Receipt",
    "Restored",
    "Rule",
    "ServiceError",
    "Settings",
    "TakenBack",
    "Undoable",
    "UsageError",
    "UserEpisodes",
    "UserPersona",
    "UserProfile",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'personaagent' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"personaagent.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
