"""The package: links for tools, the mapping for installs, and a wheel of the same files."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "personaagent"
SETUPTOOLS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "setuptools"
]
TOP_FOLDERS = {folder.partition("/")[0] for folder in SETUPTOOLS["package-dir"].values()}


def tracked(*folders: str) -> set[str]:
    """The files under version control in these folders, relative to the root."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no checkout")
    command = ["git", "ls-files", "-z", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for path in listed.split("\0") if path}


def test_each_packaged_folder_has_a_relative_link() -> None:
    links = {
        path.name: os.readlink(path) for path in (ROOT / PACKAGE).iterdir() if path.is_symlink()
    }
    assert links == {folder: f"../{folder}" for folder in TOP_FOLDERS}


def test_beside_the_links_there_is_next_to_nothing() -> None:
    assert {path for path in tracked(PACKAGE) if not (ROOT / path).is_symlink()} == {
        f"{PACKAGE}/__init__.py",
        f"{PACKAGE}/py.typed",
    }


def test_every_folder_with_an_init_file_is_mapped() -> None:
    folders = {
        str(Path(path).parent) for path in tracked(*TOP_FOLDERS) if Path(path).name == "__init__.py"
    }
    mapping = {f"{PACKAGE}.{folder.replace('/', '.')}": folder for folder in folders}
    assert SETUPTOOLS["package-dir"] == mapping
    assert sorted(SETUPTOOLS["packages"]) == sorted([PACKAGE, *mapping])


def test_the_wheel_holds_the_tracked_files_of_the_package_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    files = tracked(*TOP_FOLDERS, PACKAGE, "pyproject.toml", "README.md", "LICENSE")
    for path in files:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path, follow_symlinks=False)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=source, capture_output=True, check=True
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        built = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"{PACKAGE}/{path}" for path in tracked(*TOP_FOLDERS)}
    assert built == expected | {f"{PACKAGE}/__init__.py", f"{PACKAGE}/py.typed"}
