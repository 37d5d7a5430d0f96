"""baresip as an elder nobody here wrote: registers, answers, plays a recording, keeps what it hears."""

from __future__ import annotations

from pathlib import Path

from peers.kamailio import PASSWORD
from peers.programs import Program, needs
from sip_test_harness import audio

PACKAGE = "baresip-core"
LISTENS_S = 20.0

_CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{port}
call_local_timeout 120
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,loudspeaker
snd_path {folder}
audio_source aufile,{folder}/elder.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports {rtp_port}-{rtp_end}
jitter_buffer_delay 2-5
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
"""


class Baresip(Program):
    """`number` registers at `registrar` and says `voice` (PCM) as soon as it has answered."""

    def __init__(
        self, number: str, registrar: str, port: int, rtp_port: int, folder: Path, voice: bytes
    ) -> None:
        program = needs("baresip", PACKAGE)
        place = folder / "baresip"
        place.mkdir()
        # It ends the call when its recording does.
        audio.write_wav(place / "elder.wav", voice + audio.silence(LISTENS_S))
        (place / "config").write_text(
            _CONFIG.format(port=port, rtp_port=rtp_port, rtp_end=rtp_port + 40, folder=place)
        )
        (place / "accounts").write_text(
            f"<sip:{number}@{registrar};transport=udp>;auth_user={number};auth_pass={PASSWORD};"
            "answermode=auto;regint=60;audio_codecs=PCMA/8000\n"
        )
        (place / "contacts").write_text("")
        super().__init__([program, "-f", str(place)], place, "baresip")
        self.says("[1 binding]")

    def heard(self) -> bytes:
        """What its loudspeaker got; complete once it has stopped."""
        (recording,) = self.folder.glob("dump-*-dec.wav")
        return audio.read_wav(recording)
