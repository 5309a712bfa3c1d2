"""The page: the files that ``make web`` builds from ``web/``, served at ``/``.

The page speaks to our routes and LangGraph's as any client does. Its files need no token: they hold
no data. The build has compressed each of them: whoever reads that form gets it.
"""

from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import FileResponse

from personaagent.server.auth import tokens
from personaagent.server.openid import OpenId

BUILT = Path(__file__).with_name("built_page")
"""Where Vite puts the page; the folder is there only once it has been built."""
START = "index.html"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""What the browser must not do for the page, beside what ``policy`` says."""
FOR_EVER = "public, max-age=31536000, immutable"
"""For a file whose name changes with what is in it."""

COMPRESSED = {"br": ".br", "gzip": ".gz"}
"""Forms that the build has made of each file, and how their names end; the smallest first."""

router = APIRouter(include_in_schema=False)


def is_built() -> bool:
    """Whether the page has been built."""
    return (BUILT / START).is_file()


def policy(openid: OpenId | None) -> str:
    """The Content-Security-Policy: no scripts but ours, and no other host but the issuer's is asked."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *(openid.origins if openid else ())]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


@router.get("/")
async def start(request: Request) -> FileResponse:
    """The page itself, which loads the rest."""
    return await _file(BUILT / START, "no-cache", request)


@router.get("/assets/{name}")
async def asset(name: str, request: Request) -> FileResponse:
    """A script or a style of the page."""
    return await _file(BUILT / "assets" / name, FOR_EVER, request)


async def _file(path: Path, cache: str, request: Request) -> FileResponse:
    if not _is_file(path):
        raise HTTPException(404, "The page has not been built on this server.")
    headers = HEADERS | {
        "Content-Security-Policy": policy((await tokens.aget()).openid),
        "Cache-Control": cache,
        "Vary": "Accept-Encoding",
    }
    accepted = accepted_encodings(request.headers.get("accept-encoding", ""))
    for encoding, ending in COMPRESSED.items():
        form = path.with_name(path.name + ending)
        if encoding in accepted and _is_file(form):
            headers["Content-Encoding"] = encoding
            return FileResponse(form, headers=headers, media_type=guess_type(path.name)[0])
    return FileResponse(path, headers=headers)


def accepted_encodings(header: str) -> set[str]:
    """The encodings that an ``Accept-Encoding`` names and does not refuse (``q=0``)."""
    accepted = set()
    for each in header.lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        if not any(part.startswith("q=") and not part.strip("q=0.") for part in parameters):
            accepted.add(name)
    return accepted


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False
