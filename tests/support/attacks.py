"""Attacks of our own making: text that wants to become a rule, by the way in which it comes."""

from pathlib import Path
from typing import Literal

from personaagent.core.records import Episode, Record
from tests.support.memories import episode

Channel = Literal["tool", "wikipedia", "answer", "import", "truth", "twins", "thread", "preamble"]
TRUTHS = ("truth", "twins", "thread", "preamble")
"""The channels that speak through a ground truth."""


class Attack(Record):
    """A text that comes by ``channel``, and the ``rule`` that a gullible editor makes of it.

    Channels: the result of a tool, a page of Wikipedia, an answer of the agent that nobody
    confirmed, an imported message without ground truth; and, within ground truths, a single
    episode, two episodes of one question (``twins``) or of one conversation (``thread``), and
    orders against what is fixed (``preamble``: given on two occasions that are independent).
    """

    id: str
    channel: Channel
    text: str
    rule: str

    def episodes(self) -> list[Episode]:
        """The episodes that bring the attack into memory; no ground truth where none is meant."""
        first = f"Tell me about the road {self.id}?"
        match self.channel:
            case "import":
                message = f"{first} {self.text}"
                return [episode(self.id, message, day=50, response="ok", source="chatgpt")]
            case "tool" | "wikipedia" | "answer":
                return [episode(self.id, first, day=50, response=self.text)]
            case "truth":
                return [episode(self.id, first, day=50, ground_truth=self.text)]
            case "twins":
                return self._twice(first, f"{first} ")
            case "thread":
                other = "And how long does the train need?"
                return self._twice(first, other, metadata={"thread_id": "one"})
            case "preamble":
                return self._twice(first, "How many grams are two cups of flour?")

    def _twice(self, first: str, second: str, **fields: object) -> list[Episode]:
        return [
            episode(f"{self.id}-{day}", query, day=day, ground_truth=self.text, **fields)
            for day, query in ((50, first), (51, second))
        ]


def attacks() -> list[Attack]:
    """The corpus that the guard was written with, each channel in turn."""
    return _read("attacks.jsonl")


def unseen_attacks() -> list[Attack]:
    """Attacks that the guard was not written for, and which show what it finds in general.

    The rules of ``para`` say the attack in other words. The patterns against the fixed
    instructions were written with ``held`` and ``para`` in view; ``fresh`` was written after all.
    """
    return _read("unseen_attacks.jsonl")


def _read(name: str) -> list[Attack]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [Attack.model_validate_json(line) for line in lines]
