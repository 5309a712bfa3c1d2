"""The profile summary that a method begins with, by the agent's own means."""

import time

from personaagent.core.records import Usage
from personaagent.eval.case import Learned
from personaagent.eval.methods.lab import Remembered
from personaagent.memory.summary import refresh_summary


async def summarise(remembered: Remembered) -> Learned:
    """Have the critic write the summary of what is remembered; it stands in the memory then.

    Raises:
        ServiceError, ConfigurationError: as ``speak`` raises them.
    """
    began = time.monotonic()
    critic = await remembered.parts.models.chat("critic")
    used = await refresh_summary(remembered.memory, critic)
    return Learned(usage=Usage().add("critic", used), seconds=time.monotonic() - began)
