"""storage: everything that must outlive a process. The only room that knows SQL.

    from storage import Store
    store = Store("sqlite:///data/xunfang.db", [secret])
    store.migrate()
    with store.begin() as work:
        elder = work.elders.add(name="…", phone="…")

Facts leave as the frozen dataclasses of `storage.model`.
"""

from storage.engine import database_url
from storage.store import Store
from storage.vault import new_secret
from storage.work import Work

__all__ = ["Store", "Work", "database_url", "new_secret"]
