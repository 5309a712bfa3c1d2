"""Writing the persona of a run as a new version, after the user's approval where they are asked."""

from typing import TypedDict

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.records import Author, Persona, Proof, Rule
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.approval import approved
from personaagent.nodes.alignment.strategies.protocols import FinalPersona


async def publish_version(
    run: AlignmentRun, final: FinalPersona, memory: UserMemory, thread: str | None
) -> Persona | None:
    """Publish rules and weights as a new version; None if the user, who is asked, refuses them.

    Returns the version that exists if this run has already published one. If the user edits the
    rules, the version is theirs, and has no proof.

    Raises:
        Conflict: the persona, or the evidence of a rule, has changed meanwhile.
    """
    current = await memory.personas.current()
    if current.proof and current.proof.run == run.plan.run:
        return current
    rules: list[Rule] | None = final.rules
    if run.plan.approve and current.version == run.from_version:
        rules = await approved(run, final, memory, thread)
    if rules is None:
        return None
    labels = {id: context.wanted for id, context in run.episode_contexts.items()}
    return await memory.personas.publish(
        rules,
        weights=final.weights,
        parent=run.from_version,
        sources=run.source_ids,
        labels=labels,
        **_provenance(run, final, edited=rules != final.rules),
    )


def format_losses(proof: Proof) -> str:
    """The mean losses before and after, such as "loss batch 0.40 -> 0.10"; empty without any."""
    means = {"batch": proof.losses("batch"), "held out": proof.losses("holdout")}
    shown = [f"{name} {mean[0]:.2f} -> {mean[1]:.2f}" for name, mean in means.items() if mean]
    return f"loss {', '.join(shown)}" if shown else ""


class _Provenance(TypedDict):
    author: Author
    note: str
    proof: Proof


def _provenance(run: AlignmentRun, final: FinalPersona, *, edited: bool) -> _Provenance:
    """Who wrote the version, and why."""
    proof = Proof(run=run.plan.run, mode=run.plan.mode)
    if edited:
        return {"author": "user", "note": "what alignment proposed, edited", "proof": proof}
    gradients = "\n".join(done.gradient for done in run.rounds if done.accepted)
    proof = proof.model_copy(update={"gradient": gradients, "pairs": final.pairs})
    note = f"{proof.mode}: {format_losses(proof) or 'not proved'}"
    return {"author": "alignment", "note": note, "proof": proof}
