"""The tools that a probe is lent: sessions, pages, canaries and notes, opened for one attempt and closed with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from config import Configuration, SecretMissing
from critpath import Canary, Clock, Context, ProbeError, Reason
from probes.clients.browser import BrowserPool, Page, open_page
from probes.clients.http import HttpClient, settle_sniffio, tls_context
from probes.clients.session import Session, SessionKeeper
from probes.ports import Gate, Notebook


class Workshop:
    """Keeps what outlives an attempt (tokens, the browser process) and equips each attempt with a `Toolbox`."""

    def __init__(
        self, configuration: Configuration, gate: Gate, notebook: Notebook, clock: Clock, read_secret: Callable[[Any], str]
    ) -> None:
        self.configuration = configuration
        self.gate = gate
        self.notebook = notebook
        self.browsers = BrowserPool(configuration.settings)
        self.keeper = SessionKeeper(configuration.profile, gate, clock, self.credentials)
        self._read_secret = read_secret

    def credentials(self, identity: str) -> Mapping[str, str]:
        """
        Return `username` and `password` of an identity, read anew so that a rotated file counts at once.

        Raises:
            ProbeError: `SECRET` where the secret is missing, `CONFIGURATION` where the identity is.
        """
        account = self.configuration.settings.identities.get(identity)
        if account is None:
            raise ProbeError(Reason.CONFIGURATION, f"no identity {identity!r} in the configuration")
        try:
            return {"username": account.username, "password": self._read_secret(account.password)}
        except SecretMissing as exc:
            raise ProbeError(Reason.SECRET, f"the password of {identity!r} cannot be read: {exc}") from exc

    def warm_up(self, *, browser: bool) -> None:
        """Do beforehand what would hold up the loop in attempts: the trust store, modules, the browser driver's code."""
        tls_context()
        settle_sniffio()
        if browser:
            import playwright.async_api  # noqa: F401, PLC0415 - heavy: only where there are browser checks

    def equip(self, ctx: Context) -> None:
        """Give *ctx* its tools."""
        ctx.tools = Toolbox(self)

    async def aclose(self) -> None:
        """End the browser."""
        await self.browsers.aclose()


class Toolbox:
    """One attempt's tools. Implements `critpath.Toolbox`."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._http: HttpClient | None = None

    async def session(self, ctx: Context, identity: str) -> Session:
        """Return the shared session of an identity; its token is fetched when first needed."""
        self._workshop.credentials(identity)
        return Session(ctx, self._client(ctx), identity, self._workshop.keeper, None)

    async def sign_in(self, ctx: Context, identity: str) -> Session:
        """Log in anew, apart from the shared session."""
        tokens = await self._workshop.keeper.log_in(ctx, self._client(ctx), identity)
        return Session(ctx, self._client(ctx), identity, None, tokens)

    async def stranger(self, ctx: Context) -> Session:
        """Return a session without a token."""
        return Session(ctx, self._client(ctx), "anonymous", None, None)

    def page(self, ctx: Context) -> AbstractAsyncContextManager[Page]:
        """Lend a page of the real browser."""
        work = self._workshop
        return open_page(work.browsers, work.configuration.settings, work.configuration.profile, work.gate, ctx)

    def credentials(self, identity: str) -> Mapping[str, str]:
        """Return an identity's account."""
        return self._workshop.credentials(identity)

    async def canary(self, ctx: Context, kind: str) -> Canary:
        """Record the intent to write."""
        with ctx.on_our_side(Reason.OVERLOADED, "writing to our own store"):
            return await self._workshop.notebook.open_canary(ctx, kind)

    async def recall(self, ctx: Context) -> Mapping[str, Any]:
        """Return the check's notes."""
        with ctx.on_our_side(Reason.OVERLOADED, "reading from our own store"):
            return await self._workshop.notebook.recall(ctx.check)

    async def remember(self, ctx: Context, memory: Mapping[str, Any]) -> None:
        """Replace the check's notes."""
        with ctx.on_our_side(Reason.OVERLOADED, "writing to our own store"):
            await self._workshop.notebook.remember(ctx.check, memory)

    async def aclose(self, ctx: Context) -> None:  # noqa: ARG002 - the port's signature
        """Close the attempt's connections."""
        if self._http is not None:
            await self._http.aclose()

    def _client(self, ctx: Context) -> HttpClient:
        if self._http is None:
            work = self._workshop
            self._http = HttpClient(work.configuration.settings, work.configuration.profile, work.gate, ctx)
        return self._http
