"""Models for users whose data outlives the code that wrote it, and what those models were asked.

The fixture of a release is made with them, and the test that opens it years later asks them too.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from tests.support.alignment import Scripted, useful
from tests.support.alignment_endpoint import over_http, role_of
from tests.support.endpoint import Reply, Stall
from tests.support.scripted_model import Prompt

FIXTURE = Path(__file__).parents[1] / "fixtures" / "written_by_0_1"
BOAT = "My boat is called Juniper."
BIRD = "My bird is a quetzal."
KNOWN = {
    BOAT: "Your boat is called Juniper.",
    BIRD: "Your bird is a quetzal.",
}
"""What a user may say of themselves, and what is answered by whoever has read that."""
LIMITS = {
    "PERSONAAGENT_ALIGN_AFTER": "0",
    "PERSONAAGENT_ALIGN_BATCH": "2",
    "PERSONAAGENT_ALIGN_HOLDOUT": "3",
    "PERSONAAGENT_ALIGN_ROUNDS": "5",
    "PERSONAAGENT_ALIGN_SAMPLING": "hardest",
    "PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge",
    "PERSONAAGENT_CONCURRENCY": "1",
    "PERSONAAGENT_SUMMARY_EVERY": "0",
}
"""Settings with which a run has several rounds, each with another batch."""
USELESS = "Speak of castles."
"""A rule that helps nobody: what proposes it is refused."""
Asked = tuple[str, tuple[str, ...]]
"""What an actor was asked to simulate: the query, and the rules of its persona."""


def simulated(body: dict[str, Any]) -> Asked | None:
    """What a request asks an actor to simulate; None for any other request."""
    messages = body["messages"]
    query = str(messages[-1]["content"])
    if role_of(body) != "actor" or not query.startswith("Tell me about "):
        return None
    persona = str(messages[0]["content"]).partition("<persona>")[2].partition("</persona>")[0]
    return query, tuple(line.removeprefix("- ") for line in persona.strip().splitlines())


def every_simulation(bodies: Iterable[dict[str, Any]]) -> list[Asked]:
    """All that actors were asked to simulate, in order."""
    return [asked for asked in map(simulated, bodies) if asked is not None]


def says(body: dict[str, Any]) -> Reply:
    """A model that reads its prompt: of walks it answers by the persona, of boat and bird by what
    the conversation or the memory has said, and as critic it sums up what it is shown."""
    told = [str(each["content"]) for each in body["messages"]]
    if "short profile of one user" in told[-1]:
        return _summary(told[-1])
    if role_of(body) != "actor" or told[-1].startswith("Tell me about "):
        return over_http(Scripted(propose=_one_at_a_time))(body)
    if not told[-1].endswith("?"):
        return "Noted."
    answers = [answer for fact, answer in KNOWN.items() if any(fact in each for each in told[:-1])]
    return " ".join(answers) or "I do not know."


def says_from_the_conversation(body: dict[str, Any]) -> Reply:
    """The same, but of what stands in its system prompt it knows nothing."""
    others = [each for each in body["messages"] if each["role"] != "system"]
    return says({**body, "messages": [{"role": "system", "content": ""}, *others]})


def _summary(shown: str) -> str:
    changes = []
    for fact, answer in KNOWN.items():
        of_it = re.findall(rf"(E\d+): the user asked: {re.escape(fact)}", shown)
        text = answer.replace("Your", "The user's")
        if of_it and text not in shown:
            changes.append({"statement": "new", "text": text, "evidence": of_it})
    return json.dumps({"changes": changes})


def _one_at_a_time(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
    return useful(prompt, missing[:1])


@dataclass
class Killable:
    """The same models for a run that is to be killed in the middle.

    In the ``refused_in``-th round (from 1) the editor proposes what cannot be proved. What ``held``
    picks out is never answered, and sets ``holding``.
    """

    refused_in: int = 0
    held: Callable[[dict[str, Any]], bool] = lambda body: False
    holding: Event = field(default_factory=Event)
    answered: list[dict[str, Any]] = field(default_factory=list)
    edits: int = 0

    def __call__(self, body: dict[str, Any]) -> Reply:
        if self.held(body):
            self.holding.set()
            return Stall(None)
        self.answered.append(body)
        if role_of(body) == "editor":
            self.edits += 1
            if self.edits == self.refused_in:
                return over_http(Scripted(propose=_useless))(body)
        return says(body)


def _useless(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
    return [{**each, "text": USELESS} for each in useful(prompt, missing[:1])]


def in_critique(round: int) -> Callable[[dict[str, Any]], bool]:
    """Whether the critic of that round (from 1) is asked."""
    critics = 0

    def is_it(body: dict[str, Any]) -> bool:
        nonlocal critics
        critics += role_of(body) == "critic"
        return role_of(body) == "critic" and critics == round

    return is_it


def in_simulate(model: Killable) -> Callable[[dict[str, Any]], bool]:
    """Whether the second new episode of the second round is simulated: others were before it."""

    def is_it(body: dict[str, Any]) -> bool:
        asked = simulated(body)
        if asked is None or not model.edits:
            return False
        before = every_simulation(model.answered)
        first = before[0][1]
        known = {query for query, rules in before if rules == first}
        new = {query for query, _ in before if query not in known}
        return asked[0] not in known and bool(new - {asked[0]})

    return is_it
