"""Messages and the tool that each calls for, shown to a small model before it chooses."""

from typing import Any

EXAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    ("Who discovered radium?", "search_wikipedia", {"query": "radium"}),
    ("What did I say about my garden?", "recall_episodes", {"query": "garden"}),
    ("Hi there!", "answer", {}),
    ("Where does the Danube end?", "search_wikipedia", {"query": "Danube"}),
    ("Shorten this: It is a fact that he came.", "answer", {}),
    ("Which phone did I want to buy?", "recall_episodes", {"query": "phone to buy"}),
]
"""(the user's message, the action, its arguments); examples of tools not offered are left out."""
