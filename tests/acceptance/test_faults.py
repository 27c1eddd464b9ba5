"""Every fault of the catalogue that the checks of today can see: its path turns red, no other does, and green again after."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Seen

FAULTS = [
    # fault, path, the reasons that name its cause
    ("login-500", "auth", {"status", "page_broken"}),
    ("login-hang", "auth", {"timeout", "page_broken"}),
    ("login-refused", "auth", {"connection", "protocol", "page_broken"}),
    ("login-db-outage", "auth", {"login_rejected", "page_broken"}),
    ("login-token-expired", "auth", {"token_invalid", "access_denied", "page_broken"}),
    ("login-token-no-role", "auth", {"token_invalid", "access_denied", "page_broken"}),
    ("refresh-500", "auth", {"status"}),
    ("refresh-token-rejected", "auth", {"token_invalid"}),
    ("refresh-not-rotated", "auth", {"token_reusable"}),
    ("refresh-reuse-accepted", "auth", {"token_reusable"}),
    ("authz-open", "auth", {"access_open"}),
    ("authz-escalation", "auth", {"access_open"}),
    ("authz-locked", "auth", {"access_denied"}),
    ("web-bundle-missing", "auth", {"page_broken"}),
    ("web-blank", "auth", {"page_broken"}),
    ("web-form-broken", "auth", {"page_broken"}),
    ("graph-mock-fallback", "investigation", {"mock_data", "wrong_answer"}),
    ("graph-expand-stub", "investigation", {"wrong_answer"}),
    ("graph-expand-wrong", "investigation", {"wrong_answer"}),
    ("entity-null", "investigation", {"missing"}),
    ("entity-other-tenant", "investigation", {"wrong_answer"}),
    ("entity-stale", "investigation", {"wrong_answer"}),
    ("search-empty", "investigation", {"wrong_answer"}),
    ("search-partial", "investigation", {"api_errors"}),
    ("search-errors-200", "investigation", {"api_errors"}),
    ("search-hang", "investigation", {"timeout"}),
    ("graphql-unmasked-500", "investigation", {"status"}),
    ("wrong-environment", "investigation", {"wrong_environment"}),
    ("body-slow", "investigation", {"timeout"}),
    ("body-huge", "investigation", {"body_too_large", "timeout"}),
    ("body-bomb", "investigation", {"body_too_large"}),
    ("json-broken", "investigation", {"content"}),
    ("redirect-loop", "investigation", {"status"}),
    ("ingest-refused", "ingestion", {"connection", "protocol"}),
    ("ingest-500", "ingestion", {"status"}),
    ("ingest-lost", "ingestion", {"lost"}),
    ("ingest-stuck", "ingestion", {"stuck"}),
    ("ingest-corrupt", "ingestion", {"corrupt"}),
    ("ingest-duplicate", "ingestion", {"duplicate"}),
    ("ingest-slow", "ingestion", {"stuck"}),
    ("ingest-canned", "ingestion", {"lost"}),
    ("audit-lost", "audit", {"lost"}),
    ("audit-late", "audit", {"lost"}),
    ("audit-wrong-actor", "audit", {"wrong_answer"}),
    ("audit-wrong-tenant", "audit", {"wrong_answer", "lost"}),
    ("audit-no-correlation", "audit", {"wrong_answer", "lost"}),
    ("ledger-broken-link", "audit", {"chain_broken"}),
    ("ledger-gap", "audit", {"chain_broken"}),
    ("ledger-fork", "audit", {"chain_broken"}),
    ("ledger-rewritten", "audit", {"chain_broken"}),
    ("ledger-truncated", "audit", {"chain_broken", "lost"}),
]


@pytest.mark.parametrize(("fault", "path", "reasons"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_a_fault_turns_its_own_path_red_and_no_other(fast: Seen, fault: str, path: str, reasons: set[str]) -> None:
    """The page names the path and a reason that fits; mended, the path is green and the incident resolved."""
    triggers, resolves = len(fast.pages("trigger")), len(fast.pages("resolve"))
    fast.stage.twin.switch_on(fault)
    try:
        fast.until(lambda: len(fast.pages("trigger")) > triggers, f"{fault} is paged")
        page = fast.pages("trigger")[triggers]
        assert (page["path"], page["severity"]) == (path, "SEV-1")
        assert page["details"]["reason"] in reasons, page["title"]
        assert fast.bad() <= {path}
    finally:
        fast.stage.twin.switch_off(fault)
    fast.until(lambda: fast.all_good() and len(fast.pages("resolve")) > resolves, f"after {fault}, all is good and resolved")
    assert {message["path"] for message in fast.pages("trigger")[triggers:]} == {path}


@pytest.mark.parametrize("switch", ["kill-switch", "tenant-kill-switch"])
def test_a_kill_switch_is_named_on_every_path_that_it_stops(fast: Seen, switch: str) -> None:
    """It is an outage of each, its reason is `kill_switch`, and one page for auth silences those that depend on it."""
    triggers = len(fast.pages("trigger"))
    fast.stage.twin.switch_on(switch)
    try:
        fast.until(lambda: {"investigation", "ingestion"} <= fast.bad(), "what it stops is bad")
        reasons = {page["details"]["reason"] for page in fast.pages("trigger")[triggers:]}
        assert "kill_switch" in reasons
        assert reasons <= {"kill_switch", "page_broken"}
    finally:
        fast.stage.twin.switch_off(switch)
    fast.until(lambda: fast.all_good() and fast.metric('critpath_incidents_open{severity="SEV-1"}') == 0, "all is good again")
