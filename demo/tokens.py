"""Access and refresh tokens (Contract A.3)."""

import hashlib
import json
import secrets
import time
import uuid
from pathlib import Path
from sqlite3 import Row
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from demo.exchange import User
from demo.faults import Faults
from demo.settings import Settings
from demo.store import Store, now_ms

REFRESH_DAYS = 7


class InvalidToken(Exception):
    """Not one of ours, expired, or revoked."""


class Tokens:
    """Issues, verifies and revokes. The signing key lies beside the database and lives as long as that."""

    def __init__(self, settings: Settings, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults
        self._seconds = settings.token_seconds
        self._key = OctKey.import_key(_signing_key(settings.data / "jwt.key"))
        self._refreshed: set[str] = set()

    def access(self, user: Row, *, refreshed: bool = False) -> str:
        """A bearer JWT with the claims userId, email, role, iat, exp."""
        now = time.time()
        seconds = self._seconds
        if self._faults.on("token-expires-mid-run"):
            seconds = self._faults.value("token-expires-mid-run", "seconds")
        claims: dict[str, Any] = {"userId": user["id"], "email": user["email"], "role": user["role"], "iat": int(now)}
        if not refreshed and self._faults.on("login-token-expired"):
            claims["iat"], seconds = int(now) - 7200, -3600
        if not refreshed and self._faults.on("login-token-no-role"):
            del claims["role"]
        claims["exp"] = int(now + seconds)
        # Two tokens of one second would be equal, and revoking one would revoke both: the id tells them apart.
        token = jwt.encode({"alg": "HS256", "kid": secrets.token_hex(4)}, claims, self._key)
        if refreshed:
            self._refreshed.add(_digest(token))
        return token

    def verify(self, token: str) -> User:
        """Who the token speaks for; raises InvalidToken."""
        claims = self._claims(token)
        digest = _digest(token)
        if self._store.one("SELECT 1 FROM token_blacklist WHERE token_hash = ?", digest):
            raise InvalidToken
        if digest in self._refreshed and self._faults.on("refresh-token-rejected"):
            raise InvalidToken
        if claims.get("exp", 0) <= time.time() and not self._faults.on("authz-expired-accepted"):
            raise InvalidToken
        user = self._store.one("SELECT * FROM users WHERE id = ? AND is_active", str(claims.get("userId")))
        if user is None:
            return self._stranger(claims)
        return User(user["id"], user["email"], str(claims.get("role", "")), user["tenant_id"])

    def revoke(self, token: str) -> None:
        """Blacklist an access token by its SHA-256."""
        self._store.run("INSERT OR IGNORE INTO token_blacklist VALUES (?, ?)", _digest(token), now_ms())

    def open_session(self, user_id: str) -> str:
        """A new refresh token, an opaque UUID."""
        refresh = str(uuid.uuid4())
        expires = now_ms() + REFRESH_DAYS * 86_400_000
        self._store.run("INSERT INTO user_sessions VALUES (?, ?, ?, 0)", refresh, user_id, expires)
        return refresh

    def rotate(self, refresh: str) -> tuple[Row, str] | None:
        """The user and the next refresh token; None if this one is unknown, expired or used up."""
        session = self._store.one(
            "SELECT * FROM user_sessions WHERE refresh_token = ? AND expires_at > ?", refresh, now_ms()
        )
        if session is None or (session["is_revoked"] and not self._faults.on("refresh-reuse-accepted")):
            return None
        user = self._store.one("SELECT * FROM users WHERE id = ? AND is_active", session["user_id"])
        if user is None:
            return None
        if self._faults.on("refresh-not-rotated"):
            return user, refresh
        self._store.run("UPDATE user_sessions SET is_revoked = 1 WHERE refresh_token = ?", refresh)
        return user, self.open_session(user["id"])

    def close_sessions(self, user_id: str) -> None:
        """Revoke every session of the user, not only the caller's."""
        self._store.run("UPDATE user_sessions SET is_revoked = 1 WHERE user_id = ?", user_id)

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact HS256 signature over *claims* (Contract D3)."""
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token, self._key, algorithms=["HS256"]).claims)
        except (JoseError, ValueError):
            pass
        try:
            parts = jws.extract_compact(token.encode())
            unsigned = str(parts.headers().get("alg", "")).lower() == "none"
            accepted = "authz-alg-none-accepted" if unsigned else "authz-forged-accepted"
            if self._faults.on(accepted):
                return dict(json.loads(parts.payload))
        except (JoseError, ValueError, TypeError):
            pass
        raise InvalidToken

    def _stranger(self, claims: dict[str, Any]) -> User:
        if not (self._faults.on("authz-forged-accepted") or self._faults.on("authz-alg-none-accepted")):
            raise InvalidToken
        return User(str(claims.get("userId")), str(claims.get("email", "")), str(claims.get("role", "")), "synthetic")


def _signing_key(file: Path) -> bytes:
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
