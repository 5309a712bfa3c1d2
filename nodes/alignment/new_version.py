"""Writing the persona of a run as a new version, after the user's approval where they are asked."""

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.records import Persona, Proof, Rule
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.approval import approved
from personaagent.nodes.alignment.strategies.protocols import FinalPersona


async def publish_version(
    run: AlignmentRun, final: FinalPersona, memory: UserMemory, thread: str | None
) -> Persona | None:
    """Publish the rules as a new version; None if the user, who is asked, refuses them.

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
    edited = rules != final.rules
    proof = Proof(run=run.plan.run, mode=run.plan.mode) if edited else _proof(run, final)
    return await memory.personas.publish(
        rules,
        author="user" if edited else "alignment",
        note="what alignment proposed, edited" if edited else _note(proof),
        parent=run.from_version,
        proof=proof,
        sources=run.source_ids,
        labels={episode_id: each.wanted for episode_id, each in run.episode_contexts.items()},
    )


def format_losses(proof: Proof) -> str:
    """The mean losses before and after, such as "loss batch 0.40 -> 0.10"; empty without any."""
    means = {"batch": proof.losses("batch"), "held out": proof.losses("holdout")}
    shown = [f"{name} {mean[0]:.2f} -> {mean[1]:.2f}" for name, mean in means.items() if mean]
    return f"loss {', '.join(shown)}" if shown else ""


def _proof(run: AlignmentRun, final: FinalPersona) -> Proof:
    gradients = "\n".join(each.gradient for each in run.rounds if each.accepted)
    return Proof(run=run.plan.run, mode=run.plan.mode, gradient=gradients, pairs=final.pairs)


def _note(proof: Proof) -> str:
    return f"{proof.mode}: {format_losses(proof) or 'not proved'}"
