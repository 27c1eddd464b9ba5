"""Ingestion: from the source to the database and away again."""
