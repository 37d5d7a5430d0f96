"""What the console needs to know; the wiring fills it from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from records.retention import Folders, Periods
from scheduler.hours import HoursConfig
from scheduler.owner import LeaseConfig
from visits import doorstep, timebank
from visits.deadlines import Deadlines
from web.ledger import LedgerDesk

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebConfig:
    deadlines: Deadlines = field(repr=False)
    recordings: Path  # folder that Call.recording is relative to
    timezone: str = "Asia/Shanghai"
    idle: timedelta = timedelta(hours=2)  # signed out after so long without a request
    lifetime: timedelta = timedelta(hours=12)  # signed out at the latest
    wall_lifetime: timedelta = timedelta(days=30)  # of 大屏登录
    secure_cookies: bool = True  # False only for plain http on this machine itself
    metrics_token: str = field(default="", repr=False)  # for /metrics from elsewhere; empty: loopback only
    body_bytes: int = 40 * MEGABYTE  # of one request: photos
    form_template: Path | None = None  # of the official form; None: the shipped one
    subsidy_rules: Path | None = None  # None: the shipped ones
    doorstep: doorstep.Rules = field(default_factory=lambda: doorstep.Rules(timebank.load_rules()))
    photos: Path | None = None  # sealed photos and signatures; None: beside the recordings
    photo_mb: int = 10  # of one photo; telephones make them smaller before they send
    public_url: str = ""  # what stands in the QR of a door plate; empty: the address the desk uses itself
    ledger: LedgerDesk | None = None  # editing, import and export; None: the pages only show
    hours: HoursConfig = field(default_factory=HoursConfig)  # of calling, with the calendar
    lease: LeaseConfig = field(default_factory=LeaseConfig)  # of diallers: when one counts as lost
    channels: int = 0  # of the trunk
    periods: Periods = field(default_factory=Periods)  # 保存期限
    api_per_minute: int = 600  # requests of one token in one process
    live_s: float = 1.0  # how often one thread looks for news

    @property
    def photos_folder(self) -> Path:
        return self.photos or self.recordings.parent / "photos"

    @property
    def kept(self) -> Folders:
        return Folders(self.recordings, self.photos_folder)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
