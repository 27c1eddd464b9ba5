"""Who may pass (Contract A.4)."""

from demo.exchange import Exchange, Refusal, User
from demo.faults import Faults
from demo.settings import Settings
from demo.tokens import InvalidToken, Tokens

DEVELOPER = User("dev-user", "developer@localhost", "ADMIN", "synthetic")


class Guards:
    """Each guard returns the user, or raises the Refusal that the contract words."""

    def __init__(self, settings: Settings, faults: Faults, tokens: Tokens) -> None:
        self._production = settings.production
        self._faults, self._tokens = faults, tokens

    def ensure_authenticated(self, exchange: Exchange) -> User:
        """REST: any failure is 401 `{"error": "Unauthorized"}`."""
        token = bearer(exchange) or exchange.headers.get("x-access-token", "")
        try:
            return self._admit(exchange, token)
        except InvalidToken:
            raise Refusal(401, {"error": "Unauthorized"}) from None

    def ensure_role(self, exchange: Exchange, *roles: str) -> User | None:
        """REST: 401 without a user or a role, 403 for another role; roles compare without case."""
        if self._faults.on("authz-open"):
            return None
        user = self.ensure_authenticated(exchange)
        if not user.role:
            raise Refusal(401, {"error": "Unauthorized"})
        welcome = user.role.upper() in roles or self._faults.on("authz-escalation")
        if not welcome or self._faults.on("authz-locked"):
            raise Refusal(403, {"error": "Forbidden: Insufficient role"})
        return user

    def authenticate_graphql(self, exchange: Exchange) -> User:
        """GraphQL: no token 401, an invalid one 403. In dev mode any bearer string passes."""
        token = bearer(exchange)
        if not token and self._production:
            raise Refusal(401, {"error": "Unauthorized: No token provided"})
        if not token:
            raise Refusal(401, {"error": "Unauthorized", "message": "No token provided"})
        try:
            return self._admit(exchange, token)
        except InvalidToken:
            if self._production:
                raise Refusal(403, {"error": "Forbidden: Invalid token"}) from None
        exchange.user = DEVELOPER
        return DEVELOPER

    def _admit(self, exchange: Exchange, token: str) -> User:
        exchange.user = self._tokens.verify(token)
        exchange.token = token
        return exchange.user


def bearer(exchange: Exchange) -> str:
    """The bearer token of the request, "" if there is none."""
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
