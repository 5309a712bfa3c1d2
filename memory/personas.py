"""The versions of one user's persona: they are added, and never changed but by forgetting."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from personaagent.core.counting import counted
from personaagent.core.errors import Conflict, Unknown, UsageError
from personaagent.core.records import Author, Persona, Proof, Rule, TaskFacts
from personaagent.core.weights import WEIGHTS_ID, Weights
from personaagent.memory.facts import describe_facts
from personaagent.memory.journal import Journal
from personaagent.memory.locks import Lock
from personaagent.memory.rule_evidence import unsupported_rules, without_episodes
from personaagent.memory.user_store import StoredValue, StoreWrite, UserStore
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

CURRENT = "current"


def initial_persona() -> Persona:
    """Version 1 of every persona, from the template ``prompts/persona_initial.md``."""
    lines = [line.removeprefix("- ") for line in render("persona_initial").splitlines()]
    rules = [Rule(id=f"r{number}", text=line) for number, line in enumerate(lines, 1)]
    return Persona(version=1, rules=rules, author="initial", note="from the template")


def render_persona(persona: Persona, facts: Sequence[TaskFacts] = ()) -> str:
    """The persona as the model reads it: the facts, then one line for each rule. Deterministic."""
    rules = fence("persona", "\n".join(f"- {' '.join(r.text.split())}" for r in persona.rules))
    described = describe_facts(facts)
    return f"{fence('facts', described)}\n{rules}" if described else rules


@dataclass(frozen=True)
class Personas:
    """The versions of one user's persona. ``lock`` lets one writer of the user's in at a time."""

    store: UserStore
    lock: Lock

    async def current(self) -> Persona:
        """The latest version; for a user without a persona, the one that they will start with."""
        [current] = await self.store.get("persona", CURRENT)
        if current is None:
            return initial_persona()
        if "persona" not in current:  # written by a version that stored only a pointer
            return await self.get(current["version"])
        return Persona.model_validate(current["persona"])

    async def begin(self) -> None:
        """Store version 1, from the template, for a user who has no persona yet."""
        if await self.exist():
            return
        async with self.lock():
            if await self._latest() is None:
                await self._write(initial_persona())
                # A user may have no episode yet, which would tell their name.
                await self.store.put("profile", "user", {"user_id": self.store.user_id})

    async def exist(self) -> bool:
        """Whether this user has a persona of their own yet."""
        return await self._latest() is not None

    async def get(self, version: int) -> Persona:
        """The persona of that version; for a user without a persona, version 1 is the one that they
        will start with.

        Raises:
            Unknown: there is no such version.
        """
        [value] = await self.store.get("persona", f"{version:06d}")
        if value is None and version == 1:
            return initial_persona()
        if value is None:
            raise Unknown(
                f"There is no version {version} of the persona of '{self.store.user_id}': "
                "see `personaagent persona history`."
            )
        return Persona.model_validate(value)

    async def history(self) -> list[Persona]:
        """All versions, oldest first."""
        personas = [persona async for persona in self._scan()] or [initial_persona()]
        return sorted(personas, key=lambda persona: persona.version)

    async def publish(
        self,
        rules: Sequence[Rule],
        *,
        weights: Sequence[Weights] | None = None,
        author: Author,
        note: str,
        parent: int,
        proof: Proof | None = None,
        sources: Collection[str] = (),
        labels: Mapping[str, str] | None = None,
        undoes: str | None = None,
        restores: Persona | None = None,
    ) -> Persona:
        """Add a version with these rules, made from version ``parent``, and make it current.

        Args:
            weights: how closed questions are decided, one a task; None: as in version ``parent``.
            proof: why alignment publishes it, or the run whose proposal the user has edited.
            sources: ids of further episodes whose content the rules or the proof may show, beside
                the rules' evidence and the proof's pairs.
            labels: the ground truths that alignment learned from, by episode id.
            undoes: the key of the change in the journal that this version takes back.
            restores: the earlier version, as it was read, whose rules these are.

        Raises:
            Conflict: the persona has moved on since ``parent``; or an episode that alignment
                learned from was forgotten, or its label changed; or ``restores`` has lost a rule.
            UsageError: two rules share an id, a rule has no text, or two weights share a task.
        """
        _check_rules(rules)
        _check_weights(weights or ())
        await self.begin()
        async with self.lock():
            await self._check_parent(parent)
            if restores is not None and await self.get(restores.version) != restores:
                raise Conflict(
                    f"Version {restores.version} has changed, because something it rested on was "
                    "forgotten: look at it and try again."
                )
            persona = Persona(
                version=parent + 1,
                rules=list(rules),
                weights=list((await self.current()).weights if weights is None else weights),
                author=author,
                note=note,
                parent=parent,
                proof=proof,
            )
            if proof is not None or labels or sources:
                await self._check_sources(persona, sources)
                await self._check_labels(labels or {})
            noted = await Journal(self.store).of_version(persona.version, undoes)
            await self._write(persona, noted)
        return persona

    async def next_rule_id(self) -> str:
        """An id that no rule of any version has ever had, forgotten ones included."""
        [current] = await self.store.get("persona", CURRENT)
        highest = _highest_rule(initial_persona()) if current is None else current["highest_rule"]
        return f"r{highest + 1}"

    async def lock_rule(self, rule_id: str, *, locked: bool) -> Persona:
        """A new version in which the rule, or the weights of that id, is locked or unlocked.

        What is locked, alignment leaves as it is.

        Raises:
            Unknown: the persona has neither.
        """
        persona = await self.current()
        if rule_id.split(":")[0] == WEIGHTS_ID:
            return await self._lock_weights(persona, rule_id, locked=locked)
        if persona.rule(rule_id) is None:
            raise Unknown(f"The persona has no rule '{rule_id}': see `personaagent persona show`.")
        rules = [
            rule.model_copy(update={"locked": locked}) if rule.id == rule_id else rule
            for rule in persona.rules
        ]
        return await self._publish_lock(persona, rule_id, rules, persona.weights, locked)

    async def _lock_weights(self, persona: Persona, id: str, *, locked: bool) -> Persona:
        if id not in [weights.id for weights in persona.weights]:
            raise Unknown(f"The persona has no '{id}': see `personaagent persona show`.")
        weights = [
            each.model_copy(update={"locked": locked}) if each.id == id else each
            for each in persona.weights
        ]
        return await self._publish_lock(persona, id, persona.rules, weights, locked)

    async def _publish_lock(
        self,
        persona: Persona,
        id: str,
        rules: Sequence[Rule],
        weights: Sequence[Weights],
        locked: bool,
    ) -> Persona:
        note = f"{'lock' if locked else 'unlock'} {id}"
        return await self.publish(
            rules, weights=weights, author="user", note=note, parent=persona.version
        )

    async def roll_back(self, version: int) -> Persona:
        """A new version with the rules and weights of an earlier one."""
        earlier, persona = await self.get(version), await self.current()
        return await self.publish(
            earlier.rules,
            weights=earlier.weights,
            author="user",
            note=f"roll back to version {version}",
            parent=persona.version,
            restores=earlier,
        )

    async def forget(self, forgotten: set[str]) -> list[Rule]:
        """Remove from every version the rules that rest on these episodes alone, and from every
        proof all text.

        This is the one case in which old versions change, because history must not show what is
        forgotten. If the current persona loses a rule, a new version says so.

        Returns:
            The rules that were removed, each once.
        """
        removed: dict[str, Rule] = {}
        async with self.lock():
            latest = await self._latest()
            for persona in [version async for version in self._scan()]:
                unsupported = unsupported_rules(persona, forgotten)
                removed |= {rule.id: rule for rule in unsupported}
                remaining = without_episodes(persona, forgotten)
                if remaining != persona:
                    await self._rewrite(remaining)
                if unsupported and persona.version == latest:
                    await self._write(_successor(remaining, len(unsupported)))
        return list(removed.values())

    async def _check_parent(self, parent: int) -> None:
        latest = await self._latest()
        if latest != parent:
            raise Conflict(
                f"The persona is now at version {latest}, not {parent}: look at it and try again."
            )

    async def _check_sources(self, persona: Persona, sources: Collection[str]) -> None:
        """Refuse a version that rests on an episode that no longer exists."""
        cited = {id for rule in persona.rules for id in rule.evidence}
        proved = {pair.episode for pair in persona.proof.pairs} if persona.proof else set()
        if None in await self.store.get("episodes", *cited.union(proved, sources)):
            raise Conflict("An episode that the new rules rest on was forgotten: align again.")

    async def _check_labels(self, labels: Mapping[str, str]) -> None:
        """Refuse a version that was learned from a label that has changed."""
        episodes = await self.store.get("episodes", *labels)
        if [value and value["episode"]["ground_truth"] for value in episodes] != [*labels.values()]:
            raise Conflict("The user has changed a label that the new rules rest on: align again.")

    async def _latest(self) -> int | None:
        [value] = await self.store.get("persona", CURRENT)
        return None if value is None else int(value["version"])

    async def _scan(self) -> AsyncIterator[Persona]:
        async for key, value in self.store.scan("persona"):
            if key != CURRENT:
                yield Persona.model_validate(value)

    async def _write(self, persona: Persona, also: Sequence[StoreWrite] = ()) -> None:
        [current] = await self.store.get("persona", CURRENT)
        highest = max(_highest_rule(persona), 0 if current is None else current["highest_rule"])
        await self.store.write(
            [
                ("persona", f"{persona.version:06d}", persona.stored()),
                ("persona", CURRENT, _current(persona, highest)),
                *also,
            ]
        )

    async def _rewrite(self, persona: Persona) -> None:
        [current] = await self.store.get("persona", CURRENT)
        writes: list[StoreWrite] = [("persona", f"{persona.version:06d}", persona.stored())]
        if current is not None and current["version"] == persona.version:
            writes.append(("persona", CURRENT, _current(persona, current["highest_rule"])))
        await self.store.write(writes)


def _check_rules(rules: Sequence[Rule]) -> None:
    if len({rule.id for rule in rules}) < len(rules) or any(not r.text.strip() for r in rules):
        raise UsageError("Each rule of a persona needs an id of its own and a text.")


def _check_weights(weights: Sequence[Weights]) -> None:
    if len({each.task for each in weights}) < len(weights):
        raise UsageError("A persona has weights for each task once.")


def _successor(persona: Persona, removed: int) -> Persona:
    """The version after ``persona``, from which rules were ``removed``; it has the same rules."""
    return Persona(
        version=persona.version + 1,
        rules=persona.rules,
        weights=persona.weights,
        author="user",
        note=f"removed {counted(removed, 'rule')} with the episodes they rested on",
        parent=persona.version,
    )


def _current(persona: Persona, highest_rule: int) -> StoredValue:
    """The value of ``CURRENT``: the whole persona, so that a turn needs one look-up."""
    return {"version": persona.version, "highest_rule": highest_rule, "persona": persona.stored()}


def _highest_rule(persona: Persona) -> int:
    """The highest number in the id of a rule (``r7``: 7)."""
    ids = [rule.id.removeprefix("r") for rule in persona.rules]
    return max((int(id) for id in ids if id.isdecimal()), default=0)
