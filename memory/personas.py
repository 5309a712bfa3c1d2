"""The persona of one user: its versions, never changed, only added."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from personaagent.core.errors import Conflict, Unknown, UsageError
from personaagent.core.records import Author, Persona, Proof, Rule, TaskFacts
from personaagent.memory.facts import describe_facts
from personaagent.memory.user_store import Change, UserStore, Value
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

CURRENT = "current"
Lock = Callable[[], AbstractAsyncContextManager[object]]


def initial_persona() -> Persona:
    """Version 1 of every persona, from the template ``prompts/persona_initial.md``."""
    lines = [line.removeprefix("- ") for line in render("persona_initial").splitlines()]
    rules = [Rule(id=f"r{number}", text=line) for number, line in enumerate(lines, 1)]
    return Persona(version=1, rules=rules, author="initial", note="from the template")


def render_persona(persona: Persona, facts: Sequence[TaskFacts] = ()) -> str:
    """The persona as the model reads it: the facts, then a line a rule. Deterministic."""
    rules = fence("persona", "\n".join(f"- {' '.join(r.text.split())}" for r in persona.rules))
    told = describe_facts(facts)
    return f"{fence('facts', told)}\n{rules}" if told else rules


@dataclass(frozen=True)
class Personas:
    """The versions of one user's persona. ``lock`` keeps two writers of the same user apart."""

    space: UserStore
    lock: Lock

    async def current(self) -> Persona:
        """The latest version; for a user who has none yet, the one they will begin with."""
        [current] = await self.space.get("persona", CURRENT)
        if current is None:
            return initial_persona()
        if "persona" not in current:  # written when this was a mere pointer
            return await self.get(current["version"])
        return Persona.model_validate(current["persona"])

    async def begin(self) -> None:
        """Store version 1, from the template, for a user who has no persona yet."""
        if await self.exist():
            return
        async with self.lock():
            if await self._latest() is None:
                await self._write(initial_persona())

    async def exist(self) -> bool:
        """Whether this user has a persona of their own yet."""
        return await self._latest() is not None

    async def get(self, version: int) -> Persona:
        """The persona of that version; for a user who has none yet, the first is what they will
        begin with.

        Raises:
            Unknown: there is no such version.
        """
        [value] = await self.space.get("persona", f"{version:06d}")
        if value is None and version == 1:
            return initial_persona()
        if value is None:
            raise Unknown(
                f"There is no version {version} of the persona of '{self.space.user_id}': "
                "see `personaagent persona history`."
            )
        return Persona.model_validate(value)

    async def history(self) -> list[Persona]:
        """All versions, oldest first."""
        stored = [each async for each in self._every()] or [initial_persona()]
        return sorted(stored, key=lambda each: each.version)

    async def publish(
        self,
        rules: Sequence[Rule],
        *,
        author: Author,
        note: str,
        parent: int,
        proof: Proof | None = None,
        sources: Collection[str] = (),
        labels: Mapping[str, str] | None = None,
    ) -> Persona:
        """Add a version with these rules, made from version ``parent``, and make it the current.

        Args:
            proof: why alignment publishes it; or the run whose proposal the user has edited.
            drawn_from: ids of further episodes that rules or proof may show something of, beside
                the rules' evidence and the proof's pairs.
            labels: what the user wanted of the episodes that alignment learned from, by their ids.

        Raises:
            Conflict: the persona has moved on since ``parent``, or an episode that alignment drew
                on was forgotten meanwhile, or its label was changed.
            UsageError: two rules share an id, or a rule has no text.
        """
        if len({rule.id for rule in rules}) < len(rules) or any(not r.text.strip() for r in rules):
            raise UsageError("Each rule of a persona needs an id of its own and a text.")
        await self.begin()
        async with self.lock():
            latest = await self._latest()
            if latest != parent:
                raise Conflict(
                    f"The persona is at version {latest} by now, not {parent}: "
                    "look at it and try again."
                )
            persona = Persona(
                version=parent + 1,
                rules=list(rules),
                author=author,
                note=note,
                parent=parent,
                proof=proof,
            )
            if proof is not None or labels or sources:
                await self._check_sources(persona, sources, labels or {})
            await self._write(persona)
        return persona

    async def next_rule_id(self) -> str:
        """An id that no rule of any version has borne, not even one that is forgotten."""
        [current] = await self.space.get("persona", CURRENT)
        highest = _highest(initial_persona()) if current is None else current["highest_rule"]
        return f"r{highest + 1}"

    async def lock_rule(self, rule_id: str, *, locked: bool) -> Persona:
        """A new version in which the rule is locked (alignment leaves it alone) or unlocked."""
        persona = await self.current()
        if persona.rule(rule_id) is None:
            raise Unknown(f"The persona has no rule '{rule_id}': see `personaagent persona show`.")
        rules = [
            rule.model_copy(update={"locked": locked}) if rule.id == rule_id else rule
            for rule in persona.rules
        ]
        note = f"{'lock' if locked else 'unlock'} {rule_id}"
        return await self.publish(rules, author="user", note=note, parent=persona.version)

    async def roll_back(self, version: int) -> Persona:
        """A new version with the rules of an earlier one."""
        earlier, persona = await self.get(version), await self.current()
        note = f"roll back to version {version}"
        return await self.publish(earlier.rules, author="user", note=note, parent=persona.version)

    async def forget(self, forgotten: set[str]) -> list[Rule]:
        """Take out every rule, of every version, that rested on these episodes alone, and from
        every proof all text: any of it may tell of them.

        The one case in which old versions change: what is forgotten must not stand in history.
        A current persona that loses a rule gets a new version that says so.

        Returns:
            The rules that went, each once.
        """
        gone: dict[str, Rule] = {}
        async with self.lock():
            latest = await self._latest()
            for persona in [each async for each in self._every()]:
                kept = [_without(rule, forgotten) for rule in persona.rules]
                lost = [r for r, k in zip(persona.rules, kept, strict=True) if k is None]
                gone |= {rule.id: rule for rule in lost}
                rules = [rule for rule in kept if rule is not None]
                proof = persona.proof and _bare(persona.proof, forgotten)
                left = persona.model_copy(update={"rules": rules, "proof": proof})
                if left != persona:
                    await self._rewrite(left)
                if persona.version == latest and lost:
                    note = f"{len(lost)} rules went with the episodes they rested on"
                    await self._write(
                        Persona(
                            version=latest + 1, rules=rules, author="user", note=note, parent=latest
                        )
                    )
        return list(gone.values())

    async def _check_sources(
        self, persona: Persona, sources: Collection[str], labels: Mapping[str, str]
    ) -> None:
        cited = {each for rule in persona.rules for each in rule.evidence}
        proved = {pair.episode for pair in persona.proof.pairs} if persona.proof else set()
        if None in await self.space.get("episodes", *cited.union(proved, sources)):
            raise Conflict(
                "An episode that the new rules rest on was forgotten meanwhile: align again."
            )
        found = await self.space.get("episodes", *labels)
        if [each and each["episode"]["ground_truth"] for each in found] != [*labels.values()]:
            raise Conflict(
                "The user says otherwise by now of an episode that the new rules rest on: "
                "align again."
            )

    async def _latest(self) -> int | None:
        [value] = await self.space.get("persona", CURRENT)
        return None if value is None else int(value["version"])

    async def _every(self) -> AsyncIterator[Persona]:
        async for key, value in self.space.each("persona"):
            if key != CURRENT:
                yield Persona.model_validate(value)

    async def _write(self, persona: Persona) -> None:
        [current] = await self.space.get("persona", CURRENT)
        highest = max(_highest(persona), 0 if current is None else current["highest_rule"])
        await self.space.write(
            [
                ("persona", f"{persona.version:06d}", persona.stored()),
                ("persona", CURRENT, _current(persona, highest)),
            ]
        )

    async def _rewrite(self, persona: Persona) -> None:
        [current] = await self.space.get("persona", CURRENT)
        changes: list[Change] = [("persona", f"{persona.version:06d}", persona.stored())]
        if current is not None and current["version"] == persona.version:
            changes.append(("persona", CURRENT, _current(persona, current["highest_rule"])))
        await self.space.write(changes)


def _current(persona: Persona, highest: int) -> Value:
    """What is kept of the current version under one key, so that a turn reads it at once."""
    return {"version": persona.version, "highest_rule": highest, "persona": persona.stored()}


def _highest(persona: Persona) -> int:
    """The highest number that a rule's id bears (``r7``: 7)."""
    ids = [rule.id.removeprefix("r") for rule in persona.rules]
    return max((int(each) for each in ids if each.isdecimal()), default=0)


def _without(rule: Rule, forgotten: set[str]) -> Rule | None:
    """The rule without that evidence; None if it has no other (a rule of the user's own has none)."""
    rest = [each for each in rule.evidence if each not in forgotten]
    if rest == rule.evidence:
        return rule
    return rule.model_copy(update={"evidence": rest}) if rest else None


def _bare(proof: Proof, forgotten: set[str]) -> Proof:
    """The numbers of the proof alone, those of the forgotten episodes left out."""
    no_text = {"before_answer": "", "after_answer": ""}
    pairs = [p.model_copy(update=no_text) for p in proof.pairs if p.episode not in forgotten]
    return proof.model_copy(update={"gradient": "", "pairs": pairs})
