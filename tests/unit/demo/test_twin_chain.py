"""The twin's ledger hash (contract D1), against an example worked out by hand."""

from demo.chain import GENESIS, Entry, digest, entry_hash, relink, stringify

# printf '%s' '{"actionType":"API_POST","actorId":"u1","actorType":"user","id":"prov_1_a",
#   "metadata":{"timestamp":"kept"},"payload":{},"previousHash":"000…000","resourceId":"/graphql",
#   "resourceType":"API_ROUTE","sequenceNumber":"1","tenantId":"synthetic",
#   "timestamp":"2026-01-02T03:04:05.006Z"}' | sha256sum       (without the line breaks)
BY_HAND = "9a37f7abeceba285140ba50bf26672de65331f1dcd43f9fb4ab44d53e836dbce"


def entry() -> Entry:
    return {
        "id": "prov_1_a",
        "tenantId": "synthetic",
        "sequenceNumber": "1",
        "previousHash": GENESIS,
        "timestamp": "2026-01-02T03:04:05.006Z",
        "actionType": "API_POST",
        "resourceType": "API_ROUTE",
        "resourceId": "/graphql",
        "actorId": "u1",
        "actorType": "user",
        "payload": {"body": {"query": "anything"}},
        "metadata": {"correlationId": "not hashed", "timestamp": "kept"},
    }


def test_the_hash_of_an_entry_is_the_one_worked_out_by_hand() -> None:
    assert entry_hash(entry()) == BY_HAND


def test_a_number_for_the_sequence_hashes_as_its_string() -> None:
    assert entry_hash({**entry(), "sequenceNumber": 1}) == BY_HAND


def test_payload_and_correlation_id_are_outside_of_the_hash() -> None:
    changed = {**entry(), "payload": {"body": "forged"}, "metadata": {"correlationId": "other", "timestamp": "kept"}}

    assert entry_hash(changed) == BY_HAND


def test_nested_keys_that_bear_a_top_level_name_are_inside_of_the_hash() -> None:
    assert entry_hash({**entry(), "metadata": {"timestamp": "changed"}}) != BY_HAND


def test_stringify_follows_the_order_of_the_replacer_list_and_keeps_text_as_it_is() -> None:
    assert stringify({"b": 1.0, "a": ["ü", {"b": None, "c": 2}]}, ["a", "b"]) == '{"a":["ü",{"b":null}],"b":1}'


def test_digest_covers_every_key_of_the_value() -> None:
    assert digest({"a": 1}) != digest({"a": 1, "b": 2})


def test_relinked_entries_follow_one_another() -> None:
    first, second = relink([entry(), {**entry(), "sequenceNumber": "2"}], GENESIS)

    assert first["currentHash"] == BY_HAND
    assert second["previousHash"] == BY_HAND
    assert second["currentHash"] == entry_hash(second)
