"""
Sessions: one per identity, shared by all checks, renewed ahead of its end, never logged in more often than needed.

Tokens live in memory alone. A login that fails for a check of something else is not that check's verdict: it is
blocked, and its path unknown, while the check of login says what is wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from config import Profile
from critpath import Clock, Context, ProbeError, ProbeFailed, Reason, Rotation
from critpath.checking import check_that
from probes.clients.http import Answer, HttpClient, UnexpectedStatus
from probes.ports import Gate

_HOLD_OFF_SECONDS = 5.0
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gave. *expires* and *issued* are UTC epoch seconds from the token's own claims, where it has them."""

    access: str
    refresh: str | None
    issued: float | None
    expires: float | None
    renewed: bool = False

    @classmethod
    def read(cls, answer: Answer, *, renewed: bool = False, refresh: str | None = None) -> Tokens:
        """
        Read the tokens of a login or refresh.

        Raises:
            ProbeFailed: there is no access token.
        """
        token = answer.token
        check_that(isinstance(token, str) and token, otherwise="the answer holds no access token", reason=Reason.TOKEN_INVALID)
        claims = claims_of(token)
        return cls(token, answer.refresh_token or refresh, _moment(claims.get("iat")), _moment(claims.get("exp")), renewed)

    def lasts(self, now_ms: int, ahead: float) -> bool:
        """Whether the token is still good *ahead* seconds from now; a short-lived one for a fifth of its life."""
        if self.expires is None:
            return True
        life = self.expires - (self.issued if self.issued is not None else self.expires - ahead * 5)
        return self.expires - now_ms / 1000 > min(ahead, life / 5)

    def __repr__(self) -> str:
        return f"Tokens(expires={self.expires})"


def claims_of(token: str) -> Mapping[str, Any]:
    """Return the claims of a JWT, unverified; empty for a token that is none. Never a reason to trust it."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, TypeError, AttributeError):
        return {}
    return claims if isinstance(claims, dict) else {}


class SessionKeeper:
    """The tokens of all identities of this process."""

    def __init__(self, profile: Profile, gate: Gate, clock: Clock, credentials: Any) -> None:
        self._rules = profile.session
        self._gate = gate
        self._clock = clock
        self._credentials = credentials
        self._tokens: dict[str, Tokens] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refused: dict[str, tuple[float, ProbeFailed]] = {}

    async def log_in(self, ctx: Context, http: HttpClient, identity: str) -> Tokens:
        """
        Log in now, whatever is kept. What comes of it is not shared.

        Raises:
            ProbeFailed: with `LOGIN_REJECTED` where the target refuses an account that is known to be good.
        """
        if self._rules is None:
            raise ProbeError(Reason.CONFIGURATION, "the target profile has no session rules")
        account = self._credentials(identity)
        await self._gate.login(ctx, account["username"])
        try:
            answer = await http.call(self._rules.login, account)
        except ProbeFailed as exc:
            if exc.reason is Reason.ACCESS_DENIED:
                raise ProbeFailed(Reason.LOGIN_REJECTED, f"a known-good account is refused: {exc}") from exc
            raise
        return Tokens.read(answer)

    async def refresh(self, http: HttpClient, refresh_token: str) -> Tokens:
        """Exchange a refresh token for a new pair."""
        if self._rules is None or self._rules.refresh is None:
            raise ProbeError(Reason.CONFIGURATION, "the target profile has no refresh operation")
        answer = await http.call(self._rules.refresh, {"refresh_token": refresh_token})
        return Tokens.read(answer, renewed=True, refresh=refresh_token)

    async def token(self, ctx: Context, http: HttpClient, identity: str, *, stale: str | None = None) -> str:
        """
        Return an access token of *identity* that is good for a while. *stale* is one that the target just refused.

        Raises:
            ProbeError: `BLOCKED`, when no session can be had; or what else is our own fault.
        """
        async with self._locks[identity]:
            kept = self._tokens.get(identity)
            ahead = self._rules.refresh_ahead if self._rules else 0.0
            if kept and kept.access != stale and kept.lasts(self._clock.now(), ahead):
                return kept.access
            refused_at, refusal = self._refused.get(identity, (0.0, None))
            if refusal and self._clock.monotonic() - refused_at < _HOLD_OFF_SECONDS:
                raise _blocked(identity, refusal)
            try:
                fresh = await self._renew(ctx, http, identity, kept, stale)
            except ProbeFailed as exc:
                self._refused[identity] = (self._clock.monotonic(), exc)
                raise _blocked(identity, exc) from exc
            self._refused.pop(identity, None)
            self._tokens[identity] = fresh
            return fresh.access

    async def rotate(self, ctx: Context, http: HttpClient, identity: str) -> Rotation:
        """
        Refresh the kept session now. After a failure the session is dropped, so that the next try starts afresh.

        Raises:
            ProbeFailed: the refresh failed.
            ProbeError: `BLOCKED`, when there is no session to refresh and none can be had.
        """
        await self.token(ctx, http, identity)
        async with self._locks[identity]:
            kept = self._tokens.pop(identity, None)
            if kept is None or kept.refresh is None:
                raise ProbeFailed(Reason.TOKEN_INVALID, "the login gave no refresh token")
            fresh = await self.refresh(http, kept.refresh)
            self._tokens[identity] = fresh
            return Rotation(fresh.access, kept.refresh, fresh.refresh or "")

    async def _renew(self, ctx: Context, http: HttpClient, identity: str, kept: Tokens | None, stale: str | None) -> Tokens:
        # A refreshed token that the target refuses says that refreshing is broken: log in instead.
        distrust = kept is not None and kept.access == stale and kept.renewed
        if kept and kept.refresh and self._rules and self._rules.refresh and not distrust:
            try:
                return await self.refresh(http, kept.refresh)
            except ProbeFailed:
                self._tokens.pop(identity, None)
        return await self.log_in(ctx, http, identity)


def _moment(claim: Any) -> float | None:
    return float(claim) if isinstance(claim, (int, float)) and not isinstance(claim, bool) else None


def _blocked(identity: str, cause: ProbeFailed) -> ProbeError:
    return ProbeError(Reason.BLOCKED, f"could not be tried: no session for {identity!r}: {cause}")


class Session:
    """One identity's session in one attempt. Implements `critpath.Session`."""

    def __init__(
        self, ctx: Context, http: HttpClient, identity: str, keeper: SessionKeeper | None, tokens: Tokens | None
    ) -> None:
        self.identity = identity
        self.tokens = tokens
        self._ctx = ctx
        self._http = http
        self._keeper = keeper

    async def call(
        self, operation: str, /, *, expect: int | Collection[int] | None = None, bearer: str | None = None, **variables: Any
    ) -> Answer:
        """Perform an operation of the profile; see `critpath.Session.call`."""
        token = bearer if bearer is not None else await self._token()
        try:
            return await self._http.call(operation, variables, bearer=token, expect=expect)
        except UnexpectedStatus as exc:
            if exc.status not in _REFUSED or self._keeper is None or bearer is not None:
                raise
            refused = exc
        # The token ended, or was revoked, while we held it (some guards say 403 to that): once anew, and a second
        # refusal is the target's answer. So is the first, where a login that we may not make is all that is left.
        try:
            token = await self._token(stale=token)
        except ProbeError as exc:
            raise refused if exc.reason is Reason.THROTTLED else exc from None
        return await self._http.call(operation, variables, bearer=token, expect=expect)

    async def graphql(self, operation: str, /, **variables: Any) -> Answer:
        """Perform a GraphQL operation of the profile."""
        return await self.call(operation, **variables)

    async def rotate(self) -> Rotation:
        """Refresh the shared session now; see `SessionKeeper.rotate`."""
        if self._keeper is None:
            raise ProbeError(Reason.BUG, "only a shared session can be refreshed")
        return await self._keeper.rotate(self._ctx, self._http, self.identity)

    async def _token(self, stale: str | None = None) -> str | None:
        if self._keeper is None:
            return self.tokens.access if self.tokens else None
        return await self._keeper.token(self._ctx, self._http, self.identity, stale=stale)
