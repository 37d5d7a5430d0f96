"""The cue words of one lexicon (没, 要是, 昨天, 老伴, ...), compiled once for the readers of slots.

Most utterances hold few of them. `heard_in` looks once which can be there at all; the others stay an
expression that never matches, so that the readers may ask all of them and pay for a few.
"""

from __future__ import annotations

import re

import ahocorasick

from ivr.understanding.durations import RECENT_DAYS, TIME_WORDS, lasts_years, spoken_times
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.pattern_keys import PatternError, keys_of
from ivr.understanding.slot_model import WINDOW_CHARS
from ivr.understanding.text import BREAKS

# A literal first, so that the search is one scan for a character that is not there.
_NEVER = re.compile("\x00(?!)")


class Cues:
    """One compiled expression a cue. Those that end in `$` look at what stands before an event."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._automaton = ahocorasick.Automaton()
        self.patterns: dict[str, re.Pattern[str]] = {}  # those that need a word of their own
        names: dict[str, set[str]] = {word: {"tells_time"} for word in TIME_WORDS}
        filler = f"(?:{lexicon.cue('negation_filler')})"

        def words(*names: str) -> str:
            return "|".join(lexicon.cue(name) for name in names)

        def cue(name: str, of: str, expression: str = "{}") -> re.Pattern[str]:
            """`expression` with the words of the cue `of` (or several, by blanks) in place of {}."""
            said = words(*of.split())
            compiled = re.compile(expression.replace("{}", said))
            try:
                for key in keys_of(f"({said})"):
                    names.setdefault(key, set()).add(name)
            except PatternError:  # no fixed word: it may be anywhere
                return compiled
            self.patterns[name] = compiled
            return compiled

        self.negated = cue("negated", "negation_before", f"(?:{{}}){filler}{{0,4}}$")
        self.double = cue("double", "double_negation", f"(?:{{}}){filler}{{0,3}}$")
        self.not_so = cue("not_so", "not_so", f"(?:{{}})(?:{filler}|因为|真|我){{0,2}}$")
        self.negated_after = cue("negated_after", "negation_after")
        self.near = cue("near", "near_miss", "(?:{})[^，？]{0,6}$")
        self.fear = cue("fear", "fear", "(?:{})[^，？]{0,5}$")
        self.hypothetical = cue("hypothetical", "hypothetical")
        self.hypothetical_after = cue(
            "hypothetical_after", "hypothetical_after", "^[^，？]{0,4}[，？]?[^，？]{0,5}(?:{})"
        )
        self.flee = cue("flee", "flee", "^了?[，？]?[^，？]{0,6}(?:{})")
        self.rhetorical = cue("rhetorical", "rhetorical", f"(?:{{}})(?:{filler}|我){{0,3}}$")
        self.uncertain = cue("uncertain", "uncertain", "(?:{})[^，？]{0,6}$")
        self.asked = cue("asked", "asked", "(?:{})[^，？]{0,4}$")
        self.media = cue("media", "media")
        self.warning = cue("warning", "warning")
        self.joke = cue("joke", "joke")
        self.joke_denied = cue("joke_denied", "joke_denied")
        self.correction = cue("correction", "correction", "^[^，？]{0,3}[，？](?:[哎唉啊嗯呃哦]+，?)?(?:{})")
        self.past = cue("past", "past")
        self.recent = cue("recent", "recent")
        self.onset = cue("onset", "onset")
        self.now = cue("now", "now")
        self.habitual = cue("habitual", "habitual")
        self.resolved = cue("resolved", "resolved")
        self.mild = cue("mild", "mild")
        self.strong = cue("strong", "strong")
        self.far = cue("far", "far")
        self.relative = cue("relative", "relative_speaker")
        self.mother = cue("mother", "mother_speaks")
        self.people_elsewhere = cue("people_elsewhere", "spouse other")
        # Longest first inside each, and other before self so that 我妈 is not 我.
        self.people = re.compile(
            f"(?P<spouse>{words('spouse')})|(?P<other>{words('other')})|(?P<self>{words('self')})"
        )
        self.tells_time = True
        for word, named in names.items():
            self._automaton.add_word(word, tuple(named))
        self._automaton.make_automaton()
        self._told: dict[str, object] = {**self.patterns, "tells_time": True}
        self._silent = vars(self) | dict.fromkeys(self.patterns, _NEVER) | {"tells_time": False}

    def heard_in(self, text: str) -> Cues:
        """The cues that may be in this text or in any part of it."""
        found = object.__new__(Cues)
        said = vars(found)
        said.update(self._silent)
        for _, names in self._automaton.iter(text):
            for name in names:
                said[name] = self._told[name]
        return found

    def relative_speaks(self, text: str) -> bool:
        return bool(self.relative.search(text))

    def mother_speaks(self, text: str) -> bool:
        return bool(self.mother.search(text))

    def is_past(self, clause: str) -> bool:
        """Told of a time before the last visit, by a word or by a number (三年前)."""
        if self.past.search(clause) is not None:
            return True
        return self.tells_time and any(each.ago and each.least > RECENT_DAYS for each in spoken_times(clause))

    def is_recent(self, clause: str) -> bool:
        """Told of a time since the last visit but not of this day, by a word or by a number (三天前)."""
        if self.recent.search(clause) is not None:
            return True
        return self.tells_time and any(
            each.ago and 1 <= each.least <= RECENT_DAYS for each in spoken_times(clause)
        )

    def is_habitual(self, clause: str) -> bool:
        return self.habitual.search(clause) is not None or (self.tells_time and lasts_years(clause))

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
