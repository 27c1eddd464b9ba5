"""Deployables: what has no flow of its own."""
