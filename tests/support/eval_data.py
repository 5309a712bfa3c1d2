"""Small samples of the tasks' files, invented, in the layout in which their authors publish theirs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks.protocol import Score, Task
from tests.support.scripted_model import Responder, ScriptedModel, ScriptedModels

Json = dict[str, Any]

FORMS = {
    "explicit": "explicit_preference",
    "choice-based": "implicit_preference/choice-based",
    "persona-driven": "implicit_preference/persona-driven",
}


def lamp(data: Path, task: str, *questions: Json) -> Path:
    """A folder of LaMP with these questions, each with its ``gold``; returns ``data``."""
    folder = data / "lamp" / task
    golds = [{"id": each["id"], "output": each.pop("gold")} for each in questions]
    _write(folder / "questions.json", questions)
    _write(folder / "outputs.json", {"task": task, "golds": golds})
    return data


def prefeval(data: Path, fillers: int = 3) -> Path:
    """Two topics of PrefEval, of two users and one; the first option is the right one."""
    folder = data / "prefeval" / "benchmark_dataset"
    for topic, things in {"food": ("nuts", "milk"), "travel": ("trains",)}.items():
        for form, place in FORMS.items():
            _write(folder / place / f"{topic}.json", [_told(thing, form) for thing in things])
        options = [_asked(t) | {"classification_task_options": options_on(t)} for t in things]
        _write(folder / "mcq_options" / f"{topic}.json", options)
    said = [
        {"role": role, "content": f"{role} {number}"}
        for number in range(fillers)
        for role in ("user", "assistant")
    ]
    conversations = [{"conversation": said[:2]}, {"conversation": said[2:]}]
    _write(folder / "filtered_inter_turns.json", conversations)
    return data


def options_on(thing: str) -> list[str]:
    """The options of a question of PrefEval; the first has nothing of ``thing``."""
    return ["Nothing of it.", f"Some {thing}.", f"Much {thing}.", f"Only {thing}."]


def _asked(thing: str) -> Json:
    return {"preference": f"I avoid {thing}.", "question": f"What is there but {thing}?"}


def _told(thing: str, form: str) -> Json:
    """What a file of PrefEval says of a user who avoids ``thing``."""
    conversation: Json = {
        "explicit": {},
        "choice-based": {
            "query": "What shall I take?",
            "assistant_options": f"Take {thing}, or none.",
            "user_selection": f"None, for {thing} is not for me.",
            "assistant_acknowledgment": "None, then.",
        },
        "persona-driven": {
            "0": {"user": "I am a nurse.", "assistant": "Good."},
            "1": {"user": f"At work I avoid {thing}.", "assistant": "I see."},
        },
    }[form]
    return _asked(thing) | ({"conversation": conversation} if conversation else {})


def locomo(data: Path, *questions: Json) -> Path:
    """A conversation of two sessions, the second of which stands first in the file."""
    conversation = {
        "speaker_a": "Ann",
        "speaker_b": "Bob",
        "session_2_date_time": "8:00 am on 2 May, 2023",
        "session_2": [{"speaker": "Ann", "dia_id": "D2:1", "text": "I sold the boat."}],
        "session_1_date_time": "1:56 pm on 1 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I bought a boat yesterday."},
            {
                "speaker": "Bob",
                "dia_id": "D1:2",
                "text": "A red one?",
                "blip_caption": "a photo of a red boat",
            },
        ],
    }
    sample = {"sample_id": "conv-1", "conversation": conversation, "qa": questions}
    _write(data / "locomo" / "locomo10.json", [sample])
    return data


def _write(file: Path, content: Json | Sequence[Json]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), "utf-8")


def unasked() -> ScriptedModels:
    """Models of which none may be asked."""

    def refuse(prompt: Any) -> str:
        raise AssertionError(f"asked: {prompt.last}")

    return scripted(refuse)


def scripted(responder: Responder) -> ScriptedModels:
    """Models that answer by ``responder``."""
    return ScriptedModels(ScriptedModel(responder=responder, prompts=[]))


async def score_text(task: Task, sample: Sample, text: str | None, models: Any = None) -> Score:
    """How ``task`` scores ``text`` as the answer to the first query of ``sample``."""
    return await task.score(sample, sample.queries[0], SolverOutput(text=text), models or unasked())


def only_query(sample: Sample) -> Query:
    """The only query of ``sample``."""
    [query] = sample.queries
    return query
