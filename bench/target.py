"""The target of the bench: a server on loopback that answers every request with the same small JSON. Its own process."""

from __future__ import annotations

import asyncio

BODY = b'{"status": "ok", "version": "1.0.0", "checks": {"database": "ok", "queue": "ok"}}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class _Static(asyncio.Protocol):
    """Answers as soon as the head of a request has ended; requests here have no body. The client closes."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server hands over
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while b"\r\n\r\n" in self._seen and self._transport is not None:
            _, _, self._seen = self._seen.partition(b"\r\n\r\n")
            self._transport.write(_HEAD + BODY)


async def serve() -> None:
    """Listen on a free port of loopback, print the port, and serve until killed."""
    server = await asyncio.get_running_loop().create_server(_Static, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
