"""One row that proves at start that the secret key is the right one."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from storage.tables.base import metadata
from storage.types import Encrypted

# One row proves at start that the secret key is the right one.
keeper = Table(
    "keeper",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Encrypted, nullable=False),
)
