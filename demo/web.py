"""The web client's host (Contract F): static files, and index.html for everything it does not know."""

import hashlib
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.faults import Faults
from demo.store import HERE

FILES = HERE / "web"
# A switch must show at the next load, so nothing is cached, hashed name or not.
UNCACHED = {"cache-control": "no-store"}
SABOTAGE = {
    "web-form-broken": ("const FORM_WORKS = true;", "const FORM_WORKS = false;"),
    "web-explore-mock": ("const LIVE_DATA = true;", "const LIVE_DATA = false;"),
}


def routes(faults: Faults) -> list[Route]:
    """The script, the style sheet, and the page for any other path."""

    async def script(request: Request) -> Response:
        if faults.on("web-bundle-missing"):
            return index_page()
        source = _read("app.js")
        for name, (sound, broken) in SABOTAGE.items():
            if faults.on(name):
                source = source.replace(sound, broken)
        if faults.on("web-blank"):
            source = '"use strict";\n'
        return Response(source, media_type="text/javascript", headers=UNCACHED)

    async def style(request: Request) -> Response:
        return Response(_read("app.css"), media_type="text/css", headers=UNCACHED)

    async def page(request: Request) -> Response:
        return index_page()

    everything: dict[str, Any] = {"methods": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
    return [
        Route(f"/assets/{_hashed('app.js')}", script),
        Route(f"/assets/{_hashed('app.css')}", style),
        Route("/{path:path}", page, **everything),
    ]


def index_page(status: int = 200) -> Response:
    """index.html, naming the hashed assets."""
    page = _read("index.html").replace("app.js", _hashed("app.js")).replace("app.css", _hashed("app.css"))
    return Response(page, status, media_type="text/html", headers=UNCACHED)


@cache
def _read(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


@cache
def _hashed(name: str) -> str:
    stem, _, suffix = name.partition(".")
    return f"{stem}-{hashlib.sha256(_read(name).encode()).hexdigest()[:8]}.{suffix}"
