"""Matches firms to the segments of a city: in which does each work, as what, and how surely?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from leadscore.city.matching.relations import (
    DESIGN,
    NAMED,
    TRADE,
    Judged,
    Relation,
    by_name,
    judge,
)
from leadscore.city.matching.score import Quote, Scale, Weighed, Weights
from leadscore.city.matching.text import MAKING, TRADING, BusinessText, activities
from leadscore.city.matching.vocabulary import (
    Lexicon,
    Vocabulary,
    compile_words,
    load_lexicon,
    normal_form,
)
from leadscore.city.profile import City
from leadscore.city.schema import Role

CLASS_COLUMNS: Final = (
    "industry",
    "industry_group",
    "industry_class",
    "vendor_industry_group",
    "vendor_industry_class",
    "sw_industry",
)
"""Columns that may hold a class narrow enough to speak for a segment."""
NOISE: Final = 0.03
"""Matches weaker than this are dropped: a word in passing, or one product of very many."""
INDUSTRY_ALONE: Final = 0.3
"""Strength of a match that only the industry class speaks for; beside text a second source."""
MOST_WORDS: Final = 6
"""How many words are kept for a match, the weightiest ones."""
MOST_CLASSES: Final = 10_000
"""How many industry classes are remembered; a list has few different ones."""
JOINT: Final = "、"
"""Stands between the words of a match."""

Columns = Mapping[str, object]
"""A firm by canonical columns; only texts are read, what is missing has no key or is None."""


class Span(NamedTuple):
    """A piece of evidence.

    Attributes
    ----------
    start, end
        Its place in the text in NFKC, as a slice; an industry class is quoted whole.
    """

    column: str  # where it stands: one of `TEXT_COLUMNS`, or of `CLASS_COLUMNS`
    start: int
    end: int
    words: str  # what stands there


class Match(NamedTuple):
    """A segment in which a firm works.

    Attributes
    ----------
    strength
        `NOISE`..1: about 1 for a firm whose main business this is, 0.3 for a side product, at most
        0.5 for one that only supplies those who make it (see `Scale`).
    spans
        The evidence: at most `MOST_WORDS` different words of the firm's texts, the weightiest
        first, then the industry class if that speaks for the segment.
    """

    segment: str  # its id
    role: Role  # what the firm is there, one of `leadscore.city.ROLES`
    use: str | None  # for which use of the segment's products; None where that is not known
    strength: float
    spans: tuple[Span, ...]

    @property
    def words(self) -> str:
        """The words that were found, joined by ``、``; the class where no text speaks."""
        return words_of(self.spans)


def words_of(spans: tuple[Span, ...]) -> str:
    """Return the words of some evidence, joined by ``、``; the class where no text speaks."""
    said = [span.words for span in spans if span.column not in CLASS_COLUMNS]
    return JOINT.join(said or [span.words for span in spans])


class Matcher:
    """Matches firms against a city's segments.

    What it answers for a firm depends on nothing but the firm. May be pickled and copied, and
    serves several threads at once.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> lamps = SimpleNamespace(makes=("灯具",), hints=(), excludes=(), industry=("387",))
    >>> matcher = Matcher(SimpleNamespace(segments={"light.lamps": lamps}))
    >>> [match] = matcher.match({"main_business": "灯具的研发、生产", "industry_class": "C3872"})
    >>> match.segment, match.role, round(match.strength, 2), match.words
    ('light.lamps', 'maker', 0.79, '灯具')
    >>> match.spans
    (Span(column='main_business', start=0, end=2, words='灯具'),
     Span(column='industry_class', start=0, end=5, words='C3872'))
    >>> firms = [{"main_business": "灯具生产设备"}, {"main_business": "灯具批发"}]
    >>> [match.role for [match] in matcher.match_all(firms)]
    ['equipment', 'trade']
    """

    def __init__(
        self, city: City, *, lexicon: Lexicon | None = None, weights: Weights | None = None
    ) -> None:
        self._vocabulary = compile_words(city.segments, lexicon or load_lexicon())
        self._scale = Scale(weights or Weights())
        self._columns = tuple(self._scale.weights.columns)
        self._known_classes: dict[str, frozenset[int]] = {}
        self._segments_of_class: dict[str, list[int]] = {}
        for position, segment in enumerate(city.segments.values()):
            for name in segment.industry:
                self._segments_of_class.setdefault(_class_form(name), []).append(position)

    def match(self, firm: Columns) -> list[Match]:
        """Match one firm.

        Returns
        -------
        list of Match
            Each segment at most once, the strongest first.
        """
        return self._match(firm, {})

    def match_all(self, firms: Iterable[Columns]) -> list[list[Match]]:
        """Match many firms, each as `match` does; a text that several have is read once."""
        firms = list(firms)
        columns = self._scale.weights.columns
        times = Counter(
            text
            for firm in firms
            for column in columns
            if isinstance(text := firm.get(column), str)
        )
        # What is kept has to be walked by the garbage collector, so only what repeats is.
        repeated: _Repeated = {text: {} for text, number in times.items() if number > 1}
        return [self._match(firm, repeated) for firm in firms]

    def _match(self, firm: Columns, repeated: _Repeated) -> list[Match]:
        texts: dict[str, _ReadText] = {}
        speaking: dict[str, _ReadText] = {}
        for column in self._columns:
            text = firm.get(column)
            if isinstance(text, str):
                texts[column] = reading = self._read(text, column == "name", repeated)
                if reading.judged is not None:
                    speaking[column] = reading
        weighed = self._weighed(texts, speaking) if speaking else {}
        classes = self._classes(firm)
        matches: list[tuple[float, str, Match]] = []
        for segment in weighed.keys() | classes.keys() if classes else weighed:
            role: Role = "maker"
            strength, spans = 0.0, tuple[Span, ...]()
            if segment in weighed:
                role, strength, quotes = weighed[segment]
                spans = self._spans(quotes, speaking)
            doubt = 1.0 - strength
            if segment in classes:
                # The two are taken as independent sources of evidence.
                doubt *= 1.0 - INDUSTRY_ALONE
                spans = (*spans, classes[segment])
            if 1.0 - doubt >= NOISE:
                name = self._vocabulary.segments[segment]
                matches.append((doubt, name, Match(name, role, None, 1.0 - doubt, spans)))
        matches.sort()
        return [match for _, _, match in matches]

    def _read(self, text: str, is_name: bool, repeated: _Repeated) -> _ReadText:
        readings = repeated.get(text)
        if readings is None:
            return _ReadText(text, self._vocabulary, is_name=is_name)
        if is_name not in readings:
            readings[is_name] = _ReadText(text, self._vocabulary, is_name=is_name)
        return readings[is_name]

    def _weighed(
        self, texts: Mapping[str, _ReadText], speaking: Mapping[str, _ReadText]
    ) -> dict[int, Weighed]:
        judged = {column: text.judged for column, text in speaking.items() if text.judged}
        instead: dict[Relation, Relation] = {}
        name = texts.get("name")
        if name is not None:
            relations = {mention[3] for each in judged.values() for mention in each.mentions}
            if NAMED in relations:
                instead[NAMED] = by_name(self._done(texts))
            designs = {each for each in relations if instead.get(each, each) is DESIGN}
            # A firm that trades by its name and also develops trades.
            if designs and name.activities() & TRADING:
                instead |= dict.fromkeys(designs, TRADE)
        return self._scale.weigh(judged, instead)

    def _done(self, texts: Mapping[str, _ReadText]) -> int:
        """Return the bits of what the texts beside the name say is done.

        Once they say that something is made, the rest adds nothing; see `by_name`.
        """
        done = 0
        others = [text for column, text in texts.items() if column != "name"]
        for text in sorted(others, key=lambda text: text.judged is None):
            if not done & MAKING:
                done |= text.activities()
        return done

    def _spans(self, quotes: list[Quote], speaking: Mapping[str, _ReadText]) -> tuple[Span, ...]:
        texts = list(speaking.items())
        spans: dict[int, Span] = {}
        for _, number, begin, word in sorted(quotes):
            if word not in spans:
                column, text = texts[number]
                end = begin + len(self._vocabulary.products.words[word])
                # The text is read between two line ends.
                spans[word] = Span(column, begin - 1, end - 1, text.cased[begin:end])
                if len(spans) == MOST_WORDS:
                    break
        return tuple(spans.values())

    def _classes(self, firm: Columns) -> dict[int, Span]:
        spoken: dict[int, Span] = {}
        for column in CLASS_COLUMNS:
            value = firm.get(column)
            if isinstance(value, str):
                for segment in self._spoken_for(value):
                    spoken.setdefault(segment, Span(column, 0, len(value), value))
        return spoken

    def _spoken_for(self, value: str) -> frozenset[int]:
        known = self._known_classes.get(value)
        if known is not None:
            return known
        segments: set[int] = set()
        for part in {value, *_SEPARATORS.split(value)}:
            form = _class_form(part)
            stems = [form[:length] for length in range(2, len(form))] if form.isdigit() else []
            for stem in (form, *stems):
                segments.update(self._segments_of_class.get(stem, ()))
        if len(self._known_classes) >= MOST_CLASSES:
            self._known_classes.clear()
        self._known_classes[value] = frozenset(segments)
        return frozenset(segments)


class _ReadText:
    """A text by itself.

    Attributes
    ----------
    cased
        As it is quoted; see `BusinessText`.
    judged
        What it says; None if it mentions no segment.
    """

    __slots__ = ("_silent", "cased", "judged")

    def __init__(self, text: str, vocabulary: Vocabulary, *, is_name: bool) -> None:
        business = BusinessText(text, vocabulary)
        self.cased = business.cased
        self.judged: Judged | None = None
        self._silent: BusinessText | int = business
        if business.words:
            business.lay_out()
            self.judged = judge(business, is_name=is_name)
            self._silent = self.judged.activities

    def activities(self) -> int:
        """Return the bits of what the text says is done.

        Of a text that mentions no segment it is found out only where it is asked for.
        """
        if isinstance(self._silent, BusinessText):
            self._silent.lay_out()
            self._silent = activities(self._silent)
        return self._silent


_Repeated = dict[str, dict[bool, _ReadText]]
"""The texts that repeat in a batch, as they were read as a name or as another text."""


_SEPARATORS: Final = re.compile(r"[\s>/|;,、\-—]+")
_CODE: Final = re.compile(r"^[a-z]?(\d{2,4})$")


def _class_form(name: str) -> str:
    """Return a class as it is compared: ``C3841`` and ``3841`` are one, as are 锂电池 and 锂电池Ⅲ.

    >>> _class_form("C3841"), _class_form("照明设备Ⅲ")
    ('3841', '照明设备')
    """
    form = normal_form(name).strip()
    code = _CODE.match(form)
    return code.group(1) if code else re.sub(r"i{2,3}$", "", form)
