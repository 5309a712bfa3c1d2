"""What can go wrong, in one tree; each error is one sentence for the user, with what to do.

PersonaAgentError                 exit code 1
├── KindOnlyError                     its sentence says no more than the kind of another error
├── UsageError                    2   what was asked cannot be done
│   ├── TokenRefused                  the token is forged, expired, or meant for somebody else
│   ├── Unapproved                    a proposal of alignment waits for its user's decision
│   ├── CorrectionStands              a judgement would drop what the user wanted instead
│   └── Unknown                       there is no such version, rule or run
├── ConfigurationError            3   a setting is missing or wrong
│   └── EmbeddingsChanged             the index was built with another embedding model
├── ServiceError                  4   a model endpoint or the network failed
│   ├── ModelError                    the endpoint refused the request, or its answer is of no use
│   │   ├── ModelUnavailable          the endpoint did not answer: trying again may help
│   │   └── UnusableAnswer            the model's answer is empty, cut off or in a wrong form
│   ├── LimitReached                  the user's budget is spent: it comes back by itself
│   └── DownloadError                 a model file could not be fetched or verified
└── DataError                     5   stored or imported data is missing, unreadable or full
    ├── UnknownEpisode                no such episode in this user's memory
    ├── NothingLabelled               no episode says what the user wanted
    ├── Unreadable                    a file to import has errors
    ├── IndexUnavailable              the index is down, locked or slow: turns go on without it
    │   └── IndexDamaged                  ... and only rebuilding it helps
    └── Conflict                      somebody else has written meanwhile
        └── Forgotten                     ... or the user has forgotten what this began with
"""


class PersonaAgentError(Exception):
    """Base of all errors that a user may see; ``str()`` is the sentence shown.

    ``for_users``: whether a server may show that sentence to its users. It may not where the sentence
    is for whoever set the server up, and names addresses, folders or what an endpoint said.
    """

    exit_code = 1
    for_users = False


class UsageError(PersonaAgentError, RuntimeError):
    """The request itself is wrong; nothing was done.

    A ``RuntimeError`` too, because LangGraph's server shows its clients the messages of builtin
    errors only, and of other errors the name.
    """

    exit_code = 2
    for_users = True


class KindOnlyError(PersonaAgentError, RuntimeError):
    """An error whose sentence was made for whoever asked: it says no more than the kind of another.

    A ``RuntimeError`` for the reason that ``UsageError`` has.
    """

    for_users = True


class TokenRefused(UsageError):
    """The token is forged, expired, or meant for somebody else."""


class Unapproved(UsageError):
    """Alignment needs its user's approval to publish, and could not ask for it."""


class CorrectionStands(UsageError):
    """A judgement of an answer would drop the correction that the user gave for it."""


class Unknown(UsageError):
    """There is no such version, rule or run."""


class ConfigurationError(PersonaAgentError):
    """A setting or a package is missing, or a setting is wrong (such as a key that is refused)."""

    exit_code = 3


class EmbeddingsChanged(ConfigurationError):
    """The user's index was built with another embedding model than the one set now."""


class ServiceError(PersonaAgentError):
    """A model endpoint or the network failed."""

    exit_code = 4


class ModelError(ServiceError):
    """The endpoint refused the request, or its answer is of no use."""


class ModelUnavailable(ModelError):
    """The model endpoint did not answer (connection, time-out, 429, 5xx): trying again may help.

    ``retried`` is False if nobody has tried again yet, because the answer broke off midway.
    """

    def __init__(self, message: str, *, retried: bool = True) -> None:
        super().__init__(message)
        self.retried = retried


class UnusableAnswer(ModelError):
    """The model's answer is empty, cut off, or not in the requested form.

    ``empty``: it wrote nothing, or only reasoning, and was not cut off.
    """

    def __init__(self, message: str, *, empty: bool = False) -> None:
        super().__init__(message)
        self.empty = empty


class LimitReached(ServiceError, RuntimeError):
    """A budget of the user's is spent; ``limit`` is what it limits, ``retry_after`` the seconds until
    it comes back (0: not by waiting). A ``RuntimeError`` for the reason that ``UsageError`` has."""

    for_users = True

    def __init__(self, message: str, limit: str = "", retry_after: int = 0) -> None:
        super().__init__(message)
        self.limit = limit
        self.retry_after = retry_after


class DownloadError(ServiceError):
    """A model file could not be fetched, or is not the file it should be."""


class DataError(PersonaAgentError):
    """Stored or imported data is missing, unreadable, or cannot be written."""

    exit_code = 5


class UnknownEpisode(DataError):
    """This user's memory holds no such episode."""

    for_users = True


class NothingLabelled(DataError):
    """No episode of this user says what they wanted, so there is nothing to work with."""

    for_users = True


class Unreadable(DataError):
    """The file to import cannot be read as episodes; nothing was imported."""

    for_users = True


class IndexUnavailable(DataError):
    """The index cannot be used now: episodes are safe in the store, but recall is not possible."""


class IndexDamaged(IndexUnavailable):
    """The index's files are damaged or missing; you can rebuild it from the store."""


class Conflict(DataError, RuntimeError):
    """Somebody else has changed the same thing meanwhile."""

    for_users = True


class Forgotten(Conflict):
    """The user has forgotten everything, or what a write rests on, since the operation began."""


def error_named(name: str, sentence: str) -> PersonaAgentError:
    """The error of this class that another process met; of the tree's root if it is none of ours."""
    kind = globals().get(name)
    if isinstance(kind, type) and issubclass(kind, PersonaAgentError):
        return kind(sentence)
    return PersonaAgentError(f"An unexpected error occurred ({name}: {sentence}).")
