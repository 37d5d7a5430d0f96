"""大屏登录: a session may be of a screen on the wall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(length=32), nullable=False, server_default="desk")
    op.add_column("web_session", kind)
    op.add_column("web_session", sa.Column("label", sa.String(length=50), nullable=True))


def downgrade() -> None:
    # A screen's session must not become one of the desk.
    op.execute("DELETE FROM web_session WHERE kind <> 'desk'")
    op.drop_column("web_session", "label")
    op.drop_column("web_session", "kind")
