"""Login, refresh, logout and who am I (Contract A.2), mounted at /auth and again at /api/auth."""

import time
from sqlite3 import Row
from typing import Any

from argon2.exceptions import VerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange, Refusal, User
from demo.faults import Faults
from demo.guards import Guards, bearer
from demo.limits import Limiter, Limits, auth_headers
from demo.store import HASHER, Store, iso, now_ms
from demo.tokens import InvalidToken, Tokens
from demo.wire import Reset

STATED_EXPIRES_IN = 86_400  # Contract A.3: stated whatever the token's `exp` is
INTERNAL = {"error": "Internal server error"}
BAD_CREDENTIALS = {"error": "Invalid credentials", "code": "INVALID_CREDENTIALS"}


class Auth:
    """The routes of `authRoutes.ts`."""

    def __init__(self, store: Store, faults: Faults, tokens: Tokens, guards: Guards, limits: Limits) -> None:
        self._store, self._faults, self._tokens = store, faults, tokens
        self._guards, self._limits = guards, limits

    def routes(self) -> list[Route]:
        """Both mounts."""
        table = [
            ("login", self.login, "POST"), ("refresh", self.refresh, "POST"), ("logout", self.logout, "POST"),
            ("me", self.me, "GET"), ("verify-token", self.verify_token, "GET"),
            ("revoke-token", self.revoke_token, "POST"),
        ]  # fmt: skip
        return [
            Route(f"{prefix}/{name}", handler, methods=[method])
            for prefix in ("/auth", "/api/auth")
            for name, handler, method in table
        ]

    async def login(self, request: Request) -> Response:
        """POST login (A.2). Every exception is the same 401, a database outage included."""
        exchange = Exchange.of(request)
        if self._faults.on("login-refused"):
            return Reset()
        if self._faults.on("login-hang"):
            await self._faults.until_off("login-hang")
            return Reset()
        email, password = _required(exchange, "email", "password")
        self._limit(self._limits.login, f"{exchange.ip}:{email.lower()}", exchange)
        if self._faults.on("login-500"):
            return JSONResponse(INTERNAL, 500)
        if self._faults.on("login-db-outage"):
            return JSONResponse(BAD_CREDENTIALS, 401)
        answer = self.sign_in(exchange, email, password)
        return JSONResponse(answer) if answer else JSONResponse(BAD_CREDENTIALS, 401)

    def sign_in(self, exchange: Exchange, email: str, password: str) -> dict[str, Any] | None:
        """The login answer, or None if the credentials are wrong."""
        row = self._store.one("SELECT * FROM users WHERE email = ? AND is_active", email.strip().lower())
        try:
            HASHER.verify(row["password_hash"] if row else "", password)
        except (VerificationError, ValueError):
            return None
        if row is None:
            return None
        self._store.run("UPDATE users SET last_login = ? WHERE id = ?", now_ms(), row["id"])
        exchange.user = User(row["id"], row["email"], row["role"], row["tenant_id"])
        return {
            "message": "Login successful",
            "user": self.profile(row["id"]),
            "token": self._tokens.access(row),
            "refreshToken": self._tokens.open_session(row["id"]),
            "expiresIn": STATED_EXPIRES_IN,
        }

    async def refresh(self, request: Request) -> Response:
        """POST refresh (A.2, A.3): rotates; the answer has no expiresIn."""
        exchange = Exchange.of(request)
        self._limit(self._limits.refresh, exchange.ip, exchange)
        (refresh,) = _required(exchange, "refreshToken")
        if self._faults.on("refresh-500"):
            return JSONResponse(INTERNAL, 500)
        rotated = self._tokens.rotate(refresh)
        if rotated is None:
            return JSONResponse({"error": "Invalid refresh token", "code": "INVALID_REFRESH_TOKEN"}, 401)
        row, following = rotated
        exchange.user = User(row["id"], row["email"], row["role"], row["tenant_id"])
        token = self._tokens.access(row, refreshed=True)
        return JSONResponse({"message": "Token refreshed successfully", "token": token, "refreshToken": following})

    async def logout(self, request: Request) -> Response:
        """POST logout (A.3): blacklists the token and ends *every* session of the user."""
        exchange = Exchange.of(request)
        user = self._guards.ensure_authenticated(exchange)
        if not self._faults.on("logout-noop"):
            self._tokens.revoke(exchange.token)
            self._tokens.close_sessions(user.id)
        return JSONResponse({"message": "Logout successful"})

    async def me(self, request: Request) -> Response:
        """GET me (A.2)."""
        user = self._guards.ensure_authenticated(Exchange.of(request))
        return JSONResponse({"user": self.profile(user.id) | {"isActive": True}})

    async def verify_token(self, request: Request) -> Response:
        """GET verify-token (A.2)."""
        exchange = Exchange.of(request)
        token = bearer(exchange)
        if not token:
            return JSONResponse({"valid": False, "error": "No token provided", "code": "NO_TOKEN"}, 401)
        try:
            user = exchange.user = self._tokens.verify(token)
        except InvalidToken:
            return JSONResponse({"valid": False, "error": "Invalid token", "code": "INVALID_TOKEN"}, 401)
        return JSONResponse({"valid": True, "user": {"id": user.id, "email": user.email, "role": user.role}})

    async def revoke_token(self, request: Request) -> Response:
        """POST revoke-token (A.2)."""
        exchange = Exchange.of(request)
        self._guards.ensure_authenticated(exchange)
        token = exchange.json().get("token")
        if not token:
            return JSONResponse({"error": "Token is required", "code": "TOKEN_REQUIRED"}, 400)
        self._tokens.revoke(str(token))
        return JSONResponse({"message": "Token revoked successfully"})

    def profile(self, user_id: str) -> dict[str, Any]:
        """The user as the contract words it; {} for one who is not in the database."""
        row = self._store.one("SELECT * FROM users WHERE id = ?", user_id)
        return _profile(row) if row else {}

    def _limit(self, limiter: Limiter, key: str, exchange: Exchange) -> None:
        """Contract A.7: successes count, too."""
        if not self._limits.enabled:
            return
        standing = limiter.hit(key)
        exchange.answer_headers |= auth_headers(standing)
        if not standing.allowed:
            raise Refusal(
                429,
                {
                    "error": "Too many attempts, please try again later",
                    "code": "RATE_LIMIT_EXCEEDED",
                    "retryAfter": standing.reset,
                    "blocked": standing.blocked,
                },
                {"retry-after": str(standing.reset)},
            )


def _profile(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "email": row["email"],
        "username": row["username"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "fullName": f"{row['first_name']} {row['last_name']}",
        "role": row["role"],
        "lastLogin": iso(row["last_login"] or round(time.time() * 1000)),
    }


def _required(exchange: Exchange, *names: str) -> list[str]:
    body = exchange.json()
    wrong = [name for name in names if not isinstance(body.get(name), str) or not body[name]]
    if wrong:
        details = [{"field": name, "message": f"{name} is required"} for name in wrong]
        raise Refusal(400, {"error": "Validation failed", "code": "VALIDATION_ERROR", "details": details})
    return [body[name] for name in names]
