"""A page in the words of the profile, over a driver that does as it is told. A real browser is in the integration tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import playwright.async_api
import pytest

from config import Settings
from critpath import Context, Outcome, ProbeError, ProbeException, Reason
from critpath.testing import FakeClock
from probes.clients.browser import BrowserPool, Page, find_browser, open_page
from tests.unit.probes.probe_doubles import PROFILE, SETTINGS, RecordingGate


@dataclass
class Driver:
    """Stands for Playwright's page and for its locators; keeps what it was told, with the timeout in milliseconds."""

    fails: Exception | None = None
    status: int | None = 200
    told: list[tuple[Any, ...]] = field(default_factory=list)
    selector: str = ""

    async def goto(self, url: str, *, wait_until: str, timeout: float) -> Any:  # noqa: ASYNC109 - the driver's signature
        """Open a page."""
        self._note("goto", url, timeout)
        return None if self.status is None else SimpleNamespace(ok=self.status < 400, status=self.status)

    def locator(self, selector: str) -> Driver:
        """Note the selector."""
        self.selector = selector
        return self

    @property
    def first(self) -> Driver:
        """The first of many."""
        return self

    async def fill(self, text: str, *, timeout: float) -> None:  # noqa: ASYNC109 - the driver's signature
        """Type."""
        self._note("fill", self.selector, text)

    async def click(self, *, timeout: float) -> None:  # noqa: ASYNC109 - the driver's signature
        """Click."""
        self._note("click", self.selector)

    async def wait_for(self, *, state: str, timeout: float) -> None:  # noqa: ASYNC109 - the driver's signature
        """Wait."""
        self._note("wait", self.selector, state)

    def _note(self, *what: Any) -> None:
        self.told.append(what)
        if self.fails:
            raise self.fails


def page(driver: Driver, clock: FakeClock | None = None) -> Page:
    return Page(driver, SETTINGS, PROFILE, Context(check="c", path="p", deadline=5, clock=clock or FakeClock()))  # type: ignore[arg-type]


async def test_a_form_is_emptied_before_it_is_filled() -> None:
    """Fields that come filled with something would otherwise pass for ours."""
    driver = Driver()
    lent = page(driver)
    await lent.open("sign_in")
    await lent.fill("username", "me")
    await lent.click("submit")
    await lent.sees("greeting", otherwise="no greeting", name="Ada")
    assert driver.told == [
        ("goto", "http://web.test/signin", 4800.0),
        ("fill", "#name", ""),
        ("fill", "#name", "me"),
        ("click", "button"),
        ("wait", "text=/Hello, Ada/", "visible"),
    ]


async def test_waiting_ends_just_before_the_attempt() -> None:
    """And is never shorter than 50 ms."""
    driver, clock = Driver(), FakeClock()
    clock.advance(60)
    await page(driver, clock).open("sign_in")
    assert driver.told == [("goto", "http://web.test/signin", 50.0)]


@pytest.mark.parametrize(("status", "fine"), [(200, True), (None, True), (404, False), (500, False)])
async def test_a_page_that_answers_with_an_error_is_red(status: int | None, fine: bool) -> None:
    """A page from the cache has no answer, and is fine."""
    lent = page(Driver(status=status))
    if fine:
        await lent.open("sign_in")
        return
    with pytest.raises(ProbeException, match=f"open sign_in: the page answered {status}") as caught:
        await lent.open("sign_in")
    assert (caught.value.outcome, caught.value.reason) == (Outcome.FAILED, Reason.STATUS)


GONE = playwright.async_api.Error("Target page, context or browser has been closed")
LATE = playwright.async_api.TimeoutError("Timeout 4800ms exceeded.")
ACTIONS: dict[str, Callable[[Page], Any]] = {
    "open sign_in": lambda lent: lent.open("sign_in"),
    "empty username": lambda lent: lent.fill("username", "x"),
    "click submit": lambda lent: lent.click("submit"),
    "nothing to see": lambda lent: lent.sees("submit", otherwise="nothing to see"),
}


@pytest.mark.parametrize("doing", sorted(ACTIONS))
@pytest.mark.parametrize(
    ("error", "outcome", "reason"), [(GONE, Outcome.ERROR, Reason.BROWSER), (LATE, Outcome.FAILED, Reason.PAGE_BROKEN)]
)
async def test_every_action_tells_a_dead_browser_from_a_dead_page(
    doing: str, error: Exception, outcome: Outcome, reason: Reason
) -> None:
    """And says what it was doing, or what the probe said is wrong."""
    with pytest.raises(ProbeException) as caught:
        await ACTIONS[doing](page(Driver(fails=error)))
    assert (caught.value.outcome, caught.value.reason) == (outcome, reason)
    assert str(caught.value).startswith(doing)


@pytest.mark.parametrize(
    "act", [lambda lent: lent.open("home"), lambda lent: lent.click("home"), lambda lent: lent.fill("home", "")]
)
async def test_a_word_that_the_profile_lacks_is_a_mistake_of_ours(act: Callable[[Page], Any]) -> None:
    """It is named."""
    with pytest.raises(ProbeError, match=r"the target profile names no (route|element) 'home' under web") as caught:
        await act(page(Driver()))
    assert caught.value.reason is Reason.CONFIGURATION


async def test_without_a_web_surface_there_is_no_page() -> None:
    """Nothing is taken from the budget, and no browser started."""
    settings: Settings = SETTINGS.model_copy(update={"surfaces": {"api": "http://api.test"}})
    gate = RecordingGate()
    ctx = Context(check="c", path="p", deadline=5)
    with pytest.raises(ProbeError, match="the configuration has no surface 'web'"):
        async with open_page(BrowserPool(settings), settings, PROFILE, gate, ctx):
            raise AssertionError("a page was lent")
    assert gate.requests == []


def test_without_any_browser_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Playwright's own is preferred, then the system's; with neither, what to install."""
    assert find_browser(str(tmp_path)) == str(tmp_path)
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser(str(tmp_path / "nowhere")) == str(tmp_path / "chromium")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ProbeError, match="install Debian's package chromium") as caught:
        find_browser(str(tmp_path / "nowhere"))
    assert caught.value.reason is Reason.BROWSER
