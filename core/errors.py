"""What can go wrong, in one tree; each error is one sentence for the user, with what to do.

PersonaAgentError                 exit code 1
├── UsageError                    2   what was asked cannot be done
│   ├── TokenRefused                  the token does not say, in a way that can be believed, who asks
│   ├── Unapproved                    what alignment proposes waits for its user's word
│   └── Unknown                       there is no such version, or no such rule
├── ConfigurationError            3   a setting is missing or wrong
│   └── EmbeddingsChanged             the index was built with another embedding model
├── ServiceError                  4   a model endpoint or the network failed
│   ├── ModelError                    the endpoint refused the request, or answered not usably
│   │   ├── ModelUnavailable          the endpoint did not answer: trying again may help
│   │   └── UnusableAnswer            the model answered, but nothing that can be used
│   └── DownloadError                 a model file could not be fetched or verified
└── DataError                     5   stored or imported data is missing, unreadable or full
    ├── UnknownEpisode                no such episode in this user's memory
    ├── NothingLabelled               no episode says what the user wanted
    ├── Unreadable                    a file to be imported is none, or has errors
    ├── IndexUnavailable              the index is down, held or slow: a turn goes on without
    │   └── IndexDamaged                  ... and only rebuilding it helps
    └── Conflict                      somebody else wrote meanwhile
"""


class PersonaAgentError(Exception):
    """Base of all errors that a user may see; ``str()`` is the sentence shown."""

    exit_code = 1


class UsageError(PersonaAgentError, RuntimeError):
    """The request itself is wrong; nothing was done.

    LangGraph's server tells its clients what a builtin error says, and of others only the name.
    """

    exit_code = 2


class TokenRefused(UsageError):
    """The token is forged, expired, or meant for somebody else."""


class Unapproved(UsageError):
    """Alignment may publish nothing before its user, who could not be asked, has said yes."""


class Unknown(UsageError):
    """The persona has no such version, or no such rule."""


class ConfigurationError(PersonaAgentError):
    """A setting is missing, wrong, or refused by the other side (a wrong key)."""

    exit_code = 3


class EmbeddingsChanged(ConfigurationError):
    """The user's index was built with another embedding model than the one set now."""


class ServiceError(PersonaAgentError):
    """A model endpoint or the network failed."""

    exit_code = 4


class ModelError(ServiceError):
    """The model endpoint answered, but not in a way that can be used."""


class ModelUnavailable(ModelError):
    """The model endpoint did not answer (connection, time-out, 429, 5xx): trying again may help.

    ``retried`` is False where nobody has tried again yet: the answer broke off midway.
    """

    def __init__(self, message: str, *, retried: bool = True) -> None:
        super().__init__(message)
        self.retried = retried


class UnusableAnswer(ModelError):
    """The model answered with nothing, too little, or not in the form that was asked for."""


class DownloadError(ServiceError):
    """A model file could not be fetched, or is not the file it should be."""


class DataError(PersonaAgentError):
    """Stored or imported data is missing, unreadable, or cannot be written."""

    exit_code = 5


class UnknownEpisode(DataError):
    """This user's memory holds no such episode."""


class NothingLabelled(DataError):
    """No episode of this user's says what they wanted, which is what was to be worked with."""


class Unreadable(DataError):
    """What is to be imported cannot be read as episodes; nothing was imported."""


class IndexUnavailable(DataError):
    """The index cannot be used now; episodes are safe in the store, recall is not possible."""


class IndexDamaged(IndexUnavailable):
    """The index's files are damaged or gone; it can be rebuilt from the store."""


class Conflict(DataError):
    """What was to be changed was changed by somebody else meanwhile."""
