"""Asking the user before a persona is published: what they see, and what becomes of their answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from personaagent.core.alignment import Alignment, Proposal
from personaagent.core.errors import Conflict, Unapproved
from personaagent.core.records import Persona, Proof, Rule
from personaagent.local.agent import open_local
from tests.support.alignment import PREFERENCES, Scripted, World, walks, world

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

KILOMETRES, STATION, *_ = PREFERENCES


@pytest.fixture
async def there(tmp_path: Path) -> World:
    made = world(tmp_path, Scripted(), approval="ask")
    await made.remember(*walks(6, [KILOMETRES]))
    return made


async def asked(there: World, **context: Any) -> Proposal:
    """Run until the user is asked; what they are asked."""
    return question(await there.run({"trigger": "test"}, **context))


async def answered(there: World, answer: Any) -> dict[str, Any]:
    return await there.run(Command(resume=answer))


def question(state: dict[str, Any]) -> Proposal:
    [interrupt] = state["__interrupt__"]
    return Proposal.model_validate(interrupt.value)


def own(proposal: Proposal, **texts: str) -> dict[str, Any]:
    """The proposal's rules as an edit, with these texts in place of others, by id."""
    rules = [{"id": r.id, "text": texts.get(r.id, r.text)} for r in proposal.rules_after]
    return {"decision": "edit", "rules": rules}


async def current(there: World) -> Persona:
    return await there.memory.personas.current()


async def test_the_user_sees_the_change_its_evidence_and_their_own_questions(there: World) -> None:
    proposal = await asked(there)
    [change] = proposal.changes
    assert (change.action, change.rule, change.after) == ("add", "r4", KILOMETRES)
    assert {each.query for each in change.evidence} >= {"Tell me about the waterfall?"}
    assert all("measured in kilometres" in each.wanted for each in change.evidence)
    assert len(proposal.pairs) == 6
    for pair in proposal.pairs:
        assert pair.query.startswith("Tell me about")
        assert "kilometres" not in pair.before_answer
        assert pair.after_answer == pair.wanted
    assert (await current(there)).version == 1


@pytest.mark.parametrize("answer", [True, {"decision": "approve"}])
async def test_what_the_user_approves_is_published(there: World, answer: Any) -> None:
    await asked(there)
    state = await answered(there, answer)
    persona = await current(there)
    assert (persona.version, persona.author) == (2, "alignment")
    assert persona.rules[-1].text == KILOMETRES
    assert state["result"]["to_version"] == 2
    assert not await there.memory.unaligned.due(1)


@pytest.mark.parametrize("answer", [False, {"decision": "refuse"}, "", "yes", 1, ["approve"]])
async def test_nothing_but_approval_approves(there: World, answer: Any) -> None:
    await asked(there)
    state = await answered(there, answer)
    assert (await current(there)).version == 1
    assert state["result"]["to_version"] == 1
    assert "__interrupt__" not in state


async def test_an_edit_is_the_users_own_and_was_not_proved(there: World) -> None:
    proposal = await asked(there)
    edit = own(proposal, r4="Give distances in kilometres, and never in miles.")
    edit["rules"].append({"text": "Call me by my first name."})
    edit["rules"][0]["locked"] = True
    state = await answered(there, edit)
    persona = await current(there)
    assert (persona.version, persona.author, persona.parent) == (2, "user", 1)
    assert [rule.text for rule in persona.rules[3:]] == [
        "Give distances in kilometres, and never in miles.",
        "Call me by my first name.",
    ]
    assert [rule.id for rule in persona.rules] == ["r1", "r2", "r3", "r4", "r5"]
    assert persona.rules[0].locked
    assert persona.rules[3].evidence == []
    assert persona.proof is not None
    assert (persona.proof.pairs, persona.proof.gradient) == ([], "")
    result = Alignment.model_validate(state["result"])
    assert (result.to_version, result.rules_after, result.pairs) == (2, persona.rules, [])


async def test_an_edit_back_to_how_it_was_publishes_nothing(there: World) -> None:
    proposal = await asked(there)
    before = [{"id": rule.id, "text": rule.text} for rule in proposal.rules_before]
    state = await answered(there, {"decision": "edit", "rules": before})
    assert (await current(there)).version == 1
    assert state["result"]["to_version"] == 1


async def test_an_edit_that_leaves_all_as_proposed_approves(there: World) -> None:
    await answered(there, own(await asked(there)))
    persona = await current(there)
    assert (persona.version, persona.author) == (2, "alignment")
    assert persona.rules[-1].evidence


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (lambda rules: rules[0].update(text=" "), "text of a rule is empty"),
        (lambda rules: rules[0].update(text="x" * 1001), "at most 1,000"),
        (lambda rules: rules[0].update(text="bell\x07"), "control character"),
        (lambda rules: rules[0].update(id="r99"), "no rule 'r99'"),
        (lambda rules: rules.append(rules[0]), "is listed twice"),
        (lambda rules: rules[0].pop("text"), "rules.0.text: Field required"),
        (lambda rules: rules[0].update(evidence=["walk1"]), "evidence: Extra inputs"),
    ],
)
async def test_an_edit_that_cannot_be_used_is_asked_again(
    there: World, break_it: Callable[[list[dict[str, Any]]], None], problem: str
) -> None:
    proposal = await asked(there)
    edit = own(proposal)
    break_it(edit["rules"])
    again = question(await answered(there, edit))
    assert problem in again.problem
    assert again.rules_after == proposal.rules_after
    assert (await current(there)).version == 1
    await answered(there, own(proposal, r4="Say it in kilometres."))
    assert (await current(there)).rules[-1].text == "Say it in kilometres."


async def test_an_edit_without_rules_does_not_empty_the_persona(there: World) -> None:
    await asked(there)
    again = question(await answered(there, {"decision": "edit"}))
    assert "an edit needs rules" in again.problem
    assert (await current(there)).version == 1


async def test_a_client_cannot_say_that_the_user_is_not_asked(there: World) -> None:
    await asked(there, approve=False)
    assert (await current(there)).version == 1


async def test_a_client_cannot_write_into_the_run_that_the_user_is_not_asked(there: World) -> None:
    proposal = await asked(there)
    await there.write_plan(after="gate", approve=False)
    assert question(await there.run(None)) == proposal
    assert (await current(there)).version == 1


async def test_what_rests_on_a_forgotten_episode_is_not_published_whatever_the_answer(
    there: World,
) -> None:
    proposal = await asked(there)
    await there.memory.episodes.delete(["walk5"])
    state = await answered(there, own(proposal, r4="Always in kilometres."))
    assert state["result"]["stopped_by"] == "conflict"
    assert (await current(there)).version == 1


async def test_a_run_that_nobody_asked_for_leaves_the_question_standing(there: World) -> None:
    proposal = await asked(there)
    prompts = len(there.prompts)
    assert question(await there.run({"trigger": "nightly"})) == proposal
    assert len(there.prompts) == prompts
    await answered(there, True)
    assert (await current(there)).version == 2


async def test_a_run_that_nobody_asked_for_does_nothing_where_nothing_is_new(there: World) -> None:
    await asked(there)
    last = (await answered(there, True))["result"]
    prompts = len(there.prompts)
    state = await there.run({"trigger": "nightly"})
    assert state["result"] == last
    assert state["trigger"] == ""
    assert len(there.prompts) == prompts


async def test_on_one_machine_somebody_must_be_there_to_answer(there: World) -> None:
    async with open_local(there.deps.settings, there.deps) as agent:
        memory = agent.memory("anna")
        await memory.episodes.add(walks(6, [KILOMETRES]))
        with pytest.raises(Unapproved, match="`personaagent align` asks"):
            await agent.align("anna")

        async def approve(question: dict[str, Any]) -> bool:
            return Proposal.model_validate(question).rules_after[-1].text == KILOMETRES

        prompts = len(there.prompts)
        assert (await agent.align("anna", approve=approve)).to_version == 2
        assert len(there.prompts) == prompts


async def test_an_edit_cannot_slip_past_what_is_forgotten_at_the_last_moment(there: World) -> None:
    personas = there.memory.personas
    rules = [*(await current(there)).rules, Rule(id="r4", text="In kilometres.")]
    edited = {"author": "user", "note": "", "proof": Proof(run="run", mode="gated")}
    with pytest.raises(Conflict, match="forgotten"):
        await personas.publish(rules, parent=1, sources=["gone"], **edited)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="changed a label"):
        await personas.publish(rules, parent=1, labels={"walk1": "Miles."}, **edited)  # type: ignore[arg-type]
    assert (await current(there)).version == 1
