"""What the user can do about an endpoint's refusal, by the words of its reason."""

import re
from dataclasses import dataclass
from re import IGNORECASE, Pattern

from personaagent.core.errors import ConfigurationError, ModelError, ModelUnavailable

REFUSALS = (400, 402, 403, 404, 405, 413, 415, 422, 424, 429, 500, 501, 503, 529)


@dataclass(frozen=True)
class Remedy:
    """How a reason with these ``words`` is told.

    ``problem`` follows the endpoint's address; ``advice`` is what to do. Both may hold ``{role}``,
    ``{model}`` and ``{setting}``, the setting that names the role's model.
    """

    kind: type[ConfigurationError] | type[ModelError]
    words: Pattern[str]
    statuses: tuple[int, ...]
    problem: str
    advice: str


def _words(*patterns: str) -> Pattern[str]:
    return re.compile("|".join(patterns), IGNORECASE)


REMEDIES = (
    Remedy(
        ModelError,
        _words(
            r"quota",
            r"insufficient[ _](?:balance|credit|fund)",
            r"(?:out of|no|more|enough) credits?\b",
            r"credit balance",
            r"billing",
            r"payment required",
            r"spend(?:ing)? limit",
        ),
        (400, 402, 403, 429),
        "has no quota or credit left for this key",
        "add some at the provider, wait until it is renewed, or set another OPENAI_API_KEY",
    ),
    Remedy(
        ModelError,
        _words(r"."),
        (402,),
        "asks for a payment",
        "add credit at the provider, or set another OPENAI_API_KEY",
    ),
    Remedy(
        ConfigurationError,
        _words(
            r"api[ _-]?key[^.]{0,30}(?:invalid|not valid|incorrect|expired|missing|required|not found)",
            r"(?:invalid|incorrect|expired|missing|no|wrong) (?:api[ _-]?key|auth|credential|token)",
            r"unauthori[sz]ed",
        ),
        REFUSALS,
        "refused the key",
        "check OPENAI_API_KEY and OPENAI_BASE_URL",
    ),
    Remedy(
        ConfigurationError,
        _words(r"no models? (?:is |are )?loaded", r"load a model"),
        REFUSALS,
        "has no model loaded",
        "load {model} there, then ask again",
    ),
    Remedy(
        ModelUnavailable,
        _words(
            r"loading (?:the )?model",
            r"model [^.]{0,60}(?:is |still |currently )+(?:loading|starting)",
        ),
        REFUSALS,
        "is still loading the {role} model",
        "try again in a minute",
    ),
    Remedy(
        ConfigurationError,
        _words(r"pulling it first", r"try pulling"),
        REFUSALS,
        "has no model {model}",
        "fetch it there (`ollama pull {model}`), or set {setting} to one it has",
    ),
    Remedy(
        ConfigurationError,
        _words(
            r"\bmodels?\b[^.]{0,80}\b(?:not (?:be )?found|(?:not|n't) exist|not a valid|not available"
            r"|not registered|has been (?:deprecated|removed|retired|decommissioned))",
            r"(?:unknown|invalid|no such|unsupported|wrong) model\b(?! (?:parameter|argument|setting))",
            r"model[ _]not[ _](?:found|exist)",
            r"not a valid model",
            r"deployment[^.]{0,60}(?:not exist|not found)",
            r"deploymentnotfound",
            r"does not have access to (?:the )?model",
            r"supported (?:api )?model names",
            r"no endpoints found for",
        ),
        REFUSALS,
        "knows no model {model}, or not for this key",
        "set {setting} to one that it serves",
    ),
    Remedy(
        ModelError,
        _words(
            r"tools?\b[^.]{0,60}(?:not |n't |un)(?:support|available|enabled|implement)",
            r"(?:not |n't )support[^.]{0,20}(?:tools?\b|function)",
            r"tool choice requires|tool-call-parser|--jinja",
            r"endpoints found that support tool",
            r"function[ _-]call[^.]{0,40}(?:not |un)(?:support|enabled|available)",
        ),
        REFUSALS,
        "cannot call tools with {model}",
        "set PERSONAAGENT_TOOL_MODE to auto or json, or {setting} to a model that can",
    ),
    Remedy(
        ModelError,
        _words(
            r"(?:image|picture|vision|multi-?modal|mmproj|image_url)[^.]{0,60}"
            r"(?:not |n't |un|no )(?:support|enabled|available|accept|allow|valid|permitted)",
            r"(?:not |n't )(?:support|accept|allow|have)[^.]{0,40}(?:image|vision|picture|multi-?modal)",
            r"support image|unknown variant .?image_url",
        ),
        REFUSALS,
        "takes no pictures for {model}",
        "leave the picture out, or set {setting} to one that can see",
    ),
    Remedy(
        ModelError,
        _words(
            r"content[ _-]?(?:filter|management|polic|moderation)",
            r"moderation|flagged|responsible ?ai|safety (?:system|filter|setting)|usage polic",
            r"jailbreak|prohibited",
        ),
        (400, 403, 422, 451),
        "declines this message by its rules of content",
        "ask in other words, or set {setting} to another model",
    ),
    Remedy(
        ConfigurationError,
        _words(
            r"not supported in your (?:country|region)|unsupported_country|location is not supported"
        ),
        (400, 403, 451),
        "does not serve this country",
        "set OPENAI_BASE_URL to an endpoint that does",
    ),
    Remedy(
        ModelUnavailable,
        _words(r"overload|over capacity|at capacity|no capacity|high demand|too busy"),
        REFUSALS,
        "is overloaded",
        "try again later",
    ),
)


def remedy_for(status: int, reason: str) -> Remedy | None:
    """The first remedy for an HTTP error with this reason; None if its words are known to none."""
    return next(
        (each for each in REMEDIES if status in each.statuses and each.words.search(reason)), None
    )
