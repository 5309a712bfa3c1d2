"""All that a folder holds, also while somebody works in it."""

from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed


@retry(
    retry=retry_if_exception_type(FileNotFoundError),  # a log renames its files meanwhile
    stop=stop_after_attempt(50),
    wait=wait_fixed(0.05),
    reraise=True,
)
def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below ``folder`` and its bytes; looked at anew if one goes away meanwhile."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
