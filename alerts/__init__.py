"""Judging and telling: timelines, the SLA, burn rates and incidents, and the outbox with its channels."""
