"""Investigation: search, entity retrieval and graph expansion, against a known fixture."""
