"""What every value of this room has in common. No checks, no verdicts."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

# in JSON plain digits, never an exponent
Share = Annotated[Decimal, PlainSerializer(lambda share: f"{share:f}", return_type=str, when_used="json")]


class Frozen(BaseModel):
    """A value that never changes and has no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """`critical` closes the gate, `warning` is published with the release, `info` is shown."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def title_zh(self) -> str:
        """For people."""
        return {Severity.CRITICAL: "关键", Severity.WARNING: "警告", Severity.INFO: "提示"}[self]
