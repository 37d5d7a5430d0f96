"""Speak the audio corpus: reads `index.jsonl`, writes the FLAC files and the places of the utterances.

    pip install 'xunfang[tts]'            # Kokoro-82M v1.0; needs ffmpeg too
    python tests/corpus/audio/render.py   # about four minutes on one core

zm_yunyang and zf_xiaoni: the two Mandarin voices that the starter model never heard. Speech is trimmed
and normalised like a prompt; what lies between two utterances in a file belongs to neither.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

from items import HERE, INDEX, Item, items

from ivr.speech import audio
from ivr.speech.tts_kokoro import VOICES, KokoroTts

PAUSE_MS = 100


def main() -> None:
    chosen = items()
    by_file: dict[str, list[Item]] = defaultdict(list)
    for item in chosen:
        by_file[item.file].append(item)
    placed: dict[str, Item] = {}
    speakers: dict[str, KokoroTts] = {}
    for file, group in by_file.items():
        voice = group[0].voice
        speaker = speakers.setdefault(voice, KokoroTts(VOICES / f"{voice}.bin"))
        sound = bytearray()
        for item in group:
            spoken = b"".join(audio.frames(audio.shape_prompt(speaker.speak(item.text, item.speed))))
            start_s, seconds = audio.seconds(bytes(sound)), audio.seconds(spoken)
            placed[item.id] = replace(item, start_s=round(start_s, 2), seconds=round(seconds, 2))
            sound += spoken + audio.silence(PAUSE_MS)
        _write_flac(HERE / file, bytes(sound))
        print(f"{file}: {len(group)} utterances, {audio.seconds(bytes(sound)):.0f} s", flush=True)
    lines = [json.dumps(asdict(placed[item.id]), ensure_ascii=False) for item in chosen]
    INDEX.write_text("\n".join(lines) + "\n", "utf-8")


def _write_flac(path: Path, pcm: bytes) -> None:
    shape = ["-f", "s16le", "-ac", "1", "-ar", str(audio.RATE_HZ), "-i", "-"]
    command = ["ffmpeg", "-v", "error", "-y", *shape, "-compression_level", "12", str(path)]
    subprocess.run(command, input=pcm, check=True)


if __name__ == "__main__":
    main()
