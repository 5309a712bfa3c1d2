"""``run.json``: what a run was made with, so that you can repeat or continue it."""

import hashlib
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, Self, get_args
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from personaagent.core.errors import DataError, UsageError
from personaagent.core.records import Moment, Record, now
from personaagent.core.settings import Role, Settings
from personaagent.eval.query_draw import QueryDraw

RUN_FILE = "run.json"
PACKAGES = (
    "personaagent",
    "langgraph",
    "langchain-core",
    "langchain-openai",
    "openai",
    "onnxruntime",
    "xllamacpp",
    "numpy",
    "rouge-score",
    "pydantic",
)
DECISIVE_SETTINGS = frozenset(
    {
        *("model", "critic_model", "editor_model", "tool_mode", "embedded_context"),
        *("embeddings", "recall_mode", "top_k", "prompt_tokens", "max_query_chars"),
        *(
            "show_facts",
            "show_summary",
            "summary_every",
            "summary_calls",
            "max_steps",
            "observation_chars",
        ),
        *("wikipedia_url", "wikipedia_language", "wikipedia_results"),
        *("align_sampling", "align_batch", "align_holdout", "align_rounds", "align_candidates"),
        *("align_tools", "align_causal", "align_text_metric", "align_calls", "align_tokens"),
        *("align_seconds", "align_price", "align_daily_calls", "align_daily_tokens"),
        *("align_daily_seconds", "align_daily_price", "evidence_edits", "evidence_accepts"),
        *("rule_chars", "persona_chars"),
    }
)
"""The settings that decide what is answered; the others set where, how fast, and for whom."""


class EvalOptions(Record):
    """What you asked for; None means all, or the task's own number of turns.

    Args:
        methods: the names of the solvers.
        history: how many of the newest episodes each sample keeps.
        labels: how many of the newest labels each sample keeps; what is older is left out.
        turns: how many turns PrefEval puts between the preference and the query.
    """

    tasks: list[str]
    methods: list[str]
    users: int | None = None
    limit: int | None = None
    seed: int = 0
    history: int | None = None
    labels: int | None = None
    turns: int | None = None


class MadeWith(Record):
    """What decides the answers; it must be the same in every session of a run.

    Args:
        drawn: the size and hash of the drawn queries, by task.
        models: model names by role.
        prompts: SHA-256 by prompt file.
        settings: the values of ``DECISIVE_SETTINGS``.
    """

    options: EvalOptions
    drawn: dict[str, QueryDraw]
    models: dict[str, str]
    prompts: dict[str, str]
    settings: dict[str, Any]

    @classmethod
    def of(cls, settings: Settings, options: EvalOptions, drawn: dict[str, QueryDraw]) -> Self:
        """What a run with these settings and options is made with."""
        from personaagent.models.catalog import CHAT
        from personaagent.models.chat import OPENAI_MODEL

        default = CHAT if settings.embedded else OPENAI_MODEL
        return cls(
            options=options,
            drawn=drawn,
            models={role: settings.model_for(role) or default for role in get_args(Role)},
            prompts=_prompt_hashes(),
            settings=settings.model_dump(mode="json", include={*DECISIVE_SETTINGS}),
        )


class Session(Record):
    """One start of a run: which code, machine and endpoint. ``commit`` is None outside of git."""

    at: Moment = Field(default_factory=now)
    commit: str | None
    versions: dict[str, str]
    concurrency: int
    endpoint: str
    data: str

    @classmethod
    def start(cls, settings: Settings, concurrency: int, data: Path) -> Self:
        """The session that starts now."""
        return cls(
            commit=_commit(),
            versions=_versions(),
            concurrency=concurrency,
            endpoint="embedded" if settings.embedded else _host(settings.openai_base_url),
            data=str(data),
        )


class RunRecord(Record):
    """The file: what the run is made with, and every session."""

    made_with: MadeWith
    sessions: list[Session]


def record_session(folder: Path, made_with: MadeWith, session: Session) -> None:
    """Write ``run.json``, or add the session to the existing file.

    Raises:
        UsageError: the folder holds a run that was made with something else.
        DataError: its ``run.json`` cannot be read or written.
    """
    file = folder / RUN_FILE
    sessions: list[Session] = []
    if file.exists():
        earlier = read_run(folder)
        sessions = earlier.sessions
        if changed := differences(earlier.made_with, made_with):
            raise UsageError(
                f"{folder} holds a run that was made with other {', '.join(changed)}: use the same "
                "again, or choose another folder (--out)."
            )
    record = RunRecord(made_with=made_with, sessions=[*sessions, session])
    try:
        part = file.with_suffix(".part")
        part.write_text(record.model_dump_json(indent=2), "utf-8")
        part.replace(file)
    except OSError as error:
        raise DataError(f"{file} cannot be written ({error.strerror}).") from error


def read_run(folder: Path) -> RunRecord:
    """The record of the run in ``folder``.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    try:
        return RunRecord.model_validate_json((folder / RUN_FILE).read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{folder} holds no run ({error.strerror}): give the folder that `personaagent eval "
            "run --out` wrote."
        ) from error
    except ValidationError as error:
        raise DataError(f"{folder / RUN_FILE} is no record of a run of this version.") from error


def differences(first: MadeWith, second: MadeWith) -> list[str]:
    """The names of the options and settings that differ."""
    old, new = first.stored(), second.stored()
    names = {"drawn": "questions", "models": "models", "prompts": "prompts"}
    different = [name for field, name in names.items() if old[field] != new[field]]
    for field in ("options", "settings"):
        keys = sorted(old[field].keys() | new[field].keys())
        different += [key for key in keys if old[field].get(key) != new[field].get(key)]
    return list(dict.fromkeys(different))


def _prompt_hashes() -> dict[str, str]:
    prompts = sorted(files("personaagent.prompts").iterdir(), key=lambda file: file.name)
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in prompts
        if file.name.endswith(".md")
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "machine": platform.platform()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _commit() -> str | None:
    """The commit of the running code, followed by ``+`` if files differ from it."""
    here = Path(__file__).parent
    try:
        _git(
            here, "ls-files", "--error-unmatch", Path(__file__).name
        )  # else the commit is another project's
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    process = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.strip()


def _host(url: str | None) -> str:
    from personaagent.models.chat import OPENAI

    return urlsplit(url or OPENAI).hostname or ""
