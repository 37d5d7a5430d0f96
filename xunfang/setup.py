"""A new installation: a folder with settings, a secret key and nothing else. Repeating it changes nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

from xunfang.errors import BadInput

SETTINGS_FILE = "xunfang.toml"
KEY_FILE = "secret.key"

TEMPLATE = """\
# 巡访 settings. Every key and its default: docs/settings.md. Unknown keys are refused.
timezone = "Asia/Shanghai"

[storage]
url = "sqlite:///xunfang.db"          # or postgresql+psycopg://user@host/xunfang
secret_key_file = "secret.key"        # encrypts phone and ID numbers: keep a copy in a safe place

[trunk]                               # 中继: where calls go out
gateways = ["127.0.0.1:5060"]         # host:port of the carrier or of the SBC in front of it
# username = "..."                    # digest account; leave out when the trunk knows our address
# password_file = "trunk.password"
# register = true
# caller_id = "0431..."               # number the elder sees
# sip_port = 5070                     # elders who ring back arrive here; not needed with register

[lines]
count = 1                             # line processes, each at most 4 calls

[schedule]
hours = ["08:30-11:30", "14:30-19:30"]
channels = 4                          # calls at one time, as the trunk allows

[duty]                                # 值班: rung and bridged in when an elder is in danger
number = ""
# others = ["..."]                    # rung when nobody takes over, in order, round again
# handover = "refer"                  # number is a call centre: transfer by SIP REFER

[recording]
folder = "recordings"
"""


def init(folder: Path) -> list[Path]:
    """Write the settings file and the key; returns what was written (nothing that exists is touched)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [
            file
            for file, text in (
                (folder / SETTINGS_FILE, TEMPLATE),
                (folder / KEY_FILE, secrets.token_urlsafe(48) + "\n"),
            )
            if _write_once(file, text)
        ]
    except OSError as error:
        raise BadInput(
            f"cannot write into {folder} ({error.strerror}); choose another with --folder"
        ) from None
    return written


def _write_once(file: Path, text: str) -> bool:
    try:
        with file.open("x", encoding="utf-8") as out:
            file.chmod(0o600)
            out.write(text)
    except FileExistsError:
        return False
    return True
