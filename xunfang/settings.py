"""Settings from `xunfang.toml`, then the environment, then secret files.

    XUNFANG_TRUNK__USERNAME=ivr              one key of one table
    XUNFANG_TRUNK__PASSWORD_FILE=/run/...    the same, read from a file (any key may take _FILE)
    password_file = "secret"                 also in the settings file

Later sources win. An unknown key or a bad value stops the program at start, with the key's
name and what is allowed: a setting that is silently ignored is a call that is silently not made.
Relative paths are relative to the folder of the settings file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from scheduler.hours import parse_windows
from xunfang.errors import BadSettings

ENV_PREFIX = "XUNFANG_"
# Read by other code than these settings: where the settings file lies.
ENV_ELSEWHERE = frozenset({"XUNFANG_CRASH_AT", "XUNFANG_CONFIG"})


def _windows(texts: tuple[str, ...]) -> tuple[str, ...]:
    """`08:30-11:30`, start before end, none overlapping."""
    try:
        parse_windows(texts)
    except BadSettings as error:
        raise ValueError(str(error)) from None
    return texts


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; for example Asia/Shanghai") from None
    return name


def _gateway(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host:port, for example 10.0.0.5:5060")
    return text


Windows = Annotated[tuple[str, ...], AfterValidator(_windows)]
Gateway = Annotated[str, AfterValidator(_gateway)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StorageSettings(Section):
    url: str = Field("sqlite:///xunfang.db", description="sqlite:///FILE or postgresql+psycopg://...")
    secret_keys: tuple[SecretStr, ...] = Field(
        (), description="secrets for phone and ID numbers; the first encrypts, older ones still decrypt"
    )
    secret_key: SecretStr | None = Field(None, description="one secret; best as STORAGE__SECRET_KEY_FILE")


class TrunkSettings(Section):
    gateways: tuple[Gateway, ...] = Field(("127.0.0.1:5060",), min_length=1, description="host:port each")
    domain: str = Field("127.0.0.1", description="SIP domain of our account")
    username: str = Field("", description="digest user; empty: the trunk knows us by address")
    password: SecretStr = Field(SecretStr(""), description="digest password")
    register_: bool = Field(False, alias="register", description="send REGISTER, or be known by IP address")
    caller_id: str = Field("", description="number shown to the elder (P-Preferred-Identity)")
    outbound_proxy: str = Field("", description="host:port of an outbound proxy; empty: none")
    transport: Literal["udp", "tcp"] = "udp"
    local_ip: str = Field("127.0.0.1", description="our address towards the trunk")
    sip_port: int = Field(0, ge=0, le=65535, description="first SIP port of the lines; 0: any")
    rtp_port: int = Field(24000, ge=1024, le=65000, description="first RTP port")
    rtp_ports: int = Field(100, ge=20, le=2000, description="RTP ports per line (at least 20)")
    setup_s: float = Field(6.0, gt=0, description="no reply at all for so long: the trunk is down")
    ring_s: float = Field(45.0, gt=0, description="how long it may ring")
    rtp_lost_s: float = Field(6.0, gt=0, description="RTP stopped for so long: media lost")
    max_call_s: float = Field(900.0, gt=10, description="longest call")
    answer: bool = Field(True, description="answer who rings us (来电); they ring at the first sip_port")
    answer_from: tuple[str, ...] = Field(
        (), description="hosts that calls may come from besides gateways and outbound_proxy"
    )


class LinesSettings(Section):
    count: int = Field(1, ge=1, le=64, description="line processes")
    calls_per_line: int = Field(
        3, ge=1, le=4, description="visits a line carries; of 4 slots one rings the duty"
    )
    reserve: int = Field(
        1, ge=0, le=4, description="of the first line's visits, so many only for who rings us"
    )


class SpeechSettings(Section):
    model: str = Field("", description="recognition model; empty: the one chosen by `xunfang models use`")
    models_dir: Path = Field(Path("models"), description="folder of fetched models")
    tail_ms: int = Field(1600, ge=1000, le=3000, description="silence that ends an answer, in ms")
    lexicon: Path | None = Field(None, description="county's own lexicon file, laid over the shipped one")
    dialplans: Path | None = Field(None, description="folder of the county's own dialplans")
    prompts: Path = Field(Path("prompts"), description="cache of newly rendered prompts")


class ScheduleSettings(Section):
    hours: Windows = Field(
        ("08:30-11:30", "14:30-19:30"), min_length=1, description="of the day, or mon-fri 08:30-11:30"
    )
    days: Literal["all", "workdays"] = Field(
        "all", description="workdays: not on weekends and swapped days off, but on swapped workdays"
    )
    call_on_holidays: bool = Field(False, description="routine calls on statutory holidays")
    calendar: Path | None = Field(
        None, description="folder of the county's own holiday tables, such as 2027.yaml"
    )
    channels: int = Field(4, ge=1, le=1000, description="calls at one time, as the trunk allows")
    calls_per_second: float = Field(2.0, gt=0, le=20)
    max_calls_per_day: int = Field(3, ge=1, le=10, description="to one number")
    min_gap_s: float = Field(600.0, ge=0, description="between two calls to one number")
    ladder: Path | None = Field(None, description="retry table; empty: the shipped one")
    cadence: Path | None = Field(None, description="how often at least by category; empty: the shipped table")
    first_visit_days: int = Field(7, ge=1, le=90, description="a new elder is visited within so many days")
    spread: bool = Field(
        True, description="first calls over the first half of a period, not all on its first morning"
    )
    deadlines: Path | None = Field(
        None, description="deadlines and patience of cases; empty: the shipped ones"
    )
    tick_s: float = Field(5.0, gt=0, le=300)
    lag_limit_ms: float = Field(1000.0, gt=0, description="recognition so late: new calls wait")
    lag_resume_ms: float = Field(400.0, gt=0, description="late no more: calls begin again")
    breaker_share: float = Field(0.5, gt=0, le=1, description="share of trunk failures that stops dialling")
    breaker_calls: int = Field(6, ge=2, description="calls looked at by the breaker")
    breaker_pause_s: float = Field(120.0, gt=0, description="pause before one probe call")


class FleetSettings(Section):
    trunk: str = Field("trunk", max_length=64, description="machines with the same name share its channels")
    heartbeat_s: float = Field(5.0, gt=0, le=60, description="how often a machine says that it lives")
    lease_s: float = Field(
        60.0, ge=5, le=600, description="silent for so long: others take over its calls; above any stall"
    )

    @model_validator(mode="after")
    def _patient(self) -> FleetSettings:
        if self.lease_s < 3 * self.heartbeat_s:
            raise ValueError("lease_s must be at least three heartbeats: one may come late, one may be lost")
        return self


class DutySettings(Section):
    number: str = Field("", description="duty person rung on urgent; empty: nobody can be bridged")
    others: tuple[str, ...] = Field((), description="rung after `number`, in order, and round again")
    ring_s: float = Field(40.0, gt=0, le=120, description="how long each may ring")
    screen_s: float = Field(
        15.0, ge=8, le=60, description="for who answers to press 1 or to be heard as a person"
    )
    rounds: int = Field(3, ge=1, le=10, description="how often all of them are rung")
    handover: Literal["bridge", "refer"] = Field(
        "bridge",
        description="bridge: we join the two; refer: SIP REFER to `number`, a call centre, else bridge",
    )

    @model_validator(mode="after")
    def _in_order(self) -> DutySettings:
        if self.others and not self.number:
            raise ValueError("others needs number: the one that is rung first")
        return self


class NoticesSettings(Section):
    apprise: tuple[SecretStr, ...] = Field((), description="apprise URLs: DingTalk, WeCom, mail, ...")
    person: tuple[SecretStr, ...] = Field(
        (), description="apprise URLs of an SMS service; {phone} is filled in"
    )
    webhook: str = Field("", description="URL that gets JSON; signed with webhook_secret")
    webhook_secret: SecretStr = SecretStr("")


class ReportsSettings(Section):
    template: Path | None = Field(
        None, description="the county's own Word template of the official form; empty: the shipped one"
    )
    subsidies: Path | None = Field(
        None, description="the county's own rules of subsidy clues (补贴线索); empty: the shipped ones"
    )


class DoorstepSettings(Section):
    radius_m: int = Field(
        200, ge=20, le=5000, description="so near the house a plate is scanned without a stated reason"
    )
    photos: Path = Field(Path("photos"), description="folder of encrypted photos and signatures")
    photo_mb: int = Field(10, ge=1, le=100, description="largest photo; telephones make them smaller first")
    timebank: Path | None = Field(
        None, description="the county's own rules of time-bank points (时间银行); empty: the shipped ones"
    )


class RecordingSettings(Section):
    enabled: bool = True
    folder: Path = Path("recordings")


class RetentionSettings(Section):
    """Days; 0: for ever. Reasons: docs/privacy.md."""

    recordings_days: int = Field(90, ge=0, le=36500, description="recordings of calls; 0: for ever")
    transcripts_days: int = Field(
        365,
        ge=0,
        le=36500,
        description="what was said: turns, answers, evidence, numbers of callers; 0: for ever",
    )
    records_days: int = Field(
        1095, ge=0, le=36500, description="forms, 处置情况, photos, signatures; counts stay; 0: for ever"
    )
    notices_days: int = Field(180, ge=0, le=36500, description="notices that were sent; 0: for ever")
    access_days: int = Field(
        1095,
        ge=0,
        le=36500,
        description="audit: who did and who saw what; 0: for ever; the law asks for 3 years",
    )


class WebSettings(Section):
    host: str = Field("127.0.0.1", description="where the console listens; others reach it through a proxy")
    port: int = Field(8080, ge=1, le=65535, description="port of the console")
    in_service: bool = Field(False, description="`xunfang run` serves the console too")
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#]+)?/?$",
        description="https://… under which visitors reach the console: printed in the QR of door plates",
    )
    loopback_http: bool = Field(
        False, description="cookies without Secure, for plain http on this machine; only with a loopback host"
    )
    idle_minutes: int = Field(120, ge=5, le=1440, description="signed out after so long without a request")
    session_hours: int = Field(12, ge=1, le=168, description="signed out at the latest")
    wall_days: int = Field(30, ge=1, le=366, description="a screen on the wall (大屏登录) ends after so long")
    upload_mb: int = Field(40, ge=1, le=500, description="largest request")
    forwarded_by: str = Field("127.0.0.1", description="addresses of proxies whose X-Forwarded-For counts")
    api_per_minute: int = Field(600, ge=10, le=100_000, description="requests of one API token a minute")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="bearer token for /metrics; empty: only from this machine"
    )


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    engine: Literal["embedded", "postgres"] = Field(
        "embedded", description="postgres: any number of machines dial on one PostgreSQL"
    )
    folder: Path = Field(Path("."), description="where relative paths begin; the settings file's folder")
    storage: StorageSettings = StorageSettings()
    trunk: TrunkSettings = TrunkSettings()
    lines: LinesSettings = LinesSettings()
    speech: SpeechSettings = SpeechSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    fleet: FleetSettings = FleetSettings()
    duty: DutySettings = DutySettings()
    notices: NoticesSettings = NoticesSettings()
    recording: RecordingSettings = RecordingSettings()
    reports: ReportsSettings = ReportsSettings()
    retention: RetentionSettings = RetentionSettings()
    web: WebSettings = WebSettings()
    doorstep: DoorstepSettings = DoorstepSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _engine_fits(self) -> Settings:
        if self.engine == "postgres" and not self.storage.url.startswith("postgresql"):
            raise ValueError('engine = "postgres" needs storage.url = "postgresql://..."')
        return self

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)  # load() has merged the sources already, so that errors can name them

    def path(self, relative: Path) -> Path:
        return relative if relative.is_absolute() else (self.folder / relative).resolve()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings.

    `file`: the TOML file; None: $XUNFANG_CONFIG, else ./xunfang.toml where it exists.
    Raises BadSettings with every wrong key at once.
    """
    environ = os.environ if environ is None else environ
    given = file or (Path(environ["XUNFANG_CONFIG"]) if environ.get("XUNFANG_CONFIG") else None)
    chosen = given or Path("xunfang.toml")
    values: dict[str, Any] = {"folder": chosen.parent.resolve()}
    if given and not given.exists():
        raise BadSettings(f"settings file {given} does not exist; write one with `xunfang init`")
    if chosen.exists():
        try:
            values |= tomllib.loads(chosen.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadSettings(f"{chosen} is not valid TOML: {error}") from None
        _read_secret_files(values, Settings, chosen.parent)
    _overlay_environment(values, environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise BadSettings(_explain(error, chosen)) from None


def _read_secret_files(values: dict[str, Any], model: type[BaseModel], folder: Path) -> None:
    """Replace `KEY_file = "path"` by `KEY = <what the file holds>`."""
    for name, value in list(values.items()):
        field = model.model_fields.get(name)
        if isinstance(value, dict) and field is not None and isinstance(field.annotation, type):
            _read_secret_files(value, field.annotation, folder)
        key = name.removesuffix("_file")
        if key != name and key in model.model_fields and isinstance(value, str):
            del values[name]
            values[key] = _secret(name, folder / value)


def _secret(name: str, file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise BadSettings(
            f"{name}: cannot read {file} ({error.strerror}); put the secret back, name another file, "
            "or for a new installation run `xunfang init`"
        ) from None


def _overlay_environment(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, text in environ.items():
        if not name.startswith(ENV_PREFIX) or name in ENV_ELSEWHERE:
            continue
        keys = name.removeprefix(ENV_PREFIX).lower().split("__")
        if keys[-1].endswith("_file"):
            keys[-1] = keys[-1].removesuffix("_file")
            text = _secret(name, Path(text))
        into = values
        for key in keys[:-1]:
            into = into.setdefault(key, {})
            if not isinstance(into, dict):
                raise BadSettings(f"{name}: {key} is a value, not a table of settings")
        into[keys[-1]] = _as_list(keys, text)


def _table(keys: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that the keys lead to; None when they lead to a value or nowhere."""
    model: type[BaseModel] = Settings
    for key in keys:
        field = model.model_fields.get(str(key))
        annotation = field.annotation if field else None
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return None
        model = annotation
    return model


def _as_list(keys: list[str], text: str) -> Any:
    """Tuples are written with commas in the environment."""
    table = _table(keys[:-1])
    field = table.model_fields.get(keys[-1]) if table else None
    if field is not None and "tuple" in str(field.annotation):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _explain(error: ValidationError, file: Path) -> str:
    lines = [f"settings ({file} or {ENV_PREFIX}* environment) are wrong:"]
    problems = error.errors(include_url=False, include_input=False)
    for problem in problems:
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "too_short" and any(p["loc"][:-1] == problem["loc"] for p in problems):
            continue  # it is only empty because its items are wrong, which is said above
        if problem["type"] == "extra_forbidden":
            allowed = ", ".join(sorted(_keys_beside(problem["loc"])))
            lines.append(f"  {where}: unknown key; allowed here: {allowed}")
        else:
            lines.append(f"  {where}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _keys_beside(loc: tuple[int | str, ...]) -> set[str]:
    table = _table(loc[:-1])
    return {field.alias or name for name, field in table.model_fields.items()} if table else set()


def describe() -> list[tuple[str, str, str]]:
    """(key, default, meaning) of every setting, for docs/settings.md."""
    rows: list[tuple[str, str, str]] = []

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            key = prefix + (field.alias or name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                walk(field.annotation, key + ".")
            else:
                default = "" if isinstance(field.default, SecretStr) else field.default
                shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
                rows.append((key, shown, field.description or ""))

    walk(Settings, "")
    return rows
