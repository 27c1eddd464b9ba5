"""The Summit twin: a reference target with switchable faults. Never part of the wheel, never imported by critpath."""
