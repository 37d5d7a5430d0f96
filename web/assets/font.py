"""One font for the PDFs out of the slices that @fontsource/noto-sans-sc ships for browsers (`make assets`).

A browser loads the slices it needs; a PDF embeds one font. Slices share only a few characters, which
are taken from the first. Layout tables are left out: names of villages are set one character after the other.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules" / "@fontsource" / "noto-sans-sc"
OUT = HERE.parent / "fonts"
NAME = "noto-sans-sc.woff"  # zlib inside: no further library reads it
SLICE = re.compile(r"noto-sans-sc-(\d+|latin)-400-normal\.woff")
NOT_NEEDED = ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "STAT", "DSIG"]


def main() -> None:
    options = Options()
    options.drop_tables += NOT_NEEDED
    options.layout_features, options.hinting, options.name_IDs = [], False, ["*"]
    seen: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        parts: list[str] = []
        for path in sorted(each for each in (PACKAGE / "files").iterdir() if SLICE.fullmatch(each.name)):
            font = TTFont(path, recalcTimestamp=False)
            new = set(font.getBestCmap()) - seen
            if not new:
                continue
            seen |= new
            subsetter = Subsetter(options)
            subsetter.populate(unicodes=new)
            subsetter.subset(font)
            font.flavor = None
            parts.append(f"{folder}/{path.stem}.ttf")
            font.save(parts[-1])
        merged = Merger().merge(parts)
    merged.flavor = "woff"
    OUT.mkdir(exist_ok=True)
    merged.save(OUT / NAME)
    shutil.copy(PACKAGE / "LICENSE", OUT / "OFL.txt")
    print(f"{NAME}  {len(seen)} characters, {(OUT / NAME).stat().st_size} bytes")


if __name__ == "__main__":
    main()
