"""
One real browser, started on first use: a fresh context for each attempt, and no process left behind.

Playwright's own browser is used where it is installed, the system's Chromium otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from config import Profile, Settings
from critpath import Context, ProbeError, ProbeFailed, Reason
from probes.clients.http import common_headers, trace_header
from probes.failures import from_playwright
from probes.ports import Gate

if TYPE_CHECKING:  # Playwright is heavy: a daemon without browser checks never imports it
    from playwright.async_api import Browser, BrowserContext, Playwright
    from playwright.async_api import Page as DriverPage

_SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic")
_CLOSING_SECONDS = 3.0
_MARGIN_SECONDS = 0.2


class BrowserPool:
    """Owns the browser process. `page` lends one page; `aclose` ends the whole process tree."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.browser
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._lock = asyncio.Lock()
        self._processes: list[psutil.Process] = []

    @asynccontextmanager
    async def context(self, headers: dict[str, str]) -> AsyncIterator[BrowserContext]:
        """
        Lend a fresh browser context, closed afterwards whatever happened in it.

        Raises:
            ProbeError: `BROWSER`, when none can be started.
        """
        browser = await self._running()
        user_agent = headers.pop("user-agent")
        try:
            context = await browser.new_context(extra_http_headers=headers, user_agent=user_agent, service_workers="block")
        except Exception as exc:
            raise ProbeError(Reason.BROWSER, f"the browser gives no context: {_line(exc)}") from exc
        try:
            yield context
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await context.close()

    async def warm_up(self) -> None:
        """Start the browser, so that the first attempt need not wait for it. Whatever is wrong, that attempt will say."""
        with contextlib.suppress(ProbeError):
            await self._running()

    async def aclose(self) -> None:
        """End browser and driver, and every process they started."""
        browser, driver, self._browser, self._driver = self._browser, self._driver, None, None
        for closing in (browser.close if browser else None, driver.stop if driver else None):
            if closing is not None:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_CLOSING_SECONDS):
                        await closing()
        await asyncio.to_thread(_end, self._processes)
        self._processes = []

    async def _running(self) -> Browser:
        async with self._lock:
            if self._browser is None or not self._browser.is_connected():
                await self.aclose()
                self._browser = await self._start()
            return self._browser

    async def _start(self) -> Browser:
        from playwright.async_api import async_playwright  # noqa: PLC0415 - see TYPE_CHECKING above

        before = set(psutil.Process().children(recursive=True))
        try:
            self._driver = await async_playwright().start()
            executable = self._settings.executable or find_browser(self._driver.chromium.executable_path)
            return await self._driver.chromium.launch(
                executable_path=executable, args=list(_QUIET), chromium_sandbox=self._sandboxed(), timeout=15_000
            )
        except ProbeError:
            raise
        except Exception as exc:
            raise ProbeError(Reason.BROWSER, f"the browser does not start: {_line(exc)}") from exc
        finally:
            self._processes = [p for p in psutil.Process().children(recursive=True) if p not in before]

    def _sandboxed(self) -> bool:
        # Chromium refuses to run its sandbox as root.
        return self._settings.sandbox == "on" or (self._settings.sandbox == "auto" and os.geteuid() != 0)


def find_browser(bundled: str) -> str:
    """
    Return Playwright's own browser where it is installed, else the system's.

    Raises:
        ProbeError: `BROWSER`, when there is neither.
    """
    if Path(bundled).exists():
        return bundled
    for name in _SYSTEM_BROWSERS:
        if found := shutil.which(name):
            return found
    message = "no browser found: install Debian's package chromium, or run `playwright install chromium`"
    raise ProbeError(Reason.BROWSER, message)


class Page:
    """A page in the words of the profile. Implements `critpath.Page`."""

    def __init__(self, page: DriverPage, settings: Settings, profile: Profile, ctx: Context) -> None:
        self._page = page
        self._web = profile.web
        self._base = settings.surfaces[profile.web.surface].rstrip("/")
        self._ctx = ctx

    async def open(self, route: str) -> None:
        """Go to a route and wait for its document."""
        url = self._base + self._named(self._web.routes, route, "route")
        response = await self._try(f"open {route}", self._page.goto(url, wait_until="domcontentloaded", timeout=self._left()))
        if response is not None and not response.ok:
            raise ProbeFailed(Reason.STATUS, f"open {route}: the page answered {response.status}")

    async def fill(self, element: str, text: str) -> None:
        """Empty the element, then type into it."""
        field = self._page.locator(self._named(self._web.elements, element, "element"))
        await self._try(f"empty {element}", field.fill("", timeout=self._left()))
        await self._try(f"fill {element}", field.fill(text, timeout=self._left()))

    async def click(self, element: str) -> None:
        """Click the element."""
        selector = self._named(self._web.elements, element, "element")
        await self._try(f"click {element}", self._page.locator(selector).click(timeout=self._left()))

    async def sees(self, element: str, *, otherwise: str, **values: Any) -> None:
        """Wait until the element is visible; *otherwise* is what a page at night should say if it never is."""
        selector = self._named(self._web.elements, element, "element").format(**values)
        try:
            await self._try(otherwise, self._page.locator(selector).first.wait_for(state="visible", timeout=self._left()))
        except ProbeFailed as exc:
            raise ProbeFailed(exc.reason, otherwise) from exc

    async def _try(self, doing: str, action: Any) -> Any:
        try:
            return await action
        except Exception as exc:
            if isinstance(exc, (asyncio.CancelledError, ProbeError)):
                raise
            raise from_playwright(exc, doing) from exc

    def _left(self) -> float:
        # Below the attempt's own deadline, so that the page can still say what it was waiting for.
        return max(50.0, (self._ctx.remaining() - _MARGIN_SECONDS) * 1000)

    def _named(self, names: Any, name: str, kind: str) -> str:
        if name not in names:
            raise ProbeError(Reason.CONFIGURATION, f"the target profile names no {kind} {name!r} under web")
        return str(names[name])


@asynccontextmanager
async def open_page(pool: BrowserPool, settings: Settings, profile: Profile, gate: Gate, ctx: Context) -> AsyncIterator[Page]:
    """Lend a page whose requests carry our headers and are counted in the request budget."""
    if profile.web.surface not in settings.surfaces:
        raise ProbeError(Reason.CONFIGURATION, f"the configuration has no surface {profile.web.surface!r}")
    await gate.request(ctx, profile.web.surface)
    async with contextlib.AsyncExitStack() as stack:
        with ctx.on_our_side(Reason.BROWSER, "starting the browser"):
            context = await stack.enter_async_context(
                pool.context({**common_headers(settings, profile, ctx), **trace_header(ctx)})
            )
            try:
                page = await context.new_page()
            except Exception as exc:
                raise from_playwright(exc, "open a page") from exc
        yield Page(page, settings, profile, ctx)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
            process.kill()
    psutil.wait_procs(processes, timeout=_CLOSING_SECONDS)


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
