"""Who learns that alignment has published a version: the user, and the operator's webhook."""

from personaagent.core.alignment_state import AUTOMATIC_TRIGGERS, AlignmentPlan
from personaagent.core.records import Persona
from personaagent.core.settings import Settings
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.new_version import format_losses
from personaagent.nodes.alignment.webhook import notify_webhook


async def announce(
    published: Persona, plan: AlignmentPlan, memory: UserMemory, settings: Settings
) -> None:
    """Leave a notice for the user if nobody asked for the run, and notify the webhook."""
    if plan.trigger in AUTOMATIC_TRIGGERS and not plan.approve:
        await memory.notices.add(published.version, _notice(published))
    await notify_webhook(settings, memory.store.key, published)


def _notice(persona: Persona) -> str:
    """What the user reads with the next answer; it holds no text of their memory."""
    losses = format_losses(persona.proof) if persona.proof else ""
    shown = f" ({losses})" if losses else ""
    return f"Version {persona.version} of your persona speaks, learned from what you wanted{shown}."
