"""The post (通知): takes the notices of the outbox out, by the rule of when one is no longer needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from storage import Store
from visits.contacts import not_needed

PAGE = 500
NOT_NEEDED = "not_needed"


@dataclass(slots=True)
class Post:
    """`delivered`: by who got them (duty, webhook, visitor, contact, area), and how many were not needed any
    more. Delivered once a day in bulk: what is shown is how many, not how soon."""

    store: Store
    delivered: Counter[str] = field(default_factory=Counter)

    def deliver(self, now: datetime) -> None:
        while True:
            with self.store.begin() as work:
                page = work.notices.pending(now, PAGE)
                for notice in page:
                    target = notice.to.partition(":")[0]
                    late = target == "contact" and not_needed(work, notice)
                    self.delivered[NOT_NEEDED if late else target] += 1
                work.notices.sent_all([each.id for each in page], now)
            if len(page) < PAGE:
                return
