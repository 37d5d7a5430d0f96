#!/usr/bin/env bash
# Prepare this checkout: system packages, virtual environment, Python packages. Safe to repeat; quick when done.
#   ./bootstrap.sh run    what the service and the demo need
#   ./bootstrap.sh test   and what the tests need: SIPp, Kamailio, baresip, ffmpeg, PostgreSQL,
#                         Chromium with a Chinese font, LibreOffice Writer
set -euo pipefail
cd "$(dirname "$0")"
purpose=${1:-run}
VENV=${VENV:-.venv}

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

need=()
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3; do
        if have "$candidate" && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; then
            python=$candidate
            break
        fi
    done
fi
[ -n "$python" ] || need+=(python3)
[ -n "$python" ] && "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || need+=(python3-venv)
if [ "$purpose" = test ]; then
    have sipp || need+=(sip-tester)
    have kamailio || need+=(kamailio)
    have baresip || need+=(baresip)
    have ffmpeg || need+=(ffmpeg)
    [ -x /usr/lib/postgresql/15/bin/initdb ] || need+=(postgresql-15)
    have chromium || need+=(chromium)
    [ -e /usr/share/doc/fonts-noto-cjk ] || need+=(fonts-noto-cjk)
    have soffice || need+=(libreoffice-writer-nogui)
fi
if [ ${#need[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && have apt-get; then
        say "Installing system packages: ${need[*]}"
        apt-get update -q >/dev/null
        # The tests start their own servers on loopback: no package may start one by itself.
        policy=/usr/sbin/policy-rc.d
        [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; trap 'rm -f "$policy"' EXIT; }
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${need[@]}" >/dev/null
    elif [ "$purpose" = test ] && [ -n "$python" ]; then
        say "These system packages are missing, so the tests that need them will be skipped:"
        say "    sudo apt-get install ${need[*]}"
    else
        say "Please install these system packages first, then run the same command again:"
        say "    sudo apt-get install ${need[*]}"
        exit 1
    fi
    python=${python:-python3}
fi

lock=requirements.lock
[ "$purpose" = test ] && lock=requirements-dev.lock
stamp="$VENV/.ready-$purpose"
wanted=$(cat "$lock" pyproject.toml | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    say "Preparing $VENV (a minute or two the first time)"
    [ -x "$VENV/bin/python" ] || "$python" -m venv "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$VENV/bin/pip" install -q --disable-pip-version-check --no-deps -e .
    echo "$wanted" >"$stamp"
fi
