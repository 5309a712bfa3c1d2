"""All tasks, by the names of their folders."""

from personaagent.eval.tasks import lamp, persistbench
from personaagent.eval.tasks.lamp_citations import LampCitations
from personaagent.eval.tasks.locomo import LocomoAnswers, LocomoRecall
from personaagent.eval.tasks.prefeval import PrefEvalChoice, PrefEvalText
from personaagent.eval.tasks.protocol import Task

_ALL: tuple[Task, ...] = (
    LampCitations(),
    *lamp.TASKS,
    PrefEvalChoice(),
    PrefEvalText(),
    LocomoRecall(),
    LocomoAnswers(),
    *persistbench.TASKS,
)
TASKS: dict[str, Task] = {task.name: task for task in _ALL}
