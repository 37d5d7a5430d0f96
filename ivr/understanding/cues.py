"""The cue words of one lexicon (没, 要是, 昨天, 老伴, ...), compiled once for the readers of slots."""

from __future__ import annotations

import re

from ivr.understanding.durations import RECENT_DAYS, lasts_years, spoken_times
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.slot_model import WINDOW_CHARS
from ivr.understanding.text import BREAKS


class Cues:
    """One compiled expression a cue. Those that end in `$` look at what stands before an event."""

    def __init__(self, lexicon: Lexicon) -> None:
        def cue(name: str) -> str:
            return lexicon.cue(name)

        filler = f"(?:{cue('negation_filler')})"
        self.negated = re.compile(f"(?:{cue('negation_before')}){filler}{{0,4}}$")
        self.double = re.compile(f"(?:{cue('double_negation')}){filler}{{0,3}}$")
        self.not_so = re.compile(f"(?:{cue('not_so')})(?:{filler}|因为|真|我){{0,2}}$")
        self.negated_after = re.compile(cue("negation_after"))
        self.near = re.compile(f"(?:{cue('near_miss')})[^，？]{{0,6}}$")
        self.fear = re.compile(f"(?:{cue('fear')})[^，？]{{0,5}}$")
        self.hypothetical = re.compile(cue("hypothetical"))
        self.hypothetical_after = re.compile(
            f"^[^，？]{{0,4}}[，？]?[^，？]{{0,5}}(?:{cue('hypothetical_after')})"
        )
        self.rhetorical = re.compile(f"(?:{cue('rhetorical')})(?:{filler}|我){{0,3}}$")
        self.uncertain = re.compile(f"(?:{cue('uncertain')})[^，？]{{0,6}}$")
        self.asked = re.compile(f"(?:{cue('asked')})[^，？]{{0,4}}$")
        self.media = re.compile(cue("media"))
        self.warning = re.compile(cue("warning"))
        self.correction = re.compile(f"^[^，？]{{0,3}}[，？](?:[哎唉啊嗯呃哦]+，?)?(?:{cue('correction')})")
        self.past = re.compile(cue("past"))
        self.recent = re.compile(cue("recent"))
        self.onset = re.compile(cue("onset"))
        self.now = re.compile(cue("now"))
        self.habitual = re.compile(cue("habitual"))
        self.resolved = re.compile(cue("resolved"))
        self.mild = re.compile(cue("mild"))
        self.strong = re.compile(cue("strong"))
        self.far = re.compile(cue("far"))
        self.relative = re.compile(cue("relative_speaker"))
        self.mother = re.compile(cue("mother_speaks"))
        self.people_elsewhere = re.compile(f"{cue('spouse')}|{cue('other')}")
        # Longest first inside each, and other before self so that 我妈 is not 我.
        self.people = re.compile(
            f"(?P<spouse>{cue('spouse')})|(?P<other>{cue('other')})|(?P<self>{cue('self')})"
        )

    def relative_speaks(self, text: str) -> bool:
        return bool(self.relative.search(text))

    def mother_speaks(self, text: str) -> bool:
        return bool(self.mother.search(text))

    def is_past(self, clause: str) -> bool:
        """Told of a time before the last visit, by a word or by a number (三年前)."""
        return self.past.search(clause) is not None or any(
            each.ago and each.least > RECENT_DAYS for each in spoken_times(clause)
        )

    def is_recent(self, clause: str) -> bool:
        """Told of a time since the last visit but not of this day, by a word or by a number (三天前)."""
        return self.recent.search(clause) is not None or any(
            each.ago and 1 <= each.least <= RECENT_DAYS for each in spoken_times(clause)
        )

    def is_habitual(self, clause: str) -> bool:
        return self.habitual.search(clause) is not None or lasts_years(clause)

    def imagines(self, far_before: str) -> bool:
        """A conditional word in the same clause, or opening the clause before."""
        for match in self.hypothetical.finditer(far_before):
            rest = far_before[match.end() :]
            if sum(rest.count(b) for b in BREAKS) <= 1 and len(rest) <= WINDOW_CHARS:
                return True
        return False


def cues_of(lexicon: Lexicon) -> Cues:
    slot = "cues"
    if slot not in lexicon.compiled:
        lexicon.compiled[slot] = Cues(lexicon)
    made: Cues = lexicon.compiled[slot]
    return made
