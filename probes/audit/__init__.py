"""Audit: what users do is on record, and the record is whole."""
