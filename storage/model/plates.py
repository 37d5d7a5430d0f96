"""门牌."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Plate:
    """Valid until it is revoked; an elder has at most one valid plate."""

    id: int
    elder_id: int
    issued_at: datetime
    by: str  # as the audit names people
    revoked_at: datetime | None = None
    revoked_by: str = ""
    why: str = ""  # it was revoked
    signature: str = field(repr=False, default="")

    @property
    def number(self) -> str:
        """As printed under the QR, to be read out on the telephone."""
        return f"{self.id:06d}"

    @property
    def path(self) -> str:
        """Where the QR leads, behind the console's address."""
        return f"/v/{self.id}-{self.signature}"
