"""The compose file: no secret has a default, and all that must be set is named."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text("utf-8")
VARIABLES = re.findall(r"\$\{(\w+)(:[-?])([^}]*)\}", TEXT)
EITHER = {"PERSONAAGENT_AUTH_SECRET", "PERSONAAGENT_AUTH_JWKS_URL"}
"""One of the two must be set: the server itself refuses to start without."""


def test_what_is_secret_has_no_default() -> None:
    secret = {each for each in VARIABLES if re.search("PASSWORD|SECRET|KEY$|TOKEN$", each[0])}
    assert len(secret) >= 6
    assert {name for name, how, said in secret if how == ":-" and name not in EITHER} == set()
    assert {said for name, how, said in secret if name in EITHER} == {""}


def test_the_example_names_all_that_must_be_set() -> None:
    example = (DEPLOY / "env.example").read_text("utf-8")
    named = {line.split("=")[0] for line in example.splitlines() if re.match(r"\w+=", line)}
    assert {name for name, how, _ in VARIABLES if how == ":?"} | EITHER <= named


@pytest.mark.parametrize(
    "limit", ["ALIGN_DAILY_TOKENS", "DAILY_TOKENS", "DAILY_IMPORT_BYTES", "REQUESTS_PER_MINUTE"]
)
def test_what_a_user_may_use_is_limited(limit: str) -> None:
    name, example = f"PERSONAAGENT_{limit}", (DEPLOY / "env.example").read_text("utf-8")
    [default] = {most for variable, how, most in VARIABLES if (variable, how) == (name, ":-")}
    assert int(default) > 0
    assert f"\n{name}={default}\n" in example


def test_compose_takes_it_once_all_is_set(tmp_path: Path) -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("there is no docker-compose on this machine")
    command = [compose, "-f", str(DEPLOY / "compose.yaml"), "--env-file"]

    def tried(*variables: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "env"
        file.write_text("".join(f"{name}=x\n" for name in variables))
        whole = [*command, str(file), "config", "--quiet"]
        return subprocess.run(whole, env={}, capture_output=True, text=True)

    needed = {name for name, how, _ in VARIABLES if how == ":?"}
    assert tried(*needed).returncode == 0
    for missing in needed:
        assert missing in tried(*needed - {missing}).stderr
