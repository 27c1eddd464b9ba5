"""`python -m demo`: start the Summit twin."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from demo.faults import BY_NAME, UnknownSwitch
from demo.server import Planned, serve
from demo.settings import Settings

EPILOG = """\
example:
  python -m demo --port 14000 --break login-500@20 --mend @40

Surfaces: api on PORT, web on PORT+1, ledger on PORT+2, control on PORT+3 (loopback only).
The switches are listed by GET /__twin__/faults on the control surface; PUT and DELETE
/__twin__/faults/NAME switch one on and off. Accounts and fixtures are in demo/seed.json.
"""

PORT = 14000
KEPT = Path(__file__).resolve().parent.parent / "var" / "demo" / "twin"
"""Where the twin that `config/demo.yaml` watches keeps its ledger: a watcher remembers how far it had come."""


def main(arguments: list[str] | None = None) -> None:
    """Parse, serve, end."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="summit-twin-") as scratch:
        data = options.data or (KEPT if options.port == PORT else Path(scratch))
        data.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            data=data,
            host=options.host,
            port=options.port,
            mode=options.mode,
            limits=options.limits == "on",
            token_seconds=options.token_seconds,
            ingest_seconds=options.ingest_seconds,
            audit_flush_seconds=options.audit_flush_seconds,
            quiet=options.quiet,
        )
        asyncio.run(serve(settings, [*options.breaks, *options.mends], options.addresses))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="The Summit twin: a target that speaks the Summit contract, with switchable faults.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=PORT, help="port of the api; 0 takes free ports (default: %(default)s)")
    add("--mode", choices=("prod", "dev"), default="prod", help="prod demands registered operations, masks errors")
    add("--limits", choices=("on", "off"), default="off", help="Summit's rate limits (default: %(default)s)")
    add("--data", type=Path, metavar="DIR", help="keep the database here (default: var/demo/twin; on another port a temporary folder)")  # fmt: skip # noqa: E501
    add("--addresses", type=Path, metavar="FILE", help="write the surfaces' addresses here as JSON, once listening")
    add("--break", dest="breaks", action="append", default=[], type=_break, metavar="NAME@SECONDS", help="switch a fault on, so long after the start; repeatable")  # fmt: skip # noqa: E501
    add("--mend", dest="mends", action="append", default=[], type=_mend, metavar="[NAME]@SECONDS", help="switch one fault, or all, off; repeatable")  # fmt: skip # noqa: E501
    add("--token-seconds", type=float, default=3600.0, help="life of an access token (default: %(default)s)")
    add("--ingest-seconds", type=float, default=0.3, help="time to process a job (default: %(default)s)")
    add("--audit-flush-seconds", type=float, default=1.0, help="audit buffer flush (default: %(default)s)")
    add("--quiet", action="store_true", help="print nothing")
    return parser


def _break(text: str) -> Planned:
    name, seconds = _moment(text)
    if name is None:
        raise argparse.ArgumentTypeError(f"{text!r}: which fault? write NAME@SECONDS")
    return Planned(seconds, name, on=True)


def _mend(text: str) -> Planned:
    name, seconds = _moment(text)
    return Planned(seconds, name, on=False)


def _moment(text: str) -> tuple[str | None, float]:
    name, at, seconds = text.partition("@")
    if name and name not in BY_NAME:
        raise argparse.ArgumentTypeError(str(UnknownSwitch(name)))
    try:
        return name or None, float(seconds if at else "x")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME@SECONDS, as in login-500@20") from None


if __name__ == "__main__":
    main()
