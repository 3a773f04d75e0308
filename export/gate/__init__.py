"""The gate that every exported model passes: limits, what is measured, and how it is shown."""

from export.gate.limits import (
    CONTRACT,
    REJECTED,
    Limits,
    add_limit_arguments,
    admit,
    answer_failures,
    environment,
    failures,
    limits_of,
    refuse,
    report,
)

__all__ = [
    "CONTRACT",
    "REJECTED",
    "Limits",
    "add_limit_arguments",
    "admit",
    "answer_failures",
    "environment",
    "failures",
    "limits_of",
    "refuse",
    "report",
]
