"""The page: the files that ``make web`` builds from ``web/``, served at ``/``.

The page speaks to our routes and LangGraph's as any client does. Its files need no token: they hold
no data.
"""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse

BUILT = Path(__file__).with_name("built_page")
"""Where Vite puts the page; the folder is there only once it has been built."""
START = "index.html"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""What the browser must not do for the page: run foreign scripts, or ask another host anything."""
FOR_EVER = "public, max-age=31536000, immutable"
"""For a file whose name changes with what is in it."""

router = APIRouter(include_in_schema=False)


def is_built() -> bool:
    """Whether the page has been built."""
    return (BUILT / START).is_file()


@router.get("/")
async def start() -> FileResponse:
    """The page itself, which loads the rest."""
    return _file(BUILT / START, "no-cache")


@router.get("/assets/{name}")
async def asset(name: str) -> FileResponse:
    """A script or a style of the page."""
    return _file(BUILT / "assets" / name, FOR_EVER)


def _file(path: Path, cache: str) -> FileResponse:
    if not _is_file(path):
        raise HTTPException(404, "The page has not been built on this server.")
    return FileResponse(path, headers=HEADERS | {"Cache-Control": cache})


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False
