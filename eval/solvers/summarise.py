"""The profile summary that a method begins with, by the agent's own means."""

import time

from personaagent.core.records import Usage
from personaagent.eval.samples import TrainingResult
from personaagent.eval.solvers.environment import Remembered
from personaagent.memory.summary import refresh_summary


async def summarise(remembered: Remembered) -> TrainingResult:
    """Have the critic write the summary of what is remembered; it stands in the memory then.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    began = time.monotonic()
    critic = await remembered.deps.models.chat("critic")
    used = await refresh_summary(remembered.memory, critic)
    return TrainingResult(usage=Usage().add("critic", used), seconds=time.monotonic() - began)
