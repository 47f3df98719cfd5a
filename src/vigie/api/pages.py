"""The built pages: read once at the start, sent compressed, under a policy that lets them ask the post alone."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vigie.api.access import language_of
from vigie.api.html import page
from vigie.api.problems import Problem
from vigie.api.words import words

WEB = Path(__file__).resolve().parents[1] / "web"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        # MapLibre makes pictures of its own and reads them back.
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)

YEAR_S = 31_536_000

# Said here, not found out: what the machine's own table says of .js differs from one to the next.
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
_COMPRESSED = {".html", ".js", ".css", ".json", ".svg", ".txt", ".webmanifest"}


@dataclass(frozen=True)
class File:
    """A file of the pages, and a digest of it. compressed: whether that is worth it."""

    media: str
    body: bytes
    compressed: bool
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """Compressed, once somebody asks for it: a start does not wait for it."""
        return gzip.compress(self.body, 6, mtime=0)


def read_files(folder: Path) -> dict[str, File]:
    """The files below a folder by their path in it."""
    files: dict[str, File] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.name.startswith("."):
            body = path.read_bytes()
            media = MEDIA.get(path.suffix, "application/octet-stream")
            digest = hashlib.sha256(body).hexdigest()[:32]
            files[path.relative_to(folder).as_posix()] = File(media, body, path.suffix in _COMPRESSED, digest)
    return files


def page_routes(folder: Path = WEB) -> list[Route]:
    """The console, the crews' application, the map of salted streets, and what they load. folder: where they were
    built."""
    files = read_files(folder)

    def told(request: Request, file: File, *, for_good: bool) -> Response:
        # What has its digest in its name never changes; a page is asked for again each time.
        headers = {
            "Cache-Control": f"public, max-age={YEAR_S}, immutable" if for_good else "no-cache",
            "Content-Security-Policy": POLICY,
            "ETag": f'"{file.digest}"',
            "Vary": "Accept-Encoding",
        }
        if f'"{file.digest}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media)
        return Response(file.body, headers=headers, media_type=file.media)

    def missing(request: Request) -> Response:
        language = language_of(request)
        said = words(language)
        detail = f"<p>{escape(said('pages.missing.detail'))}</p><p><code>make setup</code></p>"
        return page(said("pages.missing"), detail, language, 503)

    async def home(request: Request) -> Response:
        """Leads to the console."""
        return RedirectResponse("/console", 307)

    async def console(request: Request) -> Response:
        """The operators' console; any address below it is a view of it."""
        file = files.get("console/index.html")
        return missing(request) if file is None else told(request, file, for_good=False)

    async def field(request: Request) -> Response:
        """The crews' application, with what a telephone asks of it by name: its service worker, its icons."""
        file = files.get(f"field/{request.path_params.get('path', '')}") or files.get("field/index.html")
        if file is None:
            return missing(request)
        answer = told(request, file, for_good=False)
        # It lies below the page that it serves without a network.
        answer.headers["Service-Worker-Allowed"] = "/field"
        return answer

    async def winter(request: Request) -> Response:
        """The map of salted streets, for everybody."""
        file = files.get("winter/index.html")
        return missing(request) if file is None else told(request, file, for_good=False)

    async def asset(request: Request) -> Response:
        """What the pages load: scripts, styles, type, pictures."""
        file = files.get(f"assets/{request.path_params['path']}")
        if file is None:
            raise Problem(404, "No such file", "The pages have no such file.", mend="Load the page again.")
        return told(request, file, for_good=True)

    return [
        Route("/", home, methods=["GET"]),
        Route("/console", console, methods=["GET"]),
        Route("/console/{path:path}", console, methods=["GET"]),
        Route("/field", field, methods=["GET"]),
        Route("/field/{path:path}", field, methods=["GET"]),
        Route("/winter", winter, methods=["GET"]),
        Route("/assets/{path:path}", asset, methods=["GET"]),
    ]
