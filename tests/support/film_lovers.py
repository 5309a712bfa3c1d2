"""Film lovers as samples of the evaluation, and models that answer by what they are told."""

import re

from tests.support.scripted_model import Prompt, Reply
from tests.support.solvers import films, summarising, wanted

GOLD = "the gold that nobody must see"
ANNA = films(
    "anna",
    ("the knight of a castle", "classic"),
    ("a robot in space", "sci-fi"),
    ("a robot on the moon", "sci-fi"),
    ("the dog and the cat", "comedy"),
    about="the knight of a dark castle in space",
    gold=GOLD,
)
OTHERS = [films(f"other{n}", (f"film {n}", f"tag{n}"), about="x") for n in range(9)]


@summarising
def reader(prompt: Prompt) -> Reply:
    """Answers by what was wanted before, as far as it is told."""
    return ", ".join(wanted("\n".join(message.text for message in prompt.messages))) or "nothing"


@summarising
def by_summary(prompt: Prompt) -> Reply:
    """Answers by the summary that it is told."""
    [summary] = re.findall(r"^<summary>\n(.*?)\n</summary>", prompt.system, re.M | re.S)
    return str(summary)
