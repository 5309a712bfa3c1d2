"""``personaagent align``: learn a better persona from what the user wanted."""

from typing import Any

from personaagent.cli import align_options as options
from personaagent.cli.default_user import default_user
from personaagent.cli.options import AsJson
from personaagent.core.errors import UsageError
from personaagent.core.settings import Sampling, load_settings
from personaagent.core.text import check_text
from personaagent.core.users import check_user_id

QUERY_CHARS = 32_000


def align(
    user: options.OneUser = None,
    everyone: options.Everyone = False,
    mode: options.RunMode = "gated",
    sampling: options.SamplingBy = None,
    query: options.SimilarTo = None,
    batch: options.BatchSize = None,
    rounds: options.MaxRounds = None,
    holdout: options.HoldoutSize = None,
    candidates: options.CandidateCount = None,
    seed: options.ShuffleSeed = 0,
    budget_calls: options.MaxCalls = None,
    budget_tokens: options.MaxTokens = None,
    budget_seconds: options.MaxSeconds = None,
    budget_price: options.MaxPrice = None,
    tools: options.WithTools = None,
    causal: options.Causal = None,
    dry_run: options.DryRun = False,
    approve: options.AskFirst = False,
    users_at_once: options.UsersAtOnce = 4,
    after: options.EnoughLabels = None,
    ray: options.RayAddress = None,
    vllm: options.OwnModel = None,
    as_json: AsJson = False,
) -> None:
    """Learn from what the user wanted; publish what is proved better.

    The settings decide what you leave out: `personaagent config` shows them.
    """
    _check_whose(user, everyone, approve)
    _check_ray(everyone, ray, vllm)
    if user is None and not everyone:
        user = default_user()
    run_options = {
        "mode": mode,
        "batch": batch,
        "rounds": rounds,
        "holdout": holdout,
        "candidates": candidates,
        "seed": seed,
        "calls": budget_calls,
        "tokens": budget_tokens,
        "seconds": budget_seconds,
        "price": budget_price,
        "tools": tools,
        "causal": causal,
        "dry_run": dry_run,
        **_sampling_options(sampling, query),
    }
    if user is not None:
        from personaagent.cli.align_one import align_one

        align_one(check_user_id(user), run_options, approve, as_json)
    else:
        from personaagent.cli.align_all import align_all

        due = after or load_settings().align_after or 1
        align_all(run_options, users_at_once, due, as_json, ray, vllm)


def _sampling_options(sampling: Sampling | None, query: str | None) -> dict[str, Any]:
    if query is None:
        return {"sampling": sampling, "query": ""}
    query = check_text(query, "query", QUERY_CHARS)
    return {"sampling": sampling or "similar", "query": query}


def _check_whose(user: str | None, everyone: bool, approve: bool) -> None:
    if everyone and user is not None:
        raise UsageError("Say whose persona: --user NAME, or --all, not both.")
    if everyone and approve:
        raise UsageError("--approve asks about one persona: use --user NAME instead of --all.")


def _check_ray(everyone: bool, ray: str | None, vllm: str | None) -> None:
    if ray is not None and not everyone:
        raise UsageError("--ray is for many users: use it with --all.")
    if vllm is not None and ray is None:
        raise UsageError("--vllm serves a model on the GPUs of Ray: use it with --ray.")
