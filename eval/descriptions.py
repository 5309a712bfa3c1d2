"""Every task and every solver, each with a short description, for ``eval list``."""

from personaagent.eval.solvers.registry import BASELINES, SOLVERS
from personaagent.eval.tasks.all import TASKS

DESCRIPTIONS = {
    "prompt": "the bare model",
    "icl": "examples from other users, drawn by the seed",
    "recency": "the user's latest episodes",
    "rag": "the user's most similar episodes",
    "pag": "a summary of the user, and the most similar episodes",
    "react": "ReAct with the tools, without persona or recall",
    "membank": "memory with daily summaries and a forgetting curve (MemoryBank)",
    "reminder": "the history, and a line that asks to respect the user's preferences",
    "majority": "no model: the user's most frequent label",
    "similar": "no model: the label of the most similar episode",
    "history": "no model: votes of the user's labels, their prior, and the answers' names",
    "fused": "the prompt of rag, its answer weighed with the user's labels",
    "persona-paper": "the agent, aligned by Algorithm 1 of the paper",
    "persona": "the agent, aligned and tested on held-out episodes, as `align` does",
    "persona-no-alignment": "the agent with its initial persona",
    "persona-no-persona": "the agent without persona and profile",
    "persona-no-memory": "the agent without recall and profile",
    "persona-no-action": "the agent without tools",
    "recall-only": "the agent; it knows only what its recall tool finds",
    "wikipedia-only": "the agent; it knows only what Wikipedia finds",
    "recall-and-wikipedia": "the agent with both tools, and no recall before it answers",
    "no-tools": "the agent without tools and recall",
}
"""Each solver in a few words."""

Rows = dict[str, list[dict[str, object]]]


def describe_tasks_and_solvers() -> Rows:
    """A row for each task and each solver; users know solvers as methods."""
    return {
        "tasks": [
            {
                "name": name,
                "about": ", ".join(metric.name for metric in task.metrics),
                "metrics": [metric.name for metric in task.metrics],
                "labels": list(task.labels),
                "answers": task.answers,
            }
            for name, task in TASKS.items()
        ],
        "methods": [
            {
                "name": name,
                "about": DESCRIPTIONS[name],
                "asks": solver.uses_model,
                "recalls": solver.prepare_recall is not None,
                "baseline": name in BASELINES,
            }
            for name, solver in SOLVERS.items()
        ],
    }
