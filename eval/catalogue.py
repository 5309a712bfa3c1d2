"""The tasks and methods that there are, in a few words each."""

from personaagent.eval.solvers.all import BASELINES, SOLVERS
from personaagent.eval.tasks.all import TASKS

ABOUT = {
    "prompt": "the bare model",
    "icl": "examples of other users, drawn by the seed",
    "recency": "the latest of the user's episodes",
    "rag": "the most similar of the user's episodes",
    "pag": "a summary of the user, and the most similar episodes",
    "react": "ReAct with the tools, without persona or memory of its own",
    "membank": "memory with daily summaries and a forgetting curve (MemoryBank)",
    "reminder": "the history, and one line that reminds of the user's preferences",
    "majority": "no model: the user's most frequent label",
    "similar": "no model: the label of the most similar episode",
    "persona-paper": "the agent, aligned by Algorithm 1 of the paper",
    "persona": "the agent, aligned with proof: what `align` publishes",
    "persona-no-alignment": "the agent with its initial persona",
    "persona-no-persona": "the agent without persona and profile",
    "persona-no-memory": "the agent without recall and profile",
    "persona-no-action": "the agent without tools",
    "recall-only": "the agent; what the recall tool finds is all that it knows",
    "wikipedia-only": "the agent; what Wikipedia finds is all that it knows",
    "recall-and-wikipedia": "the agent with both tools, and nothing recalled for it",
    "no-tools": "the agent with neither",
}
"""Each method in a few words."""

Rows = dict[str, list[dict[str, object]]]


def catalogue() -> Rows:
    """Tasks and methods by name, with what they are about."""
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
                "about": ABOUT[name],
                "asks": method.asks,
                "recalls": method.recalls is not None,
                "baseline": name in BASELINES,
            }
            for name, method in SOLVERS.items()
        ],
    }
