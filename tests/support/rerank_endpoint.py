"""A scripted ``/rerank`` address: real HTTP on loopback, scores from a function of both texts."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Score = Callable[[str, str], float]


@dataclass(frozen=True)
class RerankRequest:
    body: dict[str, Any]
    key: str | None


@dataclass
class RerankEndpoint:
    """Its address, and the requests so far."""

    url: str = ""
    requests: list[RerankRequest] = field(default_factory=list)


@contextmanager
def rerank_endpoint(
    score: Score, *, shape: str = "jina", status: int = 200, raw: str | None = None
) -> Iterator[RerankEndpoint]:
    """An endpoint of the ``shape`` of Jina or of TEI; ``raw`` is sent in place of scores."""
    endpoint = RerankEndpoint()
    texts_field = "documents" if shape == "jina" else "texts"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.requests.append(RerankRequest(body, self.headers["Authorization"]))
            if texts_field not in body:
                self._send(422, json.dumps({"error": f"missing field {texts_field}"}))
            else:
                self._send(status, raw if raw is not None else json.dumps(answer(body)))

        def _send(self, code: int, text: str) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    def answer(body: dict[str, Any]) -> Any:
        name = "relevance_score" if shape == "jina" else "score"
        scored = [
            {"index": index, name: score(body["query"], text)}
            for index, text in enumerate(body[texts_field])
        ]
        best_first = sorted(scored, key=lambda each: -each[name])
        return {"results": best_first} if shape == "jina" else best_first

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/rerank"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
