"""The settings by group: names, types, defaults, limits and descriptions."""

from base64 import b64decode
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from personaagent.core.calendar import check_time_zone

RecallMode = Literal["hybrid", "dense", "bm25"]
ToolMode = Literal["auto", "native", "json"]
Sampling = Literal["latest", "similar", "hardest"]
TextMetric = Literal["judge", "rouge"]
Approval = Literal["never", "ask"]
LEAST_TRIPLES = 20
"""Different runs of three characters in a secret that does not repeat itself; 32 random ones have 30."""


def _shared(name: str) -> AliasChoices:
    """A variable known beyond this project (``OPENAI_API_KEY``), and our own prefixed one."""
    return AliasChoices(name, f"PERSONAAGENT_{name}", name.lower())


class ModelSettings(BaseModel):
    """The models, and the endpoint or the engine that runs them."""

    model: str | None = Field(
        None, description="Actor: the model that answers, also in simulations."
    )
    critic_model: str | None = Field(
        None,
        description="Critic: criticises answers, judges free texts, writes the profile summary. "
        "Default: the actor's.",
    )
    editor_model: str | None = Field(
        None, description="Editor: proposes edits of the persona. Default: the actor's."
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias=_shared("OPENAI_BASE_URL"),
        description="OpenAI-compatible endpoint. Neither this nor a key set: the embedded model.",
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=_shared("OPENAI_API_KEY"), description="Key of that endpoint."
    )
    tool_mode: ToolMode = Field(
        "auto",
        description="How tools are called: native, json (grammar-forced), or auto "
        "(json on the embedded model and where the endpoint refuses tools, else native).",
    )
    model_timeout: float = Field(
        120.0,
        gt=0,
        description="Seconds without a byte from the endpoint before a call is given up.",
    )
    model_retries: int = Field(2, ge=0, description="Retries of a failed model request.")
    embedded_timeout: float = Field(
        600.0, gt=0, description="The same for the embedded model, which may be slow."
    )
    embedded_context: int = Field(
        8192, ge=1024, description="Context of the embedded model, tokens."
    )
    embedded_threads: int = Field(
        0, ge=0, description="Threads of the embedded model; 0: all cores."
    )


class MemorySettings(BaseModel):
    """Embeddings, the index, recall, and what the prompt holds."""

    embeddings: str = Field(
        "all-MiniLM-L6-v2",
        description="Embedding model: all-MiniLM-L6-v2 (local), or openai:NAME on the endpoint.",
    )
    qdrant_url: str | None = Field(
        None,
        validation_alias=_shared("QDRANT_URL"),
        description="Qdrant server. Not set: the index is in the database of the memory.",
    )
    qdrant_api_key: SecretStr | None = Field(
        None, validation_alias=_shared("QDRANT_API_KEY"), description="Key of that server."
    )

    recall_mode: RecallMode = Field("hybrid", description="hybrid, dense (the paper's) or bm25.")
    top_k: int = Field(8, ge=0, le=100, description="Episodes recalled for a query.")
    recall_timeout: float = Field(
        5.0, gt=0, description="Seconds that recall may take; then the turn continues without it."
    )
    rerank_model: str | None = Field(
        None,
        description="Reranker: a folder with a cross-encoder, its name in fastembed, or a model of "
        "rerank_url. Neither this nor an address set: no reranking.",
    )
    rerank_url: str | None = Field(
        None, description="Address of a /rerank route (Jina, Cohere, vLLM, TEI), in full."
    )
    rerank_api_key: SecretStr | None = Field(None, description="Key of that address.")
    rerank_timeout: float = Field(
        5.0, gt=0, description="Seconds that reranking may take; then the first order holds."
    )
    index_wait: float = Field(
        2.0, ge=0, description="Without effect: no process holds the index any more."
    )
    prompt_tokens: int = Field(
        1500,
        ge=200,
        description="Budget of the system prompt: persona, profile, episodes (tokens).",
    )
    history_tokens: int = Field(
        2000, ge=100, description="Budget of the conversation so far that the actor sees (tokens)."
    )
    show_facts: bool = Field(True, description="Put the computed facts into the prompt.")
    show_summary: bool = Field(True, description="Put the profile summary into the prompt.")
    summary_every: int = Field(
        20,
        ge=0,
        description="New episodes after which the summary is refreshed; 0: on demand only.",
    )
    summary_calls: int = Field(
        40,
        ge=1,
        description="Calls of the critic in one refresh of the summary, 10 episodes each; the next "
        "refresh goes on from there.",
    )
    max_query_chars: int = Field(32_000, ge=1, description="Longest query accepted (characters).")
    timezone: Annotated[str | None, AfterValidator(check_time_zone)] = Field(
        None,
        description="The user's time zone, by its IANA name (Europe/Lisbon), for today's date and "
        "the days of memories. Default: the machine's.",
    )


class ToolSettings(BaseModel):
    """The tools that the model may call."""

    max_steps: int = Field(
        6, ge=1, le=50, description="Model calls in one turn; at the cap it answers."
    )
    observation_chars: int = Field(
        2000, ge=100, description="Longest tool result shown to the model (characters)."
    )
    wikipedia_url: str | None = Field(
        None, description="MediaWiki API address. Default: the language's Wikipedia, over https."
    )
    wikipedia_language: str = Field("en", pattern=r"^[a-z][a-z-]{1,11}$", description="Language.")
    wikipedia_timeout: float = Field(
        10.0, gt=0, description="Hard limit of one Wikipedia search (seconds)."
    )
    wikipedia_results: int = Field(2, ge=1, le=10, description="Pages summarised in one search.")
    wikipedia_user_agent: str = Field(
        "PersonaAgent/0.1 (personalised agent; python-wikipedia)",
        description="User agent for requests to Wikipedia.",
    )


class AlignmentSettings(BaseModel):
    """When alignment runs, how it works, and what it may spend."""

    align_after: int = Field(
        8,
        ge=0,
        description="New labels after which chat or a server starts an alignment; 0: on demand only.",
    )
    align_sampling: Sampling = Field(
        "latest", description="Which episodes make the batch: latest, similar or hardest."
    )
    align_batch: int = Field(3, ge=1, le=32, description="Episodes in the batch (paper: n).")
    align_holdout: int = Field(
        16, ge=2, le=64, description="Held-out episodes that a new persona is proved on."
    )
    align_rounds: int = Field(
        3, ge=1, le=50, description="Rounds of alignment (paper: epochs E), at most."
    )
    align_candidates: int = Field(
        4, ge=1, le=8, description="Alternative edits that the editor proposes in a round."
    )
    align_tools: bool = Field(False, description="Let simulations use the tools.")
    align_causal: bool = Field(
        False, description="Hide from a simulation what came later than its episode."
    )
    align_text_metric: TextMetric | Literal["auto"] = Field(
        "auto",
        description="Loss of free texts: judge (the critic model), rouge (ROUGE-L), or auto "
        "(rouge on the embedded model, judge elsewhere).",
    )
    concurrency: int = Field(
        0,
        ge=0,
        description="Model calls of alignments at once, of all users together; "
        "0: 16, or 1 on the embedded model.",
    )
    evidence_edits: int = Field(
        1, ge=1, description="Episodes you corrected that a learned rule must rest on."
    )
    evidence_accepts: int = Field(
        2, ge=1, description="Or this many episodes whose answer you accepted."
    )
    rule_chars: int = Field(240, ge=40, description="Longest rule that alignment may write.")
    persona_chars: int = Field(
        3000, ge=200, description="Longest persona that alignment may make, all rules together."
    )
    align_calls: int = Field(0, ge=0, description="Model calls a run may make; 0: no limit.")
    align_tokens: int = Field(0, ge=0, description="Tokens a run may use; 0: no limit.")
    align_seconds: float = Field(0, ge=0, description="Seconds a run may take; 0: no limit.")
    align_price: float = Field(0, ge=0, description="Price a run may cost; 0: no limit.")
    align_daily_calls: int = Field(
        0, ge=0, description="Model calls that a user's alignments may make in a day; 0: no limit."
    )
    align_daily_tokens: int = Field(0, ge=0, description="Tokens, likewise.")
    align_daily_seconds: float = Field(0, ge=0, description="Seconds, likewise.")
    align_daily_price: float = Field(0, ge=0, description="Price, likewise.")
    price_input: float = Field(0, ge=0, description="Price of a million tokens read.")
    price_output: float = Field(0, ge=0, description="Price of a million tokens written.")
    price_currency: str | None = Field(
        None,
        pattern=r"^[A-Z]{3}$",
        description="The currency of these prices, as three letters (EUR); not set: none is named.",
    )
    approval: Approval = Field(
        "never",
        description="Whether alignment asks the user before it publishes: never (unless a run "
        "asks for it), or ask (always).",
    )
    align_nightly: str = Field(
        "H 3 * * *",
        pattern=r"^never$|^(\S+ ){4,5}\S+$",
        description="Cron schedule (UTC) of the nights on which a server learns from new labels even "
        "below align_after; H: minute 0; never: off.",
    )
    align_nightly_runs: int = Field(
        4,
        ge=1,
        description="Server: alignments under way at once, of all users together, while a night "
        "hands over more.",
    )
    webhook_url: str | None = Field(
        None, description="Where to tell that alignment has published a version. Not set: nobody."
    )
    webhook_secret: SecretStr | None = Field(
        None, min_length=24, description="What that message is signed with."
    )

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_is_signed(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("webhook_url"):
            raise ValueError("the webhook's messages must be signed: set a secret")
        if secret is not None and (key := secret.get_secret_value()).startswith("whsec_"):
            b64decode(key.removeprefix("whsec_"), validate=True)
        return secret


class TraceSettings(BaseModel):
    """What traces hold."""

    trace_content: bool = Field(
        True, description="Whether traces, where they are on, hold what was said and remembered."
    )
    trace_user: Literal["hashed", "plain"] = Field(
        "hashed", description="How traces name the user."
    )


class ServerSettings(BaseModel):
    """Authentication and limits of a server."""

    auth_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Server: secret that users' tokens are signed with (HS256), 32 random characters "
        "or more. Neither this nor a key server set: requests from this machine only.",
    )
    auth_jwks_url: str | None = Field(
        None, description="Server: key server (JWKS) that tokens are checked by, instead."
    )
    auth_issuer: str = Field("personaagent", description="Server: issuer that tokens must name.")
    auth_audience: str = Field(
        "personaagent", description="Server: audience that tokens must name."
    )
    auth_client_id: str | None = Field(
        None,
        description="Server: client id by which the page signs in at the issuer (OpenID Connect; a "
        "public client with PKCE). Not set: people paste a token.",
    )
    auth_scopes: str = Field(
        "",
        description="Server: scopes that the page asks the issuer for beside openid, with spaces "
        "between; offline_access is asked for where the issuer offers it.",
    )
    auth_token_origin: str | None = Field(
        None,
        description="Server: scheme and host of the issuer's token endpoint, where that is on "
        "another host than the issuer.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Server: bearer token that shows the metrics. Not set: nobody sees them.",
    )
    max_import_bytes: int = Field(
        256_000_000, ge=1, description="Server: longest import accepted (bytes)."
    )
    max_body_bytes: int = Field(
        4_000_000, ge=1, description="Server: longest body of any other request (bytes)."
    )
    requests_per_minute: int = Field(
        0, ge=0, description="Server: requests that a user may make in a minute; 0: no limit."
    )
    daily_tokens: int = Field(
        0,
        ge=0,
        description="Tokens that a user's turns and summaries may use in a day (UTC); alignment has "
        "limits of its own. 0: no limit.",
    )
    daily_import_bytes: int = Field(
        0,
        ge=0,
        description="Server: bytes that a user may upload in a day, as imports and archives; 0: no "
        "limit.",
    )

    @field_validator("auth_secret")
    @classmethod
    def _is_hard_to_guess(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and _is_repetitive(secret.get_secret_value()):
            raise ValueError(
                "it repeats itself, so it is easy to guess: use `openssl rand -hex 32`"
            )
        return secret


def _is_repetitive(secret: str) -> bool:
    """Whether a text of 32 characters or more holds little that is not a repetition."""
    triples = {secret[place : place + 3] for place in range(len(secret) - 2)}
    return len(triples) < LEAST_TRIPLES
