"""Every route of a LangGraph server, as requests for somebody's things."""

from dataclasses import dataclass
from typing import Any

MESSAGES = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
TURN = {"assistant_id": "agent", "input": MESSAGES}
NIGHTLY = {"assistant_id": "agent", "schedule": "0 3 * * *", "input": MESSAGES}


@dataclass(frozen=True)
class Ask:
    """One request for the things of somebody, which stand in braces.

    ``told``: what a stranger is told: there is no such thing (404), also where the server says so
    in the body of an answer that it has begun (200); that the id is taken (409); or, None, what
    they have themselves.
    """

    method: str
    path: str
    body: Any = None
    told: int | None = 404
    query: str = ""

    @property
    def endless(self) -> bool:
        """Whether the answer to the owner goes on for ever."""
        return self.path in ("/threads/{thread_id}/stream", "/threads/{thread_id}/stream/events")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


REQUESTS = [
    Ask("POST", "/threads", {}, told=None),
    Ask("POST", "/threads", {"thread_id": "{thread_id}", "if_exists": "raise"}, told=409),
    Ask("POST", "/threads", {"thread_id": "{thread_id}", "if_exists": "do_nothing"}, told=409),
    Ask("POST", "/threads/search", {}, told=None),
    Ask("POST", "/threads/search", {"metadata": {"owner": "the owner"}}, told=None),
    Ask("POST", "/threads/search", {"ids": ["{thread_id}"]}, told=None),
    Ask("POST", "/threads/count", {}, told=None),
    Ask("GET", "/threads/{thread_id}"),
    Ask("PATCH", "/threads/{thread_id}", {"metadata": {"owner": "a stranger"}}),
    Ask("GET", "/threads/{thread_id}/state"),
    Ask("GET", "/threads/{thread_id}/storage", told=501),
    Ask("POST", "/threads/{thread_id}/state", {"values": {"warnings": []}, "as_node": "remember"}),
    Ask("GET", "/threads/{thread_id}/state/{checkpoint_id}"),
    Ask(
        "POST",
        "/threads/{thread_id}/state/checkpoint",
        {"checkpoint": {"checkpoint_id": "{checkpoint_id}", "checkpoint_ns": ""}},
    ),
    Ask("GET", "/threads/{thread_id}/history"),
    Ask("POST", "/threads/{thread_id}/history", {}),
    Ask("POST", "/threads/{thread_id}/copy", told=409),
    Ask("GET", "/threads/{thread_id}/stream", told=200),
    Ask("POST", "/threads/{thread_id}/stream/events", {"channels": ["values"]}, told=200),
    Ask(
        "POST",
        "/threads/{thread_id}/commands",
        {"id": 1, "method": "run.start", "params": {"assistant_id": "agent", "input": MESSAGES}},
        told=200,
    ),
    Ask("GET", "/threads/{thread_id}/runs"),
    Ask("POST", "/threads/{thread_id}/runs", TURN),
    Ask("POST", "/threads/{thread_id}/runs/stream", TURN),
    Ask("POST", "/threads/{thread_id}/runs/wait", TURN),
    Ask("POST", "/threads/{thread_id}/runs/wait", TURN | {"if_not_exists": "create"}),
    Ask("POST", "/threads/{thread_id}/runs/crons", NIGHTLY),
    Ask("GET", "/threads/{thread_id}/runs/{run_id}"),
    Ask("GET", "/threads/{thread_id}/runs/{run_id}/join"),
    Ask("GET", "/threads/{thread_id}/runs/{run_id}/stream", told=200),
    Ask("POST", "/threads/{waiting_thread_id}/runs/{waiting_run_id}/cancel"),
    Ask(
        "POST", "/runs/cancel", {"thread_id": "{waiting_thread_id}", "run_ids": ["{other_run_id}"]}
    ),
    Ask("POST", "/runs", TURN, told=None),
    Ask("POST", "/runs/stream", TURN, told=None),
    Ask("POST", "/runs/wait", TURN, told=None),
    Ask("POST", "/runs/batch", [TURN], told=None),
    Ask("POST", "/runs/wait", TURN | {"assistant_id": "{assistant_id}"}),
    Ask("POST", "/runs/crons", NIGHTLY, told=None),
    Ask("POST", "/runs/crons", NIGHTLY | {"assistant_id": "{assistant_id}"}),
    Ask("POST", "/runs/crons/search", {}, told=None),
    Ask("POST", "/runs/crons/count", {}, told=None),
    Ask("GET", "/runs/crons/{cron_id}"),
    Ask("PATCH", "/runs/crons/{cron_id}", {"enabled": True}),
    Ask("POST", "/assistants", {"graph_id": "agent"}, told=None),
    Ask(
        "POST",
        "/assistants",
        {"graph_id": "agent", "assistant_id": "{assistant_id}", "if_exists": "do_nothing"},
        told=409,
    ),
    Ask("POST", "/assistants/search", {}, told=None),
    Ask("POST", "/assistants/count", {}, told=None),
    Ask("GET", "/assistants/{assistant_id}"),
    Ask("PATCH", "/assistants/{assistant_id}", {"metadata": {"owner": "a stranger"}}),
    Ask("GET", "/assistants/{assistant_id}/graph"),
    Ask("GET", "/assistants/{assistant_id}/subgraphs"),
    Ask("GET", "/assistants/{assistant_id}/subgraphs/{namespace}"),
    Ask("GET", "/assistants/{assistant_id}/schemas"),
    Ask("POST", "/assistants/{assistant_id}/versions", {}),
    Ask("POST", "/assistants/{assistant_id}/latest", {"version": 1}),
    Ask("GET", "/store/items", query="namespace={place}&key={episode_id}"),
    Ask("POST", "/store/items/search", {"namespace_prefix": ["users", "{key}"]}),
    Ask("POST", "/store/items/search", {"namespace_prefix": []}, told=None),
    Ask("POST", "/store/items/search", {"namespace_prefix": ["users"]}, told=None),
    Ask("POST", "/store/namespaces", {"prefix": ["users", "{key}"]}),
    Ask("POST", "/store/namespaces", {}, told=None),
    Ask("POST", "/store/namespaces", {"suffix": ["episodes"]}, told=None),
]
LAST = [  # what these ask for is gone afterwards
    Ask("DELETE", "/runs/crons/{cron_id}"),
    Ask("DELETE", "/assistants/{assistant_id}"),
    Ask("DELETE", "/threads/{thread_id}/runs/{run_id}"),
    Ask("POST", "/threads/prune", {"thread_ids": ["{waiting_thread_id}"]}),
    Ask("DELETE", "/threads/{thread_id}"),
]
FORBIDDEN = [  # to the owner too
    Ask(
        "PUT",
        "/store/items",
        {"namespace": ["users", "{key}", "episodes"], "key": "x", "value": {"episode": {}}},
    ),
    Ask(
        "DELETE",
        "/store/items",
        {"namespace": ["users", "{key}", "episodes"], "key": "{episode_id}"},
    ),
]
