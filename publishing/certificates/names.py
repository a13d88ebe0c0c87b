"""What a certificate is called: programme, scope, window, revision.

Belongs here: the one place where such a name is taken apart or put together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

ALL = "all"
_NAME = re.compile(
    r"CERT-(?P<programme_id>[a-z0-9_]+)-(?P<scope>all|[0-9A-Z]+(\.[0-9A-Z]+)*)-(?P<window_id>\d{4}(-\d{4})?)-r(?P<revision>[1-9]\d*)"
)


@dataclass(frozen=True, order=True)
class CertificateName:
    """`CERT-national_2021-all-2022-2024-r1`; the scope is `all` or a specialty code."""

    programme_id: str
    scope: str
    window_id: str
    revision: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(str(self)):
            raise ValueError(f"证书编号不合规：{self}")

    def __str__(self) -> str:
        return f"CERT-{self.programme_id}-{self.scope}-{self.window_id}-r{self.revision}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a name apart; raises ValueError."""
        found = _NAME.fullmatch(text)
        if found is None:
            raise ValueError(f"证书编号不合规：{text}")
        parts = found.groupdict()
        return cls(parts["programme_id"], parts["scope"], parts["window_id"], int(parts["revision"]))

    def revised(self, revision: int) -> Self:
        """Another revision of the same certificate."""
        return replace(self, revision=revision)
