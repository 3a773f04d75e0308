"""The gate that every exported model passes: limits, what is measured, and how it is shown."""

from export.gate.limits import (
    CONTRACT,
    REJECTED,
    Limits,
    add_limit_arguments,
    answer_failures,
    environment,
    failures,
    limits_of,
    refuse,
    report,
    write_if_accepted,
)

__all__ = [
    "CONTRACT",
    "REJECTED",
    "Limits",
    "add_limit_arguments",
    "answer_failures",
    "environment",
    "failures",
    "limits_of",
    "refuse",
    "report",
    "write_if_accepted",
]
