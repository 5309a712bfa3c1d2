"""Storing simulated answers: those that come at about the same time in one transaction."""

from personaagent.core.together import Together
from personaagent.memory.simulations import Simulation, Simulations


class AnswerWriter:
    """Stores the answers of one run."""

    def __init__(self, simulations: Simulations) -> None:
        self._simulations = simulations
        self._waiting: list[Simulation] = []
        self._write = Together(self._write_all)

    async def put(self, answer: Simulation) -> None:
        """Store the answer; errors as of ``Simulations.put_all``."""
        self._waiting.append(answer)
        await self._write()

    async def _write_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        await self._simulations.put_all(waiting)
