"""Messages and the tool that each calls for, shown to a small model before it chooses."""

from typing import Any, NamedTuple


class Example(NamedTuple):
    """One earlier choice: what was recalled, the user's message, the action and its arguments."""

    recalled: tuple[str, ...]
    message: str
    action: str
    arguments: dict[str, Any]


_JOURNEY = ("I take the bus to work.", "My train to Bern leaves at 7:10.")
_HOME = ("We painted the hall yellow.", "My uncle Leo fishes.")
_DANUBE = ("How do I clean a boat on the Danube?", "I liked the soup.")
_PRICES = ("The rent is 600 euros.", "I bought a desk for my room.")
_ORDERS = ("My laptop is slow.", "I ordered a lamp on Monday.")

EXAMPLES = (
    Example(_JOURNEY, "Who discovered radium?", "search_wikipedia", {"query": "radium"}),
    Example(_JOURNEY, "When does my train leave?", "answer", {}),
    Example(_HOME, "What did I say about my garden?", "recall_episodes", {"query": "garden"}),
    Example((), "Hi there!", "answer", {}),
    Example(_DANUBE, "Where does the Danube end?", "search_wikipedia", {"query": "Danube"}),
    Example(_HOME, "Which colour has our hall?", "answer", {}),
    Example(_PRICES, "How much was my desk?", "recall_episodes", {"query": "price of desk"}),
    Example((), "Shorten this: It is a fact that he came.", "answer", {}),
    Example(_ORDERS, "Which phone did I want?", "recall_episodes", {"query": "phone to buy"}),
)
"""Examples of tools that the agent does not have are left out."""
