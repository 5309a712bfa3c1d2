"""A wrong setting ends the start of the server, in one sentence."""

from types import SimpleNamespace

import pytest

from personaagent.core.once import Once
from personaagent.core.settings import load_settings
from personaagent.server import app as application


async def test_a_wrong_setting_ends_the_start_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PERSONAAGENT_TOP_K", "abc")
    monkeypatch.setattr(application, "dependencies", Once(load_settings))
    with pytest.raises(SystemExit) as ended:
        async with application.app.router.lifespan_context(application.app):
            raise AssertionError("it has started")
    assert ended.value.code
    assert [line for line in caplog.messages if "PERSONAAGENT_TOP_K" in line] == caplog.messages


async def test_a_schedule_that_is_none_ends_the_start_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(align_nightly="61 3 * * *")
    monkeypatch.setattr(
        application, "dependencies", Once(lambda: SimpleNamespace(settings=settings))
    )
    with pytest.raises(SystemExit) as ended:
        async with application.app.router.lifespan_context(application.app):
            raise AssertionError("it has started")
    assert ended.value.code == application.STARTUP_FAILED
    [line] = caplog.messages
    assert "PERSONAAGENT_ALIGN_NIGHTLY is not a schedule: '61 3 * * *'" in line
