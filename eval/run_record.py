"""``run.json``: what a run was made with, so that it can be repeated, and gone on with."""

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from personaagent.core.errors import DataError, UsageError
from personaagent.core.records import Moment, Record, now
from personaagent.core.settings import Role, Settings
from personaagent.eval.sampling import Drawn

RUN = "run.json"
PACKAGES = (
    "personaagent",
    "langgraph",
    "langchain-core",
    "langchain-openai",
    "openai",
    "fastembed",
    "qdrant-edge-py",
    "xllamacpp",
    "numpy",
    "rouge-score",
    "pydantic",
)
DECIDING = frozenset(
    {
        *("model", "critic_model", "editor_model", "tool_mode", "embedded_context"),
        *("embeddings", "recall_mode", "top_k", "prompt_tokens", "max_query_chars"),
        *("show_facts", "show_summary", "summary_every", "max_steps", "observation_chars"),
        *("wikipedia_url", "wikipedia_language", "wikipedia_results"),
        *("align_sampling", "align_batch", "align_holdout", "align_rounds", "align_candidates"),
        *("align_tools", "align_causal", "align_text_metric", "align_calls", "align_tokens"),
        *("align_seconds", "align_price", "align_daily_calls", "align_daily_tokens"),
        *("align_daily_seconds", "align_daily_price", "evidence_edits", "evidence_accepts"),
        *("rule_chars", "persona_chars"),
    }
)
"""The settings that decide what is answered; the others say where, how fast, and for whom."""


class Options(Record):
    """What was asked for; None stands for all of them, and for the task's own number of turns.

    ``history`` cuts each case's history to its newest, ``turns`` are those between what PrefEval
    tells and what it asks.
    """

    tasks: list[str]
    methods: list[str]
    users: int | None = None
    limit: int | None = None
    seed: int = 0
    history: int | None = None
    turns: int | None = None


class MadeWith(Record):
    """What decides the answers: it must be the same in every session of a run.

    ``models`` are names by role; ``prompts`` are SHA-256 by file; ``settings`` are ``DECIDING``.
    """

    options: Options
    drawn: dict[str, Drawn]
    models: dict[str, str]
    prompts: dict[str, str]
    settings: dict[str, Any]


class Session(Record):
    """One start of the run, on which code and machine; ``commit`` is None outside of git."""

    at: Moment = Field(default_factory=now)
    commit: str | None
    versions: dict[str, str]
    concurrency: int
    endpoint: str
    data: str


class RunRecord(Record):
    """The file: what the run is made with, and each time that it was started."""

    made_with: MadeWith
    sessions: list[Session]


def made_with(settings: Settings, options: Options, drawn: dict[str, Drawn]) -> MadeWith:
    """What a run with these settings is made with."""
    from personaagent.models.catalog import CHAT
    from personaagent.models.chat import OPENAI_MODEL

    default = CHAT if settings.embedded else OPENAI_MODEL
    return MadeWith(
        options=options,
        drawn=drawn,
        models={role: settings.model_for(role) or default for role in get_args(Role)},
        prompts=_prompts(),
        settings=settings.model_dump(mode="json", include={*DECIDING}),
    )


def session(settings: Settings, concurrency: int, data: Path) -> Session:
    """The session that begins now."""
    return Session(
        commit=_commit(),
        versions=_versions(),
        concurrency=concurrency,
        endpoint="embedded" if settings.embedded else _host(settings.openai_base_url),
        data=str(data),
    )


def begin(folder: Path, made: MadeWith, starting: Session) -> RunRecord:
    """Write ``run.json``, or add the session to the one that is there.

    Raises:
        UsageError: the folder holds a run that was made with something else.
        DataError: its ``run.json`` cannot be read or written.
    """
    file = folder / RUN
    before = read_run(folder) if file.exists() else None
    if before and (changed := differing(before.made_with, made)):
        raise UsageError(
            f"{folder} holds a run that was made with other {', '.join(changed)}: go on with "
            "those, or take another folder (--out)."
        )
    record = RunRecord(made_with=made, sessions=[*(before.sessions if before else []), starting])
    part = file.with_suffix(".part")
    try:
        part.write_text(record.model_dump_json(indent=2), "utf-8")
        part.replace(file)
    except OSError as error:
        raise DataError(f"{file} cannot be written ({error.strerror}).") from error
    return record


def read_run(folder: Path) -> RunRecord:
    """The record of the run in ``folder``.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    try:
        return RunRecord.model_validate_json((folder / RUN).read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{folder} holds no run ({error.strerror}): give the folder that `personaagent eval "
            "run --out` wrote."
        ) from error
    except ValidationError as error:
        raise DataError(f"{folder / RUN} is no record of a run of this version.") from error


def differing(before: MadeWith, after: MadeWith) -> list[str]:
    """What differs, in words: options and settings by name."""
    old, new = before.stored(), after.stored()
    found = [
        name.replace("drawn", "questions")
        for name in ("drawn", "models", "prompts")
        if old[name] != new[name]
    ]
    for part in ("options", "settings"):
        names = sorted(old[part].keys() | new[part].keys())
        found += [name for name in names if old[part].get(name) != new[part].get(name)]
    return list(dict.fromkeys(found))


def _prompts() -> dict[str, str]:
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in sorted(files("personaagent.prompts").iterdir(), key=lambda each: each.name)
        if each.name.endswith(".md")
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    """The commit of the code that runs, with ``+`` where files differ from it."""
    here = Path(__file__).parent
    try:
        _git(here, "ls-files", "--error-unmatch", Path(__file__).name)  # else it is another's
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _host(url: str | None) -> str:
    from personaagent.models.chat import OPENAI

    return urlsplit(url or OPENAI).hostname or ""
