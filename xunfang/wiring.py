"""The composition root: settings in, working rooms out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
from pathlib import Path

from asr_models.library import ModelLibrary
from ivr.dialogue import dialplan as plans
from ivr.dialogue.plan import greeting_text
from ivr.session.config import DutyConfig, LineConfig
from ivr.session.fleet import Fleet
from ivr.session.model import CallEnded, CallEvent, DutyRang
from ivr.speech.prompts import PromptStore
from ivr.speech.render import SHIPPED
from ivr.telephony.model import TrunkConfig
from records import retention
from scheduler.admission import AdmissionConfig
from scheduler.breaker import BreakerConfig
from scheduler.cadence import load_cadence
from scheduler.calendar import Calendar, ClosedDays
from scheduler.caps import CapsConfig
from scheduler.commands import Commands
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.engine import Engine
from scheduler.hours import HoursConfig, add_service_time
from scheduler.inbound import Reception
from scheduler.journal import Journal
from scheduler.ladder import load_ladder
from scheduler.order import OrderConfig
from scheduler.owner import LeaseConfig
from scheduler.policy import Policy
from scheduler.settle import Settled
from scheduler.ticks import Service, TickConfig
from storage import Store
from visits import doorstep, duty_calls, timebank
from visits.channels import NoticeConfig
from visits.deadlines import Deadlines, load_deadlines
from visits.notices import Sender
from web.config import MEGABYTE, WebConfig
from xunfang.clock import Clock, SystemClock
from xunfang.errors import BadDialplan, BadSettings
from xunfang.settings import Settings

SQLITE = "sqlite:///"


# ---- storage -------------------------------------------------------------------------------


def secret_keys(settings: Settings) -> list[str]:
    """Newest first. Refused when there is none: numbers are never stored in the clear."""
    keys = [settings.storage.secret_key] if settings.storage.secret_key else []
    found = [key.get_secret_value() for key in (*keys, *settings.storage.secret_keys)]
    if not found:
        raise BadSettings(
            "storage.secret_key is missing: run `xunfang init`, or give XUNFANG_STORAGE__SECRET_KEY_FILE"
        )
    return found


def configured_store(settings: Settings) -> Store:
    """Of `storage.url`, as it is: nothing is migrated yet."""
    url = settings.storage.url
    if url.startswith(SQLITE):
        url = SQLITE + str(settings.folder / url.removeprefix(SQLITE))
    return Store(url, secret_keys(settings))


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The migrated database, closed at the end."""
    store = configured_store(settings)
    try:
        store.migrate()
        yield store
    finally:
        store.close()


# ---- speech and dialogue ----------------------------------------------------------------------


def model_path(settings: Settings) -> Path:
    """Folder of the model to recognise with; ModelError when it is not there."""
    library = ModelLibrary(settings.path(settings.speech.models_dir))
    return library.path(settings.speech.model) if settings.speech.model else library.current().path


def prompt_store(settings: Settings) -> PromptStore:
    return PromptStore(SHIPPED, cache=settings.path(settings.speech.prompts))


def dialplan_path(settings: Settings, name: str) -> str | Path:
    """The county's own dialplan of that name where there is one, else the shipped one."""
    if settings.speech.dialplans is not None:
        own = settings.path(settings.speech.dialplans) / f"{name}.yaml"
        if own.is_file():
            return own
    return name


# ---- rules ------------------------------------------------------------------------------------


def policy(settings: Settings) -> Policy:
    ladder, cadence = settings.schedule.ladder, settings.schedule.cadence
    return Policy(
        ladder=load_ladder(None if ladder is None else settings.path(ladder)),
        deadlines=deadlines(settings),
        hours=hours(settings),
        cadence=load_cadence(None if cadence is None else settings.path(cadence)),
        first_visit=timedelta(days=settings.schedule.first_visit_days),
        spread=settings.schedule.spread,
    )


def hours(settings: Settings) -> HoursConfig:
    schedule = settings.schedule
    own = None if schedule.calendar is None else settings.path(schedule.calendar)
    closed = ClosedDays(Calendar(own), schedule.call_on_holidays, schedule.days == "workdays")
    return HoursConfig(windows=schedule.hours, timezone=settings.timezone, closed=closed)


def deadlines(settings: Settings) -> Deadlines:
    """Of cases: urgent ones in wall time, the others in the hours of service."""
    own = settings.schedule.deadlines
    return load_deadlines(
        None if own is None else settings.path(own),
        timezone=settings.timezone,
        service_time=partial(add_service_time, config=hours(settings)),
    )


def dispatch_config(settings: Settings, rules: Policy) -> DispatchConfig:
    schedule = settings.schedule
    prompts = prompt_store(settings)
    return DispatchConfig(
        policy=rules,
        caps=CapsConfig(schedule.max_calls_per_day, timedelta(seconds=schedule.min_gap_s)),
        admission=AdmissionConfig(
            schedule.channels,
            schedule.calls_per_second,
            burst=timedelta(seconds=schedule.tick_s),
            lag_limit_ms=schedule.lag_limit_ms,
            lag_resume_ms=schedule.lag_resume_ms,
        ),
        lease=lease(settings),
        breaker=BreakerConfig(
            share=schedule.breaker_share,
            calls=schedule.breaker_calls,
            pause=timedelta(seconds=schedule.breaker_pause_s),
        ),
        order=OrderConfig(
            recordings=settings.path(settings.recording.folder) if settings.recording.enabled else None,
            duty_number=settings.duty.number or None,
            can_greet=lambda title: prompts.has(greeting_text(title)),
            tail_ms=settings.speech.tail_ms,
            dialplan_path=lambda name: str(dialplan_path(settings, name)),
            timezone=settings.timezone,
        ),
    )


def lease(settings: Settings) -> LeaseConfig:
    return LeaseConfig(
        heartbeat=timedelta(seconds=settings.fleet.heartbeat_s),
        lease=timedelta(seconds=settings.fleet.lease_s),
        trunk=settings.fleet.trunk,
    )


def form_template(settings: Settings) -> Path | None:
    """Of the official form; None: the shipped one."""
    own = settings.reports.template
    return None if own is None else settings.path(own)


def subsidy_rules_file(settings: Settings) -> Path | None:
    own = settings.reports.subsidies
    return None if own is None else settings.path(own)


def notice_config(settings: Settings) -> NoticeConfig:
    notices = settings.notices
    return NoticeConfig(
        apprise_urls=tuple(url.get_secret_value() for url in notices.apprise),
        person_urls=tuple(url.get_secret_value() for url in notices.person),
        webhook_url=notices.webhook,
        webhook_secret=notices.webhook_secret.get_secret_value(),
    )


def retention_periods(settings: Settings) -> retention.Periods:
    kept = settings.retention
    return retention.Periods(
        recordings=kept.recordings_days,
        transcripts=kept.transcripts_days,
        records=kept.records_days,
        notices=kept.notices_days,
        access=kept.access_days,
    )


def kept_files(settings: Settings) -> retention.Folders:
    return retention.Folders(
        settings.path(settings.recording.folder), settings.path(settings.doorstep.photos)
    )


# ---- console ------------------------------------------------------------------------------------


def web_config(settings: Settings, host: str) -> WebConfig:
    """`host`: where it really listens. Raises BadSettings when cookies would travel in the clear."""
    web = settings.web
    if web.loopback_http and not _is_loopback(host):
        raise BadSettings(
            f"web.loopback_http is only for this machine itself, not for {host}: listen on 127.0.0.1, or put "
            "a proxy with https in front and leave it out"
        )
    return WebConfig(
        periods=retention_periods(settings),
        deadlines=deadlines(settings),
        recordings=settings.path(settings.recording.folder),
        timezone=settings.timezone,
        idle=timedelta(minutes=web.idle_minutes),
        lifetime=timedelta(hours=web.session_hours),
        wall_lifetime=timedelta(days=web.wall_days),
        secure_cookies=not web.loopback_http,
        metrics_token=web.metrics_token.get_secret_value(),
        api_per_minute=web.api_per_minute,
        body_bytes=web.upload_mb * MEGABYTE,
        public_url=web.public_url.rstrip("/"),
        form_template=form_template(settings),
        subsidy_rules=subsidy_rules_file(settings),
        doorstep=door_rules(settings),
        photos=settings.path(settings.doorstep.photos),
        photo_mb=settings.doorstep.photo_mb,
    )


def door_rules(settings: Settings) -> doorstep.Rules:
    own = settings.doorstep.timebank
    rules = timebank.load_rules(None if own is None else settings.path(own))
    return doorstep.Rules(rules, settings.doorstep.radius_m)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


# ---- telephony ----------------------------------------------------------------------------------


def line_config(settings: Settings) -> LineConfig:
    trunk = settings.trunk.model_dump(exclude={"password", "register_"})
    lexicon = settings.speech.lexicon
    return LineConfig(
        trunk=TrunkConfig(
            **trunk,
            password=settings.trunk.password.get_secret_value(),
            register=settings.trunk.register_,
        ),
        model_dir=str(model_path(settings)),
        prompts=str(SHIPPED),
        prompt_cache=str(settings.path(settings.speech.prompts)),
        lexicon="" if lexicon is None else str(settings.path(lexicon)),
        lines=settings.lines.count,
        reserve=reserved_calls(settings),
        calls_per_line=settings.lines.calls_per_line,
        duty=DutyConfig(**settings.duty.model_dump(exclude={"number"})),
        log_level=settings.log.level,
        log_json=settings.log.format == "json",
    )


def reserved_calls(settings: Settings) -> int:
    """Kept for who rings us; at least one call is left for dialling. On a port that nobody can know
    nobody rings, unless the trunk has it from our registration."""
    if not settings.trunk.answer or not (settings.trunk.sip_port or settings.trunk.register_):
        return 0
    return min(settings.lines.reserve, settings.lines.count * settings.lines.calls_per_line - 1)


# ---- the whole service ----------------------------------------------------------------------------


def queue_url(settings: Settings) -> str | None:
    """Of the queue that the machines share; None: this process works alone."""
    if settings.engine == "embedded":
        return None
    return settings.storage.url.replace("postgresql+psycopg://", "postgresql://", 1)


def prepare_queue(settings: Settings, store: Store) -> None:
    """The queue's own tables, where there is a queue."""
    url = queue_url(settings)
    if url is not None:
        from scheduler import engine_queue  # its libraries are an extra: "xunfang[postgres]"

        with store.leading("queue tables", wait=True):
            engine_queue.prepare(url)


def _shared_engine(settings: Settings) -> Engine | None:
    url = queue_url(settings)
    if url is None:
        return None
    from scheduler.engine_queue import QueueEngine

    return QueueEngine(url)


def check_clock(settings: Settings, store: Store, now: datetime) -> None:
    """Leases are compared across machines: BadSettings when this one's clock is far from the database's."""
    skew = store.clock_skew_s(now)
    if settings.engine == "postgres" and abs(skew) > settings.fleet.lease_s / 4:
        raise BadSettings(
            f"this machine's clock is {skew:+.0f} s off that of the database: set the time (NTP) on both, "
            "otherwise machines would take over one another's calls"
        )


def usable_dialplan(settings: Settings, prompts: PromptStore) -> Callable[[str], str]:
    """Name -> hash, read again only when the file has changed. BadDialplan or NotFound when it cannot be
    loaded, BadDialplan when it could not be spoken."""
    known: dict[tuple[str, int], str] = {}

    def hash_of(name: str) -> str:
        path = dialplan_path(settings, name)
        key = (str(path), path.stat().st_mtime_ns if isinstance(path, Path) else 0)
        if key not in known:
            plan = plans.load(path)
            silent = sum(not prompts.has(text) for text in plan.texts())
            if silent:
                raise BadDialplan(f"dialplan {name}: {silent} of its texts have no recorded prompt")
            known[key] = plan.hash
        return known[key]

    return hash_of


@dataclass(slots=True)
class House:
    """Everything that runs: lines, dispatch, ticks. `stop` drains: live calls may end by themselves."""

    store: Store
    fleet: Fleet
    dispatcher: Dispatcher
    service: Service

    def start(self) -> None:
        self.fleet.start()
        self.service.start()

    def stop(self, drain_s: float) -> None:
        self.service.drain()
        self.fleet.stop(drain_s)
        self.service.stop()


def keep(event: CallEvent, store: Store, journal: Journal, reception: Reception) -> None:
    """Where each session event is stored."""
    if isinstance(event, DutyRang):
        duty_calls.rang(store, event.call_id, event.nth, event.outcome, event.at)
    elif not reception.heard(event):
        journal.handle(event)


def build(
    settings: Settings,
    store: Store,
    clock: Clock | None = None,
    on_event: Callable[[CallEvent], None] | None = None,
) -> House:
    """`on_event` sees every session event after it has been stored."""
    clock = clock or SystemClock()
    rules = policy(settings)

    def ended(event: CallEnded, settled: Settled | None) -> None:
        dispatcher.ended(event, settled)
        service.wake()  # a channel is free, and a retry may already be due

    journal = Journal(store, rules, settings.path(settings.recording.folder), on_ended=ended)

    def heard(event: CallEvent) -> None:
        keep(event, store, journal, reception)
        if on_event is not None:
            on_event(event)

    prompts = prompt_store(settings)
    calling = dispatch_config(settings, rules)
    reception = Reception(
        store,
        clock,
        calling,
        plan_of=cache(lambda name: plans.load(dialplan_path(settings, name))),
        can_offer=prompts.has,
        owner=lambda: dispatcher.dialler_id,
        wake=lambda: service.wake(),
    )
    fleet = Fleet(line_config(settings), heard, clock, reception.caller)
    dispatcher = Dispatcher(
        store,
        fleet,
        clock,
        calling,
        hash_of=usable_dialplan(settings, prompts),
    )
    service = Service(
        store,
        clock,
        rules,
        dispatcher,
        Sender(store, clock, notice_config(settings)),
        TickConfig(
            dispatch_s=settings.schedule.tick_s,
            notices_s=settings.schedule.tick_s,
            beat_s=settings.fleet.heartbeat_s,
            subsidy_rules=subsidy_rules_file(settings),
        ),
        _shared_engine(settings),
        commands=Commands(store, fleet, dispatcher, clock).tick,
        retention=lambda: retention.run_daily(
            store,
            retention_periods(settings),
            kept_files(settings),
            clock.now(),
            lambda moment: moment.astimezone(settings.zone).date(),
            dispatcher.name,
        ),
    )
    return House(store, fleet, dispatcher, service)
