"""The daemon's own address: metrics and health, always open, served on the loop that watches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from critpath import OperatorError


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the daemon stops first, and its web server with it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(registry: CollectorRegistry, is_ready: Callable[[], bool]) -> FastAPI:
    """Return the ASGI application of a daemon that keeps its metrics in *registry*."""
    app = FastAPI(title="critpath", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        """Everything that is measured, in the format that is asked for."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    @app.get("/-/healthy")
    async def healthy() -> Response:
        """Answers as long as the event loop turns."""
        return Response("critpath is alive\n", media_type="text/plain")

    @app.get("/-/ready")
    async def ready() -> Response:
        """200 while verdicts are judged and written."""
        if is_ready():
            return Response("critpath is watching\n", media_type="text/plain")
        return Response(
            "critpath is not watching: it is stopping, or its store cannot be written\n", 503, media_type="text/plain"
        )

    return app


async def serve(app: FastAPI, listen: str) -> None:
    """
    Serve *app* on *listen* (`HOST:PORT`) until cancelled.

    Raises:
        OperatorError: the address cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    options = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=int(port),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(options)
    try:
        await server.serve()
    except SystemExit:
        raise OperatorError(
            f"web.listen: {listen} cannot be listened on; it is in use, or not an address of this machine"
        ) from None
    finally:
        server.should_exit = True
