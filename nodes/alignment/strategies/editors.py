"""How a gradient becomes candidates for the next persona."""

import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from personaagent.core.alignment import Action, Candidate, Operation
from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import RoleUsage, Rule, Usage
from personaagent.memory.personas import render_persona
from personaagent.models.invoke import invoke_model
from personaagent.models.structured import invoke_structured
from personaagent.models.usage import usage_of
from personaagent.nodes.alignment.critique_input import CritiqueInput, as_persona
from personaagent.nodes.alignment.edits import edited, refusal_of
from personaagent.nodes.alignment.strategies.protocols import Gradient, Proposed
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

MOST_RULES = 12
_ID = re.compile(r"^r\d+:\s*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s*")


class _Proposal(BaseModel):
    """The new text comes first: a small model that has named a rule goes on to copy it.

    Lengths are for the grammar: what an endpoint without one says too long is refused by itself.
    """

    evidence: list[str] = Field(json_schema_extra={"maxItems": 8})
    text: str = Field(json_schema_extra={"maxLength": 400})
    action: Action
    rule: str = Field(json_schema_extra={"maxLength": 8})


class _Proposals(BaseModel):
    proposals: list[_Proposal] = Field(json_schema_extra={"maxItems": 8})


class RuleEdits:
    """Several alternative edits of one rule each, in one call; each makes one candidate.

    The call goes on with critique's conversation, so that its prompt is not read anew. The points
    of the gradient stand beside them as they are, up to half of the candidates: a small editor
    loses them in other words. Where no edit keeps to the rules, the reasons are fed back once.
    """

    async def propose(self, case: CritiqueInput, gradient: Gradient) -> Proposed:
        """The candidates of all edits that may be made."""
        points = [
            Operation(action="add", text=_bare(point.text), evidence=point.evidence)
            for point in gradient.points[: case.plan.candidates // 2]
        ]
        tried = render("tried", tried="\n".join(case.refused)) if case.refused else ""
        ask = render(
            "update",
            candidates=str(case.plan.candidates - len(points)),
            rule_chars=str(case.deps.settings.rule_chars),
            tried=tried,
        )
        messages: list[BaseMessage] = [
            SystemMessage(case.show()),
            HumanMessage(render("critique")),
            AIMessage(gradient.text),
            HumanMessage(ask),
        ]
        edits, usage = await self._ask(case, messages)
        candidates, refused = await _checked(edits, case)
        if refused and not candidates:
            messages.append(HumanMessage(render("update_refused", reasons="\n".join(refused))))
            edits, more = await self._ask(case, messages)
            candidates, again = await _checked(edits, case)
            refused, usage = refused + again, usage + more
        as_they_are, unfit = await _checked(points, case)
        every = {describe(each.operations[0]): each for each in [*as_they_are, *candidates]}
        return Proposed([*every.values()][: case.plan.candidates], unfit + refused, usage)

    async def _ask(
        self, case: CritiqueInput, messages: Sequence[BaseMessage]
    ) -> tuple[list[Operation], Usage]:
        """The edits that the editor proposes; none where it says nothing usable."""
        model = await case.deps.models.chat("editor")
        rules = [rule.id for rule in case.rules if not rule.locked]
        names = {"rule": ["", *rules], "evidence": [*case.names]}
        try:
            async with case.deps.model_slots:
                answer, used = await invoke_structured(
                    model, messages, _Proposals, role="editor", names=names
                )
        except UnusableAnswer:
            return [], Usage().add("editor", RoleUsage(llm_calls=1))
        edits = [
            Operation(
                action=each.action,
                rule="" if each.action == "add" else each.rule.strip(),
                text="" if each.action == "remove" else _bare(each.text),
                evidence=case.ids(each.evidence),
            )
            for each in answer.proposals
        ]
        return edits, Usage().add("editor", used)


async def _checked(
    edits: Sequence[Operation], case: CritiqueInput
) -> tuple[list[Candidate], list[str]]:
    """The candidate of each edit that may be made, and why the others may not, a line each."""
    next_id = await next_rule_id(case)
    candidates: list[Candidate] = []
    refused: list[str] = []
    for edit in edits:
        if reason := refusal_of(edit, case):
            refused.append(f"- {describe(edit)}: {reason}")
        else:
            rules = edited(case.rules, edit, next_id)
            candidates.append(Candidate(rules=rules, operations=[edit]))
    return candidates, refused


class WholeRewrite:
    """One rewrite of the whole persona (paper, Algorithm 1); locked rules stay as they are."""

    async def propose(self, case: CritiqueInput, gradient: Gradient) -> Proposed:
        """One candidate: a rule a line of what the editor wrote."""
        prompt = render(
            "paper_rewrite",
            persona=render_persona(as_persona(case.rules)),
            feedback=fence("feedback", gradient.text),
        )
        model = await case.deps.models.chat("editor")
        async with case.deps.model_slots:
            reply = await invoke_model(model, [HumanMessage(prompt)], role="editor")
        lines = [_BULLET.sub("", line).strip() for line in reply.text.splitlines()]
        lines = [line for line in dict.fromkeys(lines) if line][:MOST_RULES]
        evidence = [each for point in gradient.points for each in point.evidence]
        kept = {" ".join(rule.text.split()): rule for rule in case.rules}
        number = int((await next_rule_id(case)).removeprefix("r"))
        rules = [rule for rule in case.rules if rule.locked]
        for line in lines:
            if line not in kept:
                rules.append(Rule(id=f"r{number}", text=line, evidence=evidence))
                number += 1
            elif not kept[line].locked:
                rules.append(kept[line])
        usage = Usage().add("editor", usage_of(reply))
        return Proposed([Candidate(rules=rules)] if lines else [], [], usage)


def _bare(text: str) -> str:
    """One line, without the id that a model may have put before it."""
    return _ID.sub("", " ".join(text.split()))


async def next_rule_id(case: CritiqueInput) -> str:
    """An id that no rule bears, in any version or in the rules so far."""
    stored = await case.memory.personas.next_rule_id()
    numbers = [int(i) for rule in case.rules if (i := rule.id.removeprefix("r")).isdecimal()]
    return f"r{max([int(stored.removeprefix('r')), *(n + 1 for n in numbers)])}"


def describe(operation: Operation) -> str:
    """An edit in one line."""
    return " ".join(part for part in (operation.action, operation.rule, operation.text) if part)
