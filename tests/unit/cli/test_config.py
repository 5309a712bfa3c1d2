"""``config``: every setting, its value, and where it came from."""

import pytest

from personaagent.core.settings import Settings
from tests.support.command import Command, command_line


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    (tmp_path / "config.toml").write_text(
        'top_k = 4\nmodel = "of the file"\nopenai_api_key = "k-1"'
    )
    with command_line(
        monkeypatch,
        capsys,
        tmp_path,
        PERSONAAGENT_MODEL="of the variable",
        OPENAI_BASE_URL="https://ann:hush@models.example/v1",
        PERSONAAGENT_QDRANT_API_KEY="k-2",
        PERSONAAGENT_MAX_STEPS="",
    ) as command:
        yield command


def test_every_setting_says_where_it_came_from(command: Command, tmp_path) -> None:
    shown = {each["name"]: each for each in command("config", "--json").data}
    assert set(shown) == set(Settings.model_fields)
    assert {
        name: (shown[name]["value"], shown[name]["origin"]) for name in shown if name in SAID
    } == SAID
    assert (shown["home"]["value"], shown["home"]["origin"]) == (str(tmp_path), "PERSONAAGENT_HOME")
    assert all(each["description"] for each in shown.values())


SAID = {
    "top_k": (4, "config.toml"),
    "model": ("of the variable", "PERSONAAGENT_MODEL"),
    "max_steps": (6, "default"),
    "openai_base_url": ("https://********@models.example/v1", "OPENAI_BASE_URL"),
    "openai_api_key": ("********", "config.toml"),
    "qdrant_api_key": ("********", "PERSONAAGENT_QDRANT_API_KEY"),
    "qdrant_url": (None, "default"),
}


def test_no_secret_is_printed(command: Command) -> None:
    for arguments in (["config"], ["config", "--json"]):
        printed = command(*arguments).out
        assert printed
        assert not [secret for secret in ("k-1", "k-2", "hush") if secret in printed]


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("PERSONAAGENT_TOP_K", "-1", "PERSONAAGENT_TOP_K"),
        ("PERSONAAGENT_RECALL_MODE", "magic", "PERSONAAGENT_RECALL_MODE"),
    ],
)
def test_a_wrong_setting_is_exit_code_3_and_named(
    variable, value, named, command: Command, monkeypatch
) -> None:
    monkeypatch.setenv(variable, value)
    result = command("config")
    assert (result.code, result.out) == (3, "")
    assert named in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("topk = 4", "topk is no setting (do you mean top_k?);"),
        ("PERSONAAGENT_TOP_K = 4", "PERSONAAGENT_TOP_K is no setting (do you mean top_k?);"),
        ("zzz = 4", "zzz is no setting;"),
        ('auth_secret = "short"', "PERSONAAGENT_AUTH_SECRET needs at least 32 characters;"),
    ],
)
def test_a_wrong_line_of_the_file_is_told_in_plain_words(
    line, said, command: Command, tmp_path
) -> None:
    (tmp_path / "config.toml").write_text(line)
    result = command("config")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"Error: Wrong setting: {said} ")
    assert "short" not in result.err
