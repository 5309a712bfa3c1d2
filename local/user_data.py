"""The memory, the profile and the persona of one user, as ``PersonaAgent`` gives access to them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personaagent.core.records import Episode, Persona
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.derived import Derived
    from personaagent.memory.exchange.importer import Imported
    from personaagent.memory.exchange.preview import ImportPreview
    from personaagent.memory.forget import Receipt
    from personaagent.memory.undo import Undoable


@dataclass(frozen=True)
class UserEpisodes:
    """The episodes of one user; ``PersonaAgent.memory`` makes it."""

    _agent: LocalAgent
    user: str

    def __post_init__(self) -> None:
        self._agent.memory(self.user)

    async def import_file(self, path: str | Path, *, include_forgotten: bool = False) -> Imported:
        """Import the episodes of a file: JSON lines, or another assistant's export.

        Of JSON lines all is imported or, where they have errors, nothing; of an export what can be
        read, and the result names the rest. The same file again adds nothing. What the user has
        forgotten is left out, unless ``include_forgotten`` brings it back. The profile reads what
        is new in the background.

        Raises:
            DataError: the file cannot be read or has errors.
        """
        from personaagent.memory.exchange.importer import import_episodes
        from personaagent.nodes.profile_refresh import refresh_if_due

        memory, deps = self._agent.memory(self.user), self._agent.deps
        imported = await import_episodes(memory, Path(path), include_forgotten=include_forgotten)
        refresh_if_due(deps, memory, deps.settings.zone)
        return imported

    async def preview_file(self, path: str | Path) -> ImportPreview:
        """What ``import_file`` would add, and what it would leave out; nothing is written.

        Raises:
            DataError: the file cannot be read or has errors.
        """
        from personaagent.memory.exchange.preview import preview_import

        return await preview_import(self._agent.memory(self.user), Path(path))

    async def search(self, text: str, k: int | None = None) -> list[Episode]:
        """The ``k`` episodes that the agent would recall for ``text``, best first.

        Raises:
            UsageError: the text is empty or too long.
            IndexUnavailable, EmbeddingsChanged: the index cannot be searched now.
        """
        top_k = self._agent.deps.settings.top_k if k is None else k
        return await self._agent.memory(self.user).search(text, top_k)

    async def list(
        self, limit: int | None = None, *, task: str | None = None, labelled: bool = False
    ) -> list[Episode]:
        """The latest episodes, newest first; ``labelled``: only those with ground truth."""
        episodes = self._agent.memory(self.user).episodes
        return await episodes.newest(limit or sys.maxsize, task=task, labelled=labelled)

    async def get(self, episode_id: str) -> Episode:
        """One episode.

        Raises:
            UnknownEpisode: the user has no such episode.
        """
        return await self._agent.memory(self.user).episodes.get(episode_id)

    async def forget(self, *episode_ids: str, derived: Derived = "blank") -> Receipt:
        """Forget episodes and all that rested on them alone; returns what went.

        Args:
            episode_ids: which.
            derived: what becomes of answers that were drawn from them: ``blank`` takes the text of
                the answer, ``forget`` the whole episode, ``keep`` nothing.

        Raises:
            UnknownEpisode, IndexUnavailable: nothing was forgotten.
            Conflict: the user's persona is being aligned; nothing was forgotten.
        """
        return await self._agent.forget(self.user, [*episode_ids], derived=derived)

    async def forget_all(self) -> Receipt:
        """Forget everything about the user; returns what went.

        Raises:
            IndexUnavailable: nothing was forgotten.
            Conflict: the user's persona is being aligned; nothing was forgotten.
        """
        return await self._agent.forget_all(self.user)

    async def undo(self) -> Undoable:
        """Take back the last change of what the user wanted, of persona or profile, or an import.

        A second undo takes back the change before. Forgetting cannot be undone.

        Raises:
            UsageError: there is no change to undo.
            Conflict: what it changed has changed since; nothing was undone.
        """
        from personaagent.memory.undo import last_change

        change = await last_change(self._agent.memory(self.user))
        return await self._agent.undo(self.user, change)

    async def export(self, path: str | Path) -> int:
        """Write all episodes as JSON lines, oldest first; returns how many there are.

        A file of that name is replaced. ``import_file`` reads it back.

        Raises:
            DataError: the file cannot be written.
        """
        from personaagent.memory.exchange.exporter import export_file

        return await export_file(
            self._agent.memory(self.user), Path(path), lambda done, total: None
        )


@dataclass(frozen=True)
class UserPersona:
    """The persona of one user; ``PersonaAgent.persona`` makes it.

    Versions are never changed: whatever changes the persona adds a version and returns it.
    """

    _agent: LocalAgent
    user: str

    def __post_init__(self) -> None:
        self._agent.memory(self.user)

    async def current(self) -> Persona:
        """The latest version."""
        return await self._agent.memory(self.user).personas.current()

    async def history(self) -> list[Persona]:
        """All versions, oldest first."""
        return await self._agent.memory(self.user).personas.history()

    async def edit(
        self,
        *,
        add: tuple[str, ...] | list[str] = (),
        replace: dict[str, str] | None = None,
        remove: tuple[str, ...] | list[str] = (),
    ) -> Persona:
        """Change rules by hand.

        Args:
            add: the texts of new rules.
            replace: new texts by the id of the rule.
            remove: the ids of rules to remove.

        Raises:
            UsageError: there is no such rule, or a text is not valid; nothing was changed.
        """
        from personaagent.memory.persona_edits import edit_persona

        personas = self._agent.memory(self.user).personas
        replaced = [*(replace or {}).items()]
        return await edit_persona(personas, added=add, replaced=replaced, removed=remove)

    async def lock(self, rule_id: str) -> Persona:
        """Lock a rule, or weights by their id, so that alignment neither changes nor removes them.

        Raises:
            UsageError: there is neither.
        """
        return await self._agent.memory(self.user).personas.lock_rule(rule_id, locked=True)

    async def unlock(self, rule_id: str) -> Persona:
        """Unlock a rule, or weights.

        Raises:
            UsageError: there is no such rule.
        """
        return await self._agent.memory(self.user).personas.lock_rule(rule_id, locked=False)

    async def roll_back(self, version: int) -> Persona:
        """Return to the rules and weights of an earlier version, as a new version.

        Raises:
            UsageError: there is no such version.
        """
        return await self._agent.memory(self.user).personas.roll_back(version)
