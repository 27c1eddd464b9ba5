"""Answers that are right until they leave: dripped, endless, exploding, cut off."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from starlette.types import Message, Send

from demo.exchange import Exchange
from demo.faults import Faults

MIB = 1 << 20
BOMB_MIB = 10 * 1024
NAMES = ("body-slow", "body-huge", "body-bomb", "json-broken")


def mangle(faults: Faults, exchange: Exchange, alive: Callable[[], bool], send: Send) -> Send:
    """*send* itself, or one that spoils the answer as the switch for this path says."""
    name = next((name for name in NAMES if faults.at(name, exchange.path)), None)
    if name is None:
        return send
    start: Message = {}
    body = bytearray()

    async def spoiled(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        headers = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
        if name == "body-bomb":
            headers.append((b"content-encoding", b"gzip"))
        await send({**start, "headers": headers})
        async for chunk in _spoil(faults, name, bytes(body)):
            if not alive():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # A reader who keeps up never makes send wait: without this nobody else would be served, its leaving not seen.
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    return spoiled


async def _spoil(faults: Faults, name: str, body: bytes) -> AsyncIterator[bytes]:
    if name == "json-broken":
        yield body[: len(body) // 2]
    elif name == "body-slow":
        for position in range(len(body)):
            yield body[position : position + 1]
            await faults.until_off(name, 1.0)
    elif name == "body-huge":
        yield body
        while faults.on(name):
            yield b" " * 65_536
    else:
        for chunk in _bomb():
            yield chunk


def _bomb() -> list[bytes]:
    # A full flush makes every deflated mebibyte independent of the ones before, so one is compressed and repeated.
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(b" ") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return [head, *[block] * BOMB_MIB]
