"""What makes an answer about an entity believable: the right environment, and a record that is not invented."""

from __future__ import annotations

from collections.abc import Iterable

from critpath import Answer, Context, ProbeFailed, Reason


def environment_is_ours(ctx: Context, answer: Answer) -> None:
    """
    Compare the environment that answered with the one that is configured, where the target says it.

    Raises:
        ProbeFailed: `WRONG_ENVIRONMENT`.
    """
    evidence = ctx.facts.get("environment_evidence")
    if not evidence:
        return
    said = answer.headers.get(evidence["header"])
    if said is not None and said not in evidence["values"]:
        wanted = " or ".join(evidence["values"])
        raise ProbeFailed(Reason.WRONG_ENVIRONMENT, f"the answer comes from environment {said!r}; configured is {wanted!r}")


def not_invented(ctx: Context, ids: Iterable[object]) -> None:
    """
    Reject the records that the target makes up while its graph database is down.

    Raises:
        ProbeFailed: `MOCK_DATA`.
    """
    if invented := sorted(set(map(str, ids)) & set(ctx.facts.get("mock_ids", ()))):
        more = f" and {len(invented) - 1} more" if len(invented) > 1 else ""
        message = f"the target answers with built-in mock records ({invented[0]}{more}): its database is away"
        raise ProbeFailed(Reason.MOCK_DATA, message)
