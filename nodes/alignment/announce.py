"""Who learns what alignment has done: the user, and of a new version the operator's webhook."""

from collections.abc import Sequence

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_state import AUTOMATIC_TRIGGERS, AlignmentPlan
from personaagent.core.records import Persona, Rule
from personaagent.core.settings import Settings
from personaagent.core.telling import learned, refusals
from personaagent.core.weights import Weights
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.webhook import notify_webhook


async def announce(
    published: Persona,
    rules_before: Sequence[Rule],
    new_weights: Sequence[Weights],
    plan: AlignmentPlan,
    memory: UserMemory,
    settings: Settings,
) -> None:
    """Leave a notice for the user if nobody asked for the run, and notify the webhook."""
    if plan.trigger in AUTOMATIC_TRIGGERS and not plan.approve:
        pairs = published.proof.pairs if published.proof else []
        text = learned(rules_before, published.rules, pairs, new_weights)
        notice = f"{text} Version {published.version} of your persona speaks; you can undo it."
        await memory.notices.add(published.version, notice)
    await notify_webhook(settings, memory.store.key, published)


async def announce_refusals(result: Alignment, plan: AlignmentPlan, memory: UserMemory) -> None:
    """Leave a notice of why nothing was learned, if nobody asked for the run."""
    if plan.trigger not in AUTOMATIC_TRIGGERS or result.to_version != result.from_version:
        return
    if plan.approve or result.stopped_by == "conflict" or not result.refused:
        return
    text = f"Nothing was learned from what you wanted. Not taken: {refusals(result.refused, 1)}"
    await memory.notices.add(result.from_version, text, about="refused")
