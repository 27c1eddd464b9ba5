"""POST /graphql: guard, registered operations, depth limit, masked errors (Contract B.1)."""

import json
import logging
from typing import Any

from ariadne import graphql
from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    SelectionSetNode,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange
from demo.faults import Faults
from demo.guards import Guards
from demo.search import SearchBroken, SearchHung
from demo.settings import Settings
from demo.store import HERE
from demo.wire import Reset

KEPT_CODES = {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN"}
MASKED = {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
VARIABLES = ("Variable ", "Query variables ")
SILENT = logging.getLogger("demo.graphql")
SILENT.disabled = True  # the caller gets the error; a traceback on the twin's terminal helps nobody


class GraphQL:
    """The one GraphQL endpoint, served by the api and the web surface alike."""

    def __init__(self, settings: Settings, faults: Faults, guards: Guards, schema: GraphQLSchema) -> None:
        self._production = settings.production
        self._faults, self._guards, self._schema = faults, guards, schema
        self._registered = frozenset(json.loads((HERE / "operations.json").read_text(encoding="utf-8")))

    def routes(self) -> list[Route]:
        """POST alone."""
        return [Route("/graphql", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Execute one operation. The query's text is not compared with the registered one."""
        exchange = Exchange.of(request)
        self._guards.authenticate_graphql(exchange)
        if self._faults.on("graphql-unmasked-500"):
            return JSONResponse({"errors": [MASKED]}, 500)
        if self._production and exchange.headers.get("x-apollo-operation-id") not in self._registered:
            return JSONResponse({"errors": [MASKED]}, 500)
        body = exchange.json()
        if not isinstance(body.get("query"), str):
            return JSONResponse(
                {"errors": [_error("POST body missing, invalid or without a query", "BAD_REQUEST")]}, 400
            )
        raised: list[Exception] = []
        executed, result = await graphql(
            self._schema,
            body,
            context_value={"exchange": exchange},
            introspection=not self._production,
            validation_rules=[_depth_rule(6 if self._production else 8)],
            error_formatter=lambda error, debug: self._format(error, raised),
            logger=SILENT,
        )
        if any(isinstance(error, SearchHung) for error in raised):
            return Reset()
        if any(isinstance(error, SearchBroken) for error in raised):
            return JSONResponse({"errors": result["errors"]})
        if self._faults.on("search-partial") and "searchAll" in (result.get("data") or {}):
            result["errors"] = [{**MASKED, "path": ["searchAll", "results"]}]
        return JSONResponse(result, self._status(result, executed=executed))

    def _format(self, error: GraphQLError, raised: list[Exception]) -> dict[str, Any]:
        if error.original_error:
            raised.append(error.original_error)
        code = _code(error)
        if self._production and code not in KEPT_CODES:
            return MASKED | ({"path": error.path} if error.path else {})
        return {**error.formatted, "extensions": {"code": code}}

    def _status(self, result: dict[str, Any], *, executed: bool) -> int:
        errors = result.get("errors") or []
        if not errors or result.get("data"):
            return 200
        if any(error["extensions"]["code"] == "INTERNAL_SERVER_ERROR" for error in errors):
            return 500 if self._production else 200
        return 200 if executed else 400


def _code(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if error.path is None:  # no field was resolved, so it is the caller's request that is wrong
        return "BAD_USER_INPUT" if error.message.startswith(VARIABLES) else "GRAPHQL_VALIDATION_FAILED"
    return "INTERNAL_SERVER_ERROR"


def _error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _depth_rule(limit: int) -> type[ASTValidationRule]:
    class DepthLimit(ASTValidationRule):
        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            if self._depth(node.selection_set, frozenset()) > limit:
                name = node.name.value if node.name else ""
                self.report_error(GraphQLError(f"'{name}' exceeds maximum operation depth of {limit}", node))

        def _depth(self, selections: SelectionSetNode | None, seen: frozenset[str]) -> int:
            deepest = 0
            for node in selections.selections if selections else ():
                if isinstance(node, FieldNode):
                    # Apollo's rule counts the levels below the operation's own fields, and ignores introspection.
                    if node.selection_set and not node.name.value.startswith("__"):
                        deepest = max(deepest, 1 + self._depth(node.selection_set, seen))
                elif isinstance(node, FragmentSpreadNode):
                    fragment = self.context.get_fragment(node.name.value)
                    if fragment and node.name.value not in seen:
                        deepest = max(deepest, self._depth(fragment.selection_set, seen | {node.name.value}))
                else:
                    deepest = max(deepest, self._depth(getattr(node, "selection_set", None), seen))
            return deepest

    return DepthLimit
