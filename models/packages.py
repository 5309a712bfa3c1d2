"""The optional packages that run a model on this machine."""

from personaagent.core.extras import check_installed
from personaagent.models.catalog import EMBEDDINGS


def check_packages(model: str) -> None:
    """Check, before a model is fetched or loaded, that the package that runs it is installed.

    Raises:
        ConfigurationError: it is not; saying what to install, or to set instead.
    """
    if model == EMBEDDINGS:
        check_installed(
            "onnxruntime",
            "embedded",
            f"The local embedding model {EMBEDDINGS}",
            "set PERSONAAGENT_EMBEDDINGS=openai:NAME to use your endpoint's",
        )
    else:
        check_installed(
            "xllamacpp",
            "embedded",
            f"The embedded language model {model}",
            "set OPENAI_API_KEY or OPENAI_BASE_URL to use an endpoint",
        )
