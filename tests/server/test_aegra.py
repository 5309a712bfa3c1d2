"""What our changes of aegra rest on: another aegra fails here, before a user meets it."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from tests.support.postgres_server import PYTHON, need_postgres
from tests.support.server import ROOT

PARAMETERS = {
    "aegra_api.api.runs:_request_run_interruption": "session run_orm action",
    "aegra_api.api.store:apply_namespace_scoping": "namespace user",
    "aegra_api.core.auth_middleware:get_auth_instance": "",
    "aegra_api.core.orm:get_session_maker": "",
    "aegra_api.services.local_executor:LocalExecutor.start": "self",
    "aegra_api.services.local_executor:LocalExecutor.stop": "self",
    "aegra_api.services.redis_broker:RedisRunBroker.aiter": "self",
    "aegra_api.services.redis_broker:RedisRunBroker.replay": "self last_event_id",
    "aegra_api.services.run_executor:_signal_run_done": "run_id",
    "aegra_api.services.run_executor:start_run": "run_id user_id",
    "aegra_api.services.run_preparation:_prepare_run": (
        "session thread_id request user initial_status event_streaming_v2"
    ),
    "aegra_api.services.worker_executor:WorkerExecutor.start": "self",
    "aegra_api.services.worker_executor:_acquire_and_load": "run_id worker_name",
    "aegra_api.services.worker_executor:_push_back": "run_id",
}
"""What we replace or call, with its parameters."""
PREPARE = {
    "aegra_api.api.crons",
    "aegra_api.api.runs",
    "aegra_api.services.cron_scheduler",
    "aegra_api.services.event_streaming.commands",
    "aegra_api.services.run_preparation",
}
"""The modules that prepare runs, each of which ``runs_in_turn`` changes."""
COLUMNS = {"run_id", "thread_id", "user_id", "status", "created_at", "claimed_by"}
INSPECT = """
import importlib, inspect, json, pkgutil, sys
import aegra_api

def found(name):
    module, _, path = name.partition(":")
    thing = importlib.import_module(module)
    for part in path.split("."):
        thing = getattr(thing, part)
    return list(inspect.signature(thing).parameters)

for module in pkgutil.walk_packages(aegra_api.__path__, "aegra_api."):
    if "alembic" not in module.name and "observability" not in module.name:
        importlib.import_module(module.name)
orm = importlib.import_module("aegra_api.core.orm")
prepare = importlib.import_module("aegra_api.services.run_preparation")._prepare_run
print(json.dumps({
    "version": importlib.metadata.version("aegra-api"),
    "parameters": {name: found(name) for name in sys.argv[1:]},
    "prepare": [n for n, m in sys.modules.items() if vars(m).get("_prepare_run") is prepare],
    "columns": list(orm.Run.__table__.columns.keys()),
    "started": inspect.getsource(importlib.import_module("aegra_api.services.run_executor").execute_run),
}))
"""


@cache
def aegra() -> Any:
    """What the aegra is like that is deployed."""
    need_postgres()
    done = subprocess.run(
        [PYTHON, "-c", INSPECT, *PARAMETERS],
        cwd=ROOT,
        env={"REDIS_BROKER_ENABLED": "true", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_the_version_that_is_pinned() -> None:
    assert f"aegra-api=={aegra()['version']}" in (ROOT / "constraints.txt").read_text().split()


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_is_changed_takes_what_we_give_it(name: str) -> None:
    parameters = aegra()["parameters"][name]
    assert parameters[: len(PARAMETERS[name].split())] == PARAMETERS[name].split()


def test_every_module_that_prepares_runs_is_known() -> None:
    assert set(aegra()["prepare"]) == PREPARE


def test_a_run_has_the_columns_by_which_it_takes_its_turn() -> None:
    assert set(aegra()["columns"]) >= COLUMNS | {"lease_expires_at", "error_message"}


def test_a_run_is_started_within_what_handles_its_cancellation() -> None:
    """There it waits for its turn without a queue: a run that is cancelled while it waits ends."""
    before, _, _ = aegra()["started"].partition("start_run(run_id, user_id=user_id)")
    assert before.count("try:") == 1
