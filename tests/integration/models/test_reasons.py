"""What the other side says of a failure reaches the user in one sentence, with what to do."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
)
from personaagent.core.settings import Role
from personaagent.models.chat import connect
from personaagent.models.connection import trusted
from personaagent.models.invoke import invoke_model
from tests.support.endpoint import Raw, scripted_endpoint

KEY = "sk-a-long-and-secret-key"


async def failure(base_url: str, role: Role = "actor") -> PersonaAgentError:
    """The error that asking ends in, once it is seen to be fit to be shown."""
    model = connect("llama9", base_url, KEY, timeout=5, retries=0)
    try:
        with pytest.raises(PersonaAgentError) as caught:
            await invoke_model(model, [HumanMessage("Where is Oslo?")], role=role)
    finally:
        await model.root_async_client.close()
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value


def openai_body(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"} | more}


@pytest.mark.parametrize(
    ("code", "body", "kind", "words"),
    [
        # an unknown model
        (
            404,
            openai_body('model "llama9" not found, try pulling it first'),
            ConfigurationError,
            ["no model llama9", "ollama pull llama9", "PERSONAAGENT_MODEL"],
        ),
        (
            404,
            openai_body("The model `llama9` does not exist or you do not have access to it."),
            ConfigurationError,
            ["knows no model llama9", "PERSONAAGENT_MODEL"],
        ),
        (400, {"message": "Invalid model: llama9", "code": "1500"}, ConfigurationError, ["llama9"]),
        (400, openai_body("Model Not Exist"), ConfigurationError, ["PERSONAAGENT_MODEL"]),
        (400, openai_body("llama9 is not a valid model ID"), ConfigurationError, ["llama9"]),
        (
            404,
            openai_body(
                "The API deployment for this resource does not exist.", code="DeploymentNotFound"
            ),
            ConfigurationError,
            ["PERSONAAGENT_MODEL"],
        ),
        (
            404,
            [
                {
                    "error": {
                        "code": 404,
                        "message": "models/llama9 is not found for API version v1main",
                    }
                }
            ],
            ConfigurationError,
            ["PERSONAAGENT_MODEL"],
        ),
        (
            403,
            openai_body("Project `p` does not have access to model `llama9`"),
            ConfigurationError,
            [],
        ),
        (
            404,
            openai_body("No models loaded. Please load a model in the developer page."),
            ConfigurationError,
            ["load llama9"],
        ),
        (404, "404 page not found", ConfigurationError, ["OPENAI_BASE_URL", "/v1"]),
        (405, {"detail": "Method Not Allowed"}, ConfigurationError, ["OPENAI_BASE_URL"]),
        # the key
        (
            401,
            openai_body(f"Incorrect API key provided: {KEY}."),
            ConfigurationError,
            ["OPENAI_API_KEY", "Incorrect API key"],
        ),
        (
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Please pass a valid API key.",
                    }
                }
            ],
            ConfigurationError,
            ["OPENAI_API_KEY"],
        ),
        (403, {"error": "forbidden"}, ConfigurationError, ["OPENAI_API_KEY"]),
        # quota and credit
        (
            429,
            openai_body(
                "You exceeded your current quota, please check your plan.",
                code="insufficient_quota",
            ),
            ModelError,
            ["no quota", "provider"],
        ),
        (402, openai_body("Insufficient Balance"), ModelError, ["credit"]),
        (
            402,
            {"error": {"message": "This request requires more credits", "code": 402}},
            ModelError,
            [],
        ),
        (
            400,
            openai_body("Your credit balance is too low to access the API."),
            ModelError,
            ["credit"],
        ),
        # too busy
        (
            529,
            {"type": "error", "error": {"message": "Overloaded"}},
            ModelUnavailable,
            ["overloaded"],
        ),
        (
            503,
            [
                {
                    "error": {
                        "code": 503,
                        "message": "The model is overloaded. Please try again later.",
                    }
                }
            ],
            ModelUnavailable,
            ["overloaded"],
        ),
        (503, openai_body("Loading model"), ModelUnavailable, ["loading", "minute"]),
        (429, openai_body("Rate limit reached for requests"), ModelUnavailable, ["too busy"]),
        (502, "<html><title>502 Bad Gateway</title></html>", ModelUnavailable, ["502 Bad Gateway"]),
        # what the model cannot do, or may not
        (
            400,
            openai_body("registry.ollama.ai/library/llama9 does not support tools"),
            ModelError,
            ["PERSONAAGENT_TOOL_MODE"],
        ),
        (400, openai_body("This model does not support image input"), ModelError, ["picture"]),
        (
            400,
            openai_body(
                "The response was filtered: content management policy", code="content_filter"
            ),
            ModelError,
            ["rules of content"],
        ),
        (
            403,
            {"error": {"message": "Your chosen model requires moderation; input was flagged"}},
            ModelError,
            ["rules of content"],
        ),
        (
            403,
            openai_body(
                "Country, region, or territory not supported", code="unsupported_country_region"
            ),
            ConfigurationError,
            [],
        ),
        (
            413,
            "<html><title>413 Request Entity Too Large</title></html>",
            ModelError,
            ["longer than"],
        ),
        (
            400,
            {"error": {"message": "the request exceeds the available context size", "n_ctx": 4096}},
            ModelError,
            ["longer than"],
        ),
        (
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error": {"message": "Slow down, friend"}}'},
                }
            },
            ModelError,
            ["Slow down, friend"],
        ),
    ],
)
async def test_a_failure_is_told_with_the_reason_and_what_to_do(
    code: int, body: Any, kind: type[PersonaAgentError], words: list[str]
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    with scripted_endpoint(lambda asked: Raw(content, code=code)) as endpoint:
        error = await failure(endpoint.base_url)
    assert type(error) is kind, error
    assert all(word in str(error) for word in words), error


async def test_the_setting_of_the_role_is_named() -> None:
    reply = Raw(json.dumps(openai_body("The model `llama9` does not exist")), code=404)
    with scripted_endpoint(lambda asked: reply) as endpoint:
        assert "PERSONAAGENT_CRITIC_MODEL" in str(await failure(endpoint.base_url, "critic"))


class _Hello(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}}
        body = json.dumps({"id": "1", "choices": [choice | {"finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    file = folder / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {folder}/key.pem -out {file}"
    subprocess.run(["openssl", *made.split(), *names], check=True, capture_output=True)
    file.write_text((folder / "key.pem").read_text() + file.read_text())
    return file


@contextmanager
def https(certificate: Path) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_certificate_that_is_not_trusted_is_named_with_the_setting(
    certificate: Path,
) -> None:
    with https(certificate) as base_url:
        error = await failure(base_url)
    assert type(error) is ConfigurationError
    assert "SSL_CERT_FILE" in str(error)
    assert "self-signed" in str(error)


async def test_the_setting_makes_it_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusted.cache_clear()
    with https(certificate) as base_url:
        model = connect("llama9", base_url, KEY, timeout=5, retries=0)
        try:
            reply = await invoke_model(model, [HumanMessage("Hi")], role="actor")
        finally:
            await model.root_async_client.close()
    assert reply.text == "Hello."
    trusted.cache_clear()


async def test_an_address_that_speaks_no_tls_says_so() -> None:
    with scripted_endpoint(lambda body: "never") as endpoint:
        error = await failure(endpoint.base_url.replace("http://", "https://"))
    assert type(error) is ConfigurationError
    assert "http://" in str(error)


async def test_a_host_that_nobody_knows() -> None:
    error = await failure("http://models.invalid/v1")
    assert type(error) is ModelUnavailable
    assert "cannot be reached" in str(error)
