"""How a gradient becomes candidates for the next persona."""

import re
from collections.abc import Sequence
from itertools import count

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from personaagent.core.alignment import Action, Candidate, Operation
from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import RoleUsage, Rule, Usage
from personaagent.memory.personas import render_persona
from personaagent.models.invoke import invoke_model
from personaagent.models.structured import invoke_structured
from personaagent.models.usage import usage_of
from personaagent.nodes.alignment.actor_prompt import draft_persona
from personaagent.nodes.alignment.critique_input import CritiqueInput
from personaagent.nodes.alignment.edits import edited, refusal_of
from personaagent.nodes.alignment.plain_rules import plain_instruction
from personaagent.nodes.alignment.strategies.protocols import Gradient, Proposed
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

MOST_RULES = 12
_ID = re.compile(r"^r\d+:\s*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s*")


class _Proposal(BaseModel):
    """The new text comes first: a small model that has named a rule goes on to copy it.

    The lengths bind a grammar. A longer text, from an endpoint without one, is refused alone.
    """

    evidence: list[str] = Field(json_schema_extra={"maxItems": 8})
    text: str = Field(json_schema_extra={"maxLength": 400})
    action: Action
    rule: str = Field(json_schema_extra={"maxLength": 8})


class _Proposals(BaseModel):
    proposals: list[_Proposal] = Field(json_schema_extra={"maxItems": 8})


class RuleEdits:
    """Several alternative edits of one rule each, from one call; each edit makes one candidate.

    The call continues critique's conversation, so that an endpoint does not read the prompt again.
    Up to half of the candidates are points of the gradient in the critic's own words, since a small
    editor loses them when it rephrases. If no edit is allowed, the reasons are fed back once.
    """

    async def propose(self, critique_input: CritiqueInput, gradient: Gradient) -> Proposed:
        """The candidates of all edits that are allowed."""
        most = critique_input.plan.candidates
        points = _points_as_edits(gradient, most // 2)
        messages = _update_messages(critique_input, gradient, most - len(points))
        edits, usage = await _ask_for_edits(critique_input, messages)
        candidates, refused = await _check(edits, critique_input)
        if refused and not candidates:
            reasons = render("update_refused", reasons="\n".join(refused))
            messages[-1] = HumanMessage(f"{messages[-1].text}\n\n{reasons}")  # roles take turns
            edits, more_usage = await _ask_for_edits(critique_input, messages)
            candidates, refused_again = await _check(edits, critique_input)
            refused, usage = refused + refused_again, usage + more_usage
        from_points, refused_points = await _check(points, critique_input)
        by_edit = {describe(c.operations[0]): c for c in [*from_points, *candidates]}
        return Proposed([*by_edit.values()][:most], refused_points + refused, usage)


def _points_as_edits(gradient: Gradient, most: int) -> list[Operation]:
    return [
        Operation(action="add", text=_instruction(point.text), evidence=point.evidence)
        for point in gradient.points[:most]
    ]


def _update_messages(
    critique_input: CritiqueInput, gradient: Gradient, candidates: int
) -> list[BaseMessage]:
    refused = critique_input.refused
    request = render(
        "update",
        candidates=str(candidates),
        rule_chars=str(critique_input.deps.settings.rule_chars),
        tried=render("tried", tried="\n".join(refused)) if refused else "",
    )
    return [
        SystemMessage(critique_input.format()),
        HumanMessage(render("critique")),
        AIMessage(gradient.text),
        HumanMessage(request),
    ]


async def _ask_for_edits(
    critique_input: CritiqueInput, messages: Sequence[BaseMessage]
) -> tuple[list[Operation], Usage]:
    """The edits that the editor proposes; none if its reply is unusable."""
    model = await critique_input.deps.models.chat("editor")
    unlocked = [rule.id for rule in critique_input.rules if not rule.locked]
    names = {"rule": ["", *unlocked], "evidence": [*critique_input.names]}
    try:
        async with critique_input.deps.model_slots:
            reply, used = await invoke_structured(
                model, messages, _Proposals, role="editor", names=names
            )
    except UnusableAnswer:
        return [], Usage().add("editor", RoleUsage(llm_calls=1))
    edits = [_as_operation(proposal, critique_input) for proposal in reply.proposals]
    return edits, Usage().add("editor", used)


def _as_operation(proposal: _Proposal, critique_input: CritiqueInput) -> Operation:
    return Operation(
        action=proposal.action,
        rule="" if proposal.action == "add" else proposal.rule.strip(),
        text="" if proposal.action == "remove" else _instruction(proposal.text),
        evidence=critique_input.ids(proposal.evidence),
    )


async def _check(
    edits: Sequence[Operation], critique_input: CritiqueInput
) -> tuple[list[Candidate], list[str]]:
    """A candidate for each edit that is allowed, and a line with the reason for each other."""
    next_id = await next_rule_id(critique_input)
    candidates: list[Candidate] = []
    refused: list[str] = []
    for edit in edits:
        if reason := refusal_of(edit, critique_input):
            refused.append(f"- {describe(edit)}: {reason}")
        else:
            rules = edited(critique_input.rules, edit, next_id)
            candidates.append(Candidate(rules=rules, operations=[edit]))
    return candidates, refused


class WholeRewrite:
    """One rewrite of the whole persona (paper, Algorithm 1); locked rules stay as they are."""

    async def propose(self, critique_input: CritiqueInput, gradient: Gradient) -> Proposed:
        """One candidate: each line that the editor writes is a rule."""
        prompt = render(
            "paper_rewrite",
            persona=render_persona(draft_persona(critique_input.rules)),
            feedback=fence("feedback", gradient.text),
        )
        model = await critique_input.deps.models.chat("editor")
        async with critique_input.deps.model_slots:
            reply = await invoke_model(model, [HumanMessage(prompt)], role="editor")
        usage = Usage().add("editor", usage_of(reply))
        lines = [_BULLET.sub("", line).strip() for line in reply.text.splitlines()]
        texts = [line for line in dict.fromkeys(lines) if line][:MOST_RULES]
        if not texts:
            return Proposed([], [], usage)
        evidence = [episode_id for point in gradient.points for episode_id in point.evidence]
        next_id = await next_rule_id(critique_input)
        rules = _rewritten(critique_input.rules, texts, evidence, next_id)
        return Proposed([Candidate(rules=rules)], [], usage)


def _rewritten(
    rules: Sequence[Rule], texts: Sequence[str], evidence: list[str], next_id: str
) -> list[Rule]:
    """The locked rules, then a rule for each text: the old one if its text is the same."""
    by_text = {" ".join(rule.text.split()): rule for rule in rules}
    numbers = count(int(next_id.removeprefix("r")))
    written = [
        by_text.get(text) or Rule(id=f"r{next(numbers)}", text=text, evidence=evidence)
        for text in texts
    ]
    return [rule for rule in rules if rule.locked] + [rule for rule in written if not rule.locked]


def _instruction(text: str) -> str:
    """The text as one plain instruction, without the rule id that a model may have put before it."""
    return plain_instruction(_ID.sub("", " ".join(text.split())))


async def next_rule_id(critique_input: CritiqueInput) -> str:
    """An id that no rule has, neither in a stored version nor in the rules so far."""
    unused = await critique_input.memory.personas.next_rule_id()
    numbers = [rule.id.removeprefix("r") for rule in critique_input.rules]
    taken = [int(number) for number in numbers if number.isdecimal()]
    return f"r{max(int(unused.removeprefix('r')), *(number + 1 for number in taken), 0)}"


def describe(operation: Operation) -> str:
    """An edit in one line."""
    return " ".join(part for part in (operation.action, operation.rule, operation.text) if part)
