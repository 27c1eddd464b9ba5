"""A PostgreSQL of our own: a cluster in a temporary folder, on a free port of the loopback address."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Postgres:
    """One server process. Runs as the user `postgres` where we are root, for PostgreSQL refuses to be root."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._databases = 0

    def database(self) -> str:
        """Make an empty database and return its URL."""
        self._databases += 1
        name = f"critpath{self._databases}"
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create(self) -> None:
        """Make the cluster."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-t", "60", "-o", options, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is as if the machine had lost its power."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs."""
        command = [*_as_postgres(), str(self.binaries / program), *arguments]
        # The server inherits its output: a pipe would never end.
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else None,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {(done.stderr or b'').decode()}"


def _as_postgres() -> list[str]:
    """Return what makes a command run as the user `postgres`, where we are root."""
    if os.geteuid() != 0:
        return []
    if Path("/").stat().st_mode & stat.S_IXOTH:
        return ["runuser", "-u", "postgres", "--"]
    # A root folder that is root's alone, as in a chroot made by mktemp: another user finds no program in it, unless
    # that one capability goes along.
    capability = "+dac_read_search"
    user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    keep = ["--securebits", "+no_setuid_fixup"]  # or access(2) forgets the capability
    return ["setpriv", *user, *keep, "--inh-caps", capability, "--ambient-caps", capability, "--"]


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed, be it beside the path as in Debian."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(binaries: Path) -> Iterator[Postgres]:
    """Run a server while the block lasts, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="critpath-pg-"))
    server = Postgres(binaries, folder)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
