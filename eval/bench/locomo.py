"""Quality of recall on LoCoMo: each turn of a conversation an episode, its questions the queries.

Read from ``locomo/locomo10.json`` below PERSONAAGENT_DATA (default ``../shared/data``), in the
layout in which its authors publish it. Recall@k is the share of a question's evidence turns among
the k episodes recalled, averaged over the questions of categories 1 to 4.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, get_args

from measured import Measured, finish, say, skip
from world import real_embedder

from personaagent.core.settings import RecallMode, load_settings
from personaagent.graphs.local import open_local
from personaagent.memory.exchange.importer import import_episodes
from personaagent.memory.user import UserMemory
from personaagent.nodes.parts import Parts

DATA = Path(os.environ.get("PERSONAAGENT_DATA", "../shared/data")) / "locomo" / "locomo10.json"
DEPTHS = (4, 8, 20)
PATIENCE = 60.0


async def measure() -> list[Measured]:
    if not DATA.is_file():
        skip(f"{DATA} is not there: set PERSONAAGENT_DATA to the folder that holds locomo/.")
    embedder = real_embedder()
    found: dict[tuple[RecallMode, int], list[float]] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), recall_timeout=PATIENCE)
        async with open_local(settings, Parts.make(settings, embedder)) as agent:
            for conversation in json.loads(DATA.read_text("utf-8")):
                name = conversation["sample_id"]
                say(f"{name} ...")
                file = Path(folder) / f"{name}.jsonl"
                file.write_text("\n".join(map(json.dumps, turns(conversation))), "utf-8")
                memory = agent.memory(name)
                await import_episodes(memory, file)
                for mode in get_args(RecallMode):
                    for k in DEPTHS:
                        shares = await recalls(replace(memory, mode=mode), conversation, k)
                        found.setdefault((mode, k), []).extend(shares)
    return [
        Measured(f"{mode} recall@{k}", fmean(shares), least=0.55 if (mode, k) == TARGET else None)
        for (mode, k), shares in found.items()
    ]


TARGET = ("hybrid", 8)


async def recalls(memory: UserMemory, conversation: dict[str, Any], k: int) -> list[float]:
    """Recall@k of each question that has evidence."""
    shares = []
    for question, evidence in questions(conversation):
        recalled = await memory.recall(question, k)
        assert not recalled.warnings, recalled.warnings
        shares.append(len(evidence & {each.id for each in recalled.episodes}) / len(evidence))
    return shares


def turns(conversation: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Every turn, as a line of an import: who said what, and when."""
    said = conversation["conversation"]
    for session in (key for key in said if re.fullmatch(r"session_\d+", key)):
        moment = datetime.strptime(said[f"{session}_date_time"], "%I:%M %p on %d %B, %Y")
        for turn in said[session]:
            yield {
                "id": turn["dia_id"],
                "query": f"{turn['speaker']}: {turn['text']}",
                "response": "",
                "created_at": f"{moment.isoformat()}Z",
            }


def questions(conversation: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """The questions of categories 1 to 4 with the turns that answer them, where there are any.

    The data writes a few ids together ("D8:6; D9:17") and misspells some, which are left out.
    """
    known = {turn["id"] for turn in turns(conversation)}
    for each in conversation["qa"]:
        evidence = set(re.findall(r"D\d+:\d+", " ".join(each["evidence"]))) & known
        if each["category"] <= 4 and evidence:
            yield each["question"], evidence


if __name__ == "__main__":
    finish(asyncio.run(measure()))
