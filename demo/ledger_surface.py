"""The ledger's own address (Contract D4's headers over D1's chain, which has no mounted route in the source)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange, Refusal
from demo.faults import Faults
from demo.ledger import Ledger

MOST = 1_000
IMMUTABLE = {"error": "immutable"}


class LedgerSurface:
    """Read for those who say who they are and why; every route, health included."""

    def __init__(self, ledger: Ledger, faults: Faults) -> None:
        self._ledger, self._faults = ledger, faults

    def routes(self) -> list[Route]:
        """Entries and health."""
        return [
            Route("/ledger/entries", self.entries),
            Route("/ledger/entries/{entry_id}", self.change, methods=["PUT", "DELETE"]),
            Route("/health", self.health),
        ]

    async def entries(self, request: Request) -> Response:
        """GET the chain of `tenantId` after `afterSequence`, ascending, and its head."""
        _policy(request)
        query = request.query_params
        if not query.get("tenantId"):
            return JSONResponse({"error": "tenant_required"}, 400)
        try:
            after, limit = int(query.get("afterSequence") or 0), int(query.get("limit") or 100)
        except ValueError:
            return JSONResponse({"error": "afterSequence and limit must be numbers"}, 400)
        return JSONResponse(self._ledger.page(query["tenantId"], after, max(1, min(limit, MOST))))

    async def change(self, request: Request) -> Response:
        """PUT and DELETE are refused: the ledger is append-only."""
        _policy(request)
        if not self._faults.on("ledger-mutable"):
            return JSONResponse(IMMUTABLE, 405)
        changes = Exchange.of(request).json() if request.method == "PUT" else None
        if not self._ledger.edit(request.path_params["entry_id"], changes):
            return JSONResponse({"error": "Entry not found"}, 404)
        return JSONResponse({"updated" if changes is not None else "deleted": True})

    async def health(self, request: Request) -> Response:
        """GET /health, behind the same policy as everything else."""
        _policy(request)
        return JSONResponse({"status": "ok"})


def _policy(request: Request) -> None:
    for header in ("x-authority-id", "x-reason-for-access"):
        if not request.headers.get(header):
            reason = f"Missing {header} header"
            raise Refusal(403, {"error": "Policy denial", "reason": reason, "appealPath": "/appeals/policy"})
