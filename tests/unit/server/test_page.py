"""How the page's files are served, whether or not it has been built."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from personaagent.core.once import Once
from personaagent.core.settings import Settings
from personaagent.server import page
from personaagent.server.app import app
from personaagent.server.identity import Tokens


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a page that has been built."""
    (tmp_path / "page" / "assets").mkdir(parents=True)
    (tmp_path / "page" / "index.html").write_text("<html>the page</html>")
    (tmp_path / "page" / "assets" / "index-1.js").write_text("start()")
    (tmp_path / "secret").write_text("a secret")
    monkeypatch.setattr(page, "BUILT", tmp_path / "page")
    return tmp_path / "page"


@pytest.mark.usefixtures("built")
async def test_the_page_runs_no_script_but_its_own_and_asks_no_other_host(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/")
    assert answer.text == "<html>the page</html>"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.usefixtures("built")
async def test_it_asks_the_issuer_too_where_it_signs_in_there(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        auth_client_id="page",
        auth_jwks_url="https://login.example/keys",
        auth_issuer="https://login.example/realm",
    )
    monkeypatch.setattr(page, "tokens", Once(lambda: Tokens(settings)))
    policy = (await http.get("/")).headers["content-security-policy"]
    assert "connect-src 'self' https://login.example;" in policy
    assert policy.count("login.example") == 1


@pytest.mark.usefixtures("built")
async def test_what_it_loads_is_kept_by_the_browser(http: httpx.AsyncClient) -> None:
    answer = await http.get("/assets/index-1.js")
    assert answer.text == "start()"
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "given"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip;q=1.0", "gzip"),
        ("br;q=0.000", None),
        ("identity", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("path", ["/", "/assets/index-1.js"])
async def test_a_compressed_form_is_served_to_whoever_reads_it(
    http: httpx.AsyncClient, built: Path, path: str, accepted: str, given: str | None
) -> None:
    file = built / path.removeprefix("/") if path != "/" else built / "index.html"
    for ending in (".br", ".gz"):
        file.with_name(file.name + ending).write_bytes(gzip.compress(ending.encode()))
    plain = await http.get(path, headers={"accept-encoding": "identity"})
    async with http.stream("GET", path, headers={"accept-encoding": accepted}) as answer:
        body = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == given
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == plain.headers["content-type"]
    assert answer.headers["cache-control"] == plain.headers["cache-control"]
    assert (body == plain.content) == (given is None)
    assert given is None or gzip.decompress(body) == {"br": b".br", "gzip": b".gz"}[given]


@pytest.mark.skipif(not page.is_built(), reason="run make web first")
def test_what_the_build_compressed_is_what_it_built() -> None:
    plain = [file for file in page.BUILT.rglob("*") if file.suffix in (".html", ".js", ".css")]
    assert len(plain) > 2
    for file in plain:
        assert gzip.decompress(file.with_name(f"{file.name}.gz").read_bytes()) == file.read_bytes()
        assert file.with_name(f"{file.name}.br").stat().st_size < file.stat().st_size


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "name", ["..%2F..%2Fsecret", "..%2Findex.html", "none.js", "%2e%2e%2fsecret", "a" * 300]
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/assets/{name}")).status_code in (404, 405)


async def test_where_it_was_not_built_a_sentence_says_so(
    http: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BUILT", tmp_path / "page")
    answer = await http.get("/")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "The page has not been built on this server."}
    assert not page.is_built()
