"""Alembic migrations, packaged: `Store.migrate()` runs them; no alembic.ini is needed.

A new one: write `versions/NNNN_what.py` by hand with plain types (a migration must not change
when `storage.tables` does); a test compares the result with the tables on both engines.
"""
