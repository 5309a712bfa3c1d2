"""The profile summary that some solvers start with, written as the agent writes it."""

import time

from personaagent.core.records import Usage
from personaagent.eval.samples import TrainingResult
from personaagent.eval.solvers.environment import SampleMemory
from personaagent.memory.summary import refresh_summary


async def summarise_user(sample_memory: SampleMemory) -> TrainingResult:
    """Have the critic write a summary of the history into the user's profile.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    started = time.monotonic()
    critic = await sample_memory.deps.models.chat("critic")
    calls = sample_memory.deps.settings.summary_calls
    usage = await refresh_summary(sample_memory.memory, critic, max_calls=calls)
    return TrainingResult(usage=Usage().add("critic", usage), seconds=time.monotonic() - started)
