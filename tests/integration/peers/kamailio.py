"""Kamailio as the carrier's trunk: digest authentication, a registrar, and routes to the other peers.

3xxxx            the carrier itself: see below
62NN             SIPp listening on port 62NN
a registered number (baresip), else the village behind `village`
"""

from __future__ import annotations

from pathlib import Path

from peers.programs import Program, needs

PACKAGE = "kamailio"
USER, PASSWORD, REALM = "ivr", "correct-horse", "trunk.test"

SWALLOWED = "30001"  # authenticated, then no answer at all
FORBIDDEN = "30002"

_CONFIG = """#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
alias="127.0.0.1:{port}"
listen=udp:127.0.0.1:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_contacts", 1)
modparam("tm", "fr_timer", 3000)
modparam("tm", "fr_inv_timer", 60000)
modparam("auth", "qop", "auth")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && !has_totag()) {{ sl_send_reply("200", "OK"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not Here"); exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{realm}", "{password}", "0")) {{ www_challenge("{realm}", "1"); exit; }}
        save("location", "0x04");
        exit;
    }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    if (!pv_proxy_authenticate("{realm}", "{password}", "0")) {{ proxy_challenge("{realm}", "1"); exit; }}
    consume_credentials();
    if ($rU == "{swallowed}") {{ exit; }}
    if ($rU == "{forbidden}") {{ sl_send_reply("403", "Forbidden"); exit; }}
    record_route();
    if ($rU =~ "^62[0-9][0-9]$") {{ $du = "sip:127.0.0.1:" + $rU; t_relay(); exit; }}
    if (!lookup("location")) {{ $du = "sip:{village}"; }}
    t_relay();
}}
"""


class Kamailio(Program):
    """A trunk on `port` that wants USER and PASSWORD."""

    def __init__(self, port: int, folder: Path, village: str = "127.0.0.1:9") -> None:
        program = needs("kamailio", PACKAGE)
        place = folder / "kamailio"
        place.mkdir()
        (place / "kamailio.cfg").write_text(
            _CONFIG.format(
                port=port,
                realm=REALM,
                password=PASSWORD,
                village=village,
                swallowed=SWALLOWED,
                forbidden=FORBIDDEN,
            )
        )
        arguments = ["-f", "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", str(place)]
        super().__init__([program, *arguments], place, "kamailio")
        self.answers_options(port)
