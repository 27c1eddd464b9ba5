"""What goes wrong below HTTP: connections that are reset, and who is still connected."""

import asyncio
import socket
import struct
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.faults import Faults

# Linger on, for zero seconds: closing sends RST, as a crashed server does.
_RST = struct.pack("ii", 1, 0)
Address = tuple[Any, Any]  # (client, server)


class Wire:
    """Every open connection. Those of `spared` ports are never reset."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: dict[Address, asyncio.Transport] = {}
        self.spared: set[int] = set()
        faults.watch(self._restart)

    def opened(self, address: Address, transport: asyncio.Transport) -> None:
        """Note a connection; while the target restarts it is reset at once."""
        self._open[address] = transport
        if self._faults.on("restart-1s") and address[1][1] not in self.spared:
            _abort(transport)

    def closed(self, address: Address) -> None:
        """Forget a connection."""
        self._open.pop(address, None)

    def alive(self, scope: Scope) -> bool:
        """Whether the caller of this request is still connected."""
        return _address(scope) in self._open

    def reset(self, scope: Scope) -> None:
        """Reset the connection of this request."""
        if transport := self._open.get(_address(scope)):
            _abort(transport)

    def cut(self) -> None:
        """Reset every connection: the twin is going."""
        for transport in list(self._open.values()):
            _abort(transport)

    def _restart(self, name: str, on: bool) -> None:  # noqa: FBT001 - a listener's signature
        if name != "restart-1s" or not on:
            return
        for address, transport in list(self._open.items()):
            if address[1][1] not in self.spared:
                _abort(transport)
        loop = asyncio.get_running_loop()
        loop.call_later(self._faults.value(name, "seconds"), self._faults.switch_off, name)


class Reset(Response):
    """An answer that is none: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort, and let the server see it before it wonders where the answer is."""
        wire: Wire = scope["twin.wire"]
        wire.reset(scope)
        await asyncio.sleep(0)


def protocol(wire: Wire) -> type[asyncio.Protocol]:
    """An HTTP protocol for uvicorn that tells *wire* of its connections."""

    class TwinProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            wire.opened((self.client, self.server), transport)

        def connection_lost(self, exc: Exception | None) -> None:
            wire.closed((self.client, self.server))
            super().connection_lost(exc)

    return TwinProtocol


def _address(scope: Scope) -> Address:
    return tuple(scope["client"]), tuple(scope["server"])


def _abort(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    transport.abort()
