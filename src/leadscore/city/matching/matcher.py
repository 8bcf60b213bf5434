"""Matches firms to the segments of a city: in which does each work, as what, and how surely?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from leadscore.city.matching.relations import (
    DESIGN,
    NAMED,
    NOT,
    TRADE,
    Judged,
    Relation,
    by_name,
    judge,
)
from leadscore.city.matching.text import MAKING, TRADING, BusinessText, activities
from leadscore.city.matching.uses import JOINT, SAID_BELOW, Said, UsesOfText, suiting, suiting_text
from leadscore.city.matching.vocabulary import (
    Lexicon,
    Vocabulary,
    compile_words,
    load_lexicon,
    normal_form,
)
from leadscore.city.profile import City, Role

TEXT_COLUMNS: Final[Mapping[str, float]] = {
    "main_business": 0.9, "chain_node": 0.9, "profile": 0.9,
    "business_scope": 0.8, "note": 0.6, "name": 0.5,
}  # fmt: skip
"""The columns that are read, and how far each is believed, 0..1."""
_SAY: Final[Mapping[str, float]] = {
    "main_business": 1.0, "profile": 0.9, "business_scope": 0.4,
    "note": 0.4, "chain_node": 0.2, "name": 0.1,
}  # fmt: skip
CLASS_COLUMNS: Final = (
    *("industry", "industry_group", "industry_class"),
    *("vendor_industry_group", "vendor_industry_class", "sw_industry"),
)
"""Columns that may hold a class narrow enough to speak for a segment."""
NOISE: Final = 0.02
"""Matches weaker than this are dropped: a word in passing, or one product of very many."""
INDUSTRY_ALONE: Final = 0.3
"""Strength of a match that only the industry class speaks for; beside text a second source."""
MOST_WORDS: Final = 6
"""How many words are kept for a match, the weightiest ones."""
_DESCRIBING: Final = ("main_business", "profile")  # where a firm comes back to what it does
_LONG: Final = 100  # characters from which a description should speak of every business
_MOST_CLASSES: Final = 10_000  # a list has few different ones
USED: Final = "→"
"""Stands between the words of a match and another use than is wanted: 电机→吸尘器."""

# Role that each relation speaks for, and how strong a firm can get that is related to a segment in
# this way only, 0..1. Who sells into a field supplies those who work in it.
_ROLE_AND_REACH: Final[Mapping[Relation, tuple[Role, float]]] = {
    Relation.MAKER: ("maker", 1.0),
    Relation.DESIGN: ("design", 0.9),
    Relation.INTEGRATION: ("integration", 0.7),
    Relation.TRADE: ("trade", 0.5),
    Relation.SERVICE: ("service", 0.4),
    Relation.EQUIPMENT: ("equipment", 0.45),
    Relation.MATERIALS: ("materials", 0.45),
    Relation.FIELD: ("materials", 0.15),
    Relation.ASIDE: ("maker", 0.15),
    Relation.NOT: ("maker", 0.0),
    Relation.NAMED_MATERIAL: ("materials", 0.7),
    Relation.KNOWHOW: ("design", 0.2),
    Relation.NAMED: ("maker", 0.5),
    Relation.NAMED_EQUIPMENT: ("equipment", 0.7),
}
_MAKERS: Final = frozenset[Role]({"maker", "design"})
_ROLES: Final = [role for role, _ in _ROLE_AND_REACH.values()]
# Relations to the product itself, which add up; the others are to those who make it.
_OWN_PRODUCT: Final = frozenset(
    map(
        int,
        (
            *(Relation.MAKER, Relation.DESIGN, Relation.INTEGRATION, Relation.TRADE),
            *(Relation.SERVICE, Relation.NAMED_MATERIAL, Relation.NAMED),
            Relation.NAMED_EQUIPMENT,
        ),
    )
)
# Relations that say too little to bound what others say.
_PASSING: Final = frozenset(map(int, (Relation.FIELD, Relation.ASIDE, Relation.NAMED)))
# A claim is numbered by its segment, its relation, and whether it rests on hints.
_CLAIMS: Final = 2 * len(Relation)


@dataclass(frozen=True)
class Weights:
    """The constants of the strength; see `_Scale` for the formula.

    Attributes
    ----------
    columns, say
        0..1 for each column that is read: how far it is believed, and what it has to say in the
        role, for a scope is drawn wide.
    reach
        0..1 for each `Relation`.
    design_beside_making
        0..1, how far designing counts for the role of a firm that both designs and makes.
    saturation
        How fast evidence fills ``reach``: a single product named first gives ``1 - exp(-this)``.
    dilution
        0..1, how much a long list of products weakens each: power of its effective length.
    """

    columns: Mapping[str, float] = field(default_factory=lambda: dict(TEXT_COLUMNS))
    say: Mapping[str, float] = field(default_factory=lambda: dict(_SAY))
    reach: Mapping[Relation, float] = field(
        default_factory=lambda: {key: reach for key, (_, reach) in _ROLE_AND_REACH.items()}
    )
    design_beside_making: float = 0.65
    hint: float = 0.2  # what a hint counts beside a word that names the product
    hint_reach: float = 0.6  # 0..1, how much of ``reach`` hints alone can get
    in_field: float = 0.5  # what a product counts that is named as a field of work: 照明领域
    saturation: float = 1.5
    decay: float = 20.0  # number of items after which a mention counts half
    alone: float = 0.5  # what counts a single word that another, long description knows nothing of
    variety: float = 40.0  # number of items from which a business is expected in several words
    dilution: float = 0.4


Columns = Mapping[str, object]
"""A firm by canonical columns; only texts are read, what is missing has no key or is None."""


class Span(NamedTuple):
    """A piece of evidence."""

    column: str  # where it stands: one of `TEXT_COLUMNS`, or of `CLASS_COLUMNS`
    start: int  # its place in the text in NFKC, as a slice; an industry class is quoted whole
    end: int
    words: str  # what stands there


class Match(NamedTuple):
    """A segment in which a firm works.

    Attributes
    ----------
    strength
        `NOISE`..1: near 1 for a firm whose main business this is, 0.2 for a side product, at most
        0.7 for one that only supplies those who make it.
    spans
        The evidence: at most `MOST_WORDS` different words of the firm's texts, the weightiest
        first, then the industry class if that speaks for the segment.
    """

    segment: str
    role: Role
    use: str | None  # the words for what its products are for; None where that is not said
    strength: float
    spans: tuple[Span, ...]
    suits: float = 1.0  # 0..1, the share of the strength that its use leaves, 1 for one wanted

    @property
    def words(self) -> str:
        """The words that were found, as `words_of` joins them."""
        return words_of(self.spans, self.use if self.suits < SAID_BELOW else None)


def words_of(spans: tuple[Span, ...], another_use: str | None = None) -> str:
    """Return the words of some evidence, joined by ``、``; the class where no text speaks.

    Another use than is wanted follows, behind `USED`.
    """
    words = [span.words for span in spans if span.column not in CLASS_COLUMNS]
    joined = JOINT.join(words or [span.words for span in spans])
    return f"{joined}{USED}{another_use}" if joined and another_use else joined


class Matcher:
    """Matches firms against a city's segments.

    What it answers for a firm depends on nothing but the firm. May be pickled and copied, and
    serves several threads at once.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> lists = dict.fromkeys(("materials", "equipment", "hints", "excludes", "uses"), ())
    >>> lamps = SimpleNamespace(makes=("灯具",), industry=("387",), own_role="maker", **lists)
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
        self._scale = _Scale(weights or Weights())
        self._own_roles: list[Role] = [segment.own_role for segment in city.segments.values()]
        self._columns = tuple(self._scale.weights.columns)
        self._known_classes: dict[str, frozenset[int]] = {}
        self._segments_of_class: dict[str, list[int]] = {}
        for position, segment in enumerate(city.segments.values()):
            for name in segment.industry:
                self._segments_of_class.setdefault(_class_form(name), []).append(position)

    def match(self, firm: Columns) -> list[Match]:
        """Match one firm: each segment at most once, the strongest first."""
        return self._match(firm, {})

    def match_all(self, firms: Iterable[Columns]) -> list[list[Match]]:
        """Match many firms, each as `match` does; a text that several have is read once."""
        firms = list(firms)
        cells = (firm.get(column) for firm in firms for column in self._columns)
        times = Counter(text for text in cells if isinstance(text, str))
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
            use, suits = None, 1.0
            wanted = self._vocabulary.uses[segment]
            if wanted and segment in weighed and 1.0 - doubt >= NOISE:
                said, named = _said_of_use(segment, speaking)
                suits, use = suiting(said, wanted, named=named)
                doubt = 1.0 - suits * (1.0 - doubt)
            if 1.0 - doubt >= NOISE:
                name = self._vocabulary.segments[segment]
                if role in _MAKERS and (own := self._own_roles[segment]) != "maker":
                    role = own
                match = Match(name, role, use, 1.0 - doubt, spans, suits)
                matches.append((doubt, name, match))
        matches.sort()
        return [match for _, _, match in matches]

    def for_use(self, match: Match, use: str) -> Match:
        """Return a match as it is where an officer says what its products are for, in words."""
        wanted = self._vocabulary.uses[self._vocabulary.segments.index(match.segment)]
        suits, words = suiting_text(use, wanted)
        strength = match.strength / match.suits * suits
        return match._replace(use=words, strength=strength, suits=suits)

    def _read(self, text: str, is_name: bool, repeated: _Repeated) -> _ReadText:
        readings = repeated.get(text)
        if readings is None:
            return _ReadText(text, self._vocabulary, is_name=is_name)
        if is_name not in readings:
            readings[is_name] = _ReadText(text, self._vocabulary, is_name=is_name)
        return readings[is_name]

    def _weighed(
        self, texts: Mapping[str, _ReadText], speaking: Mapping[str, _ReadText]
    ) -> dict[int, _Weighed]:
        judged = {column: text.judged for column, text in speaking.items() if text.judged}
        instead: dict[Relation, Relation] = {}
        name = texts.get("name")
        if name is not None:
            relations = {mention[3] for text in judged.values() for mention in text.mentions}
            if NAMED in relations:
                instead[NAMED] = by_name(self._done(texts))
            designs = {kind for kind in relations if instead.get(kind, kind) is DESIGN}
            # A firm that trades by its name and also develops trades.
            if designs and name.activities() & TRADING:
                instead |= dict.fromkeys(designs, TRADE)
        long = [name for name in _DESCRIBING if name in texts and len(texts[name].cased) >= _LONG]
        return self._scale.weigh(judged, instead, long)

    def _done(self, texts: Mapping[str, _ReadText]) -> int:
        # Once the texts beside the name say that something is made, the rest adds nothing.
        done = 0
        others = [text for column, text in texts.items() if column != "name"]
        for text in sorted(others, key=lambda text: text.judged is None):
            if not done & MAKING:
                done |= text.activities()
        return done

    def _spans(self, quotes: list[_Quote], speaking: Mapping[str, _ReadText]) -> tuple[Span, ...]:
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
        # A code of GB/T 4754 also speaks for the codes below it.
        for part in {value, *_SEPARATORS.split(value)}:
            form = _class_form(part)
            stems = [form[:length] for length in range(2, len(form))] if form.isdigit() else []
            for stem in (form, *stems):
                segments.update(self._segments_of_class.get(stem, ()))
        if len(self._known_classes) >= _MOST_CLASSES:
            self._known_classes.clear()
        self._known_classes[value] = frozenset(segments)
        return frozenset(segments)


class _ReadText:
    # A text by itself: as it is quoted, and what it says; None if it mentions no segment.

    __slots__ = ("_business", "_silent", "_uses", "cased", "judged")

    def __init__(self, text: str, vocabulary: Vocabulary, *, is_name: bool) -> None:
        business = BusinessText(text, vocabulary)
        self.cased = business.cased
        self.judged: Judged | None = None
        self._business = business
        self._uses: UsesOfText | None = None
        self._silent: BusinessText | int = business
        if business.words:
            business.lay_out()
            self.judged = judge(business, is_name=is_name)
            self._silent = self.judged.activities

    def used_for(self, place: int) -> list[Said]:
        # What is said of use beside a mention; the words for it are looked for once and late.
        if self._uses is None:
            text = self._business
            self._uses = UsesOfText(text.lower, text.breaks, text.sentences)
        return self._uses.beside(place)

    def activities(self) -> int:
        # The bits of what is done; of a silent text they are found out only where asked for.
        if isinstance(self._silent, BusinessText):
            self._silent.lay_out()
            self._silent = activities(self._silent)
        return self._silent


def _said_of_use(segment: int, texts: Mapping[str, _ReadText]) -> tuple[list[Said], bool]:
    # What is said of the use of a segment's products, and whether more than a hint names one.
    said: list[Said] = []
    named = False
    for text in texts.values():
        for mention in text.judged.mentions if text.judged else ():
            if mention[2] == segment and mention[3] is not NOT:
                said += text.used_for(mention[0])
                named = named or not mention[4]
    return said, named


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


_Quote = tuple[float, int, int, int]
"""A word that counts: minus its weight, so that the heaviest is the least, the number of its text,
where it begins there, and its number in the vocabulary."""


class _Weighed(NamedTuple):
    role: Role
    strength: float
    quotes: list[_Quote]


class _Scale:
    """Weighs what texts say of a firm.

    For each text, segment, relation, and word or hint:

    - evidence = sum over the items of the text of the weightiest mention in each, divided by
      ``L ** dilution``, with the effective number of items ``L = decay * ln(1 + items / decay)``;
    - filled = belief in the column * ``(1 - exp(-saturation * evidence))``.

    Texts are independent sources of evidence of a firm, ``1 - prod(1 - filled)``; that times the
    reach of the relation (and ``hint_reach`` for hints) is what the relation claims. Relations to
    the product itself join as independent sources again; those to its makers don't add up. The
    strength is the larger of both, times ``n / (n + items / (items + variety))`` with the number n
    of different words for the segment and the items of the texts in which a firm describes itself:
    who writes much about a business has more than one word for it, while a scope names it once. A
    single word in one description counts ``alone`` where another is long and speaks of no such
    business.
    The role is that of the strongest relation if each text's
    ``filled`` counts by its say in the role; that relation's reach bounds the strength, so that a
    dealer whose scope also names development is no half maker. Nothing depends on other firms.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._reach = [weights.reach[relation] for relation in Relation]
        self._spoken = list(self._reach)
        self._spoken[Relation.DESIGN] *= weights.design_beside_making

    def weigh(
        self,
        texts: Mapping[str, Judged],
        instead: Mapping[Relation, Relation],
        long: Sequence[str],
    ) -> dict[int, _Weighed]:
        quotes: dict[int, list[_Quote]] = {}
        # What no text fills, and what none has said, by claim.
        unfilled: dict[int, float] = {}
        unsaid: dict[int, float] = {}
        for number, (column, judged) in enumerate(texts.items()):
            belief, say = self.weights.columns[column], self.weights.say[column]
            for claim, filled in self._filled(judged, instead, number, quotes):
                filled *= belief
                unfilled[claim] = unfilled.get(claim, 1.0) * (1.0 - filled)
                unsaid[claim] = unsaid.get(claim, 1.0) * (1.0 - filled * say)
        items = sum(texts[column].items for column in _DESCRIBING if column in texts)
        once = items / (items + self.weights.variety)
        weighed = {}
        for segment, relations in self._doubts(unfilled, unsaid).items():
            role, strength = self._joined(relations)
            words = len({quote[3] for quote in quotes[segment]})
            strength *= words / (words + once)
            if long and words == 1 and self._alone(quotes[segment], [*texts], long):
                strength *= self.weights.alone
            weighed[segment] = _Weighed(role, strength, quotes[segment])
        return weighed

    @staticmethod
    def _alone(quotes: Sequence[_Quote], columns: Sequence[str], long: Sequence[str]) -> bool:
        # A word in one description while another, long one has none for the segment.
        places = {columns[number] for _, number, _, _ in quotes}
        return not places.issuperset(long) and not places.isdisjoint(_DESCRIBING)

    def _filled(
        self,
        judged: Judged,
        instead: Mapping[Relation, Relation],
        number: int,
        quotes: dict[int, list[_Quote]],
    ) -> list[tuple[int, float]]:
        weights, reach = self.weights, self._reach
        best: dict[int, dict[int, float]] = {}
        for begin, word, segment, relation, hint, in_field, item, ahead in judged.mentions:
            if instead:
                relation = instead.get(relation, relation)
            reached = reach[relation]
            if not reached:
                continue
            weight = weights.hint if hint else 1.0
            if in_field:
                weight *= weights.in_field
            weight /= 1.0 + ahead / weights.decay
            claim = _CLAIMS * segment + 2 * relation + hint
            items = best.get(claim)
            if items is None:
                best[claim] = {item: weight}
            elif weight > items.get(item, 0.0):
                items[item] = weight
            quote = -weight * reached, number, begin, word
            if segment in quotes:
                quotes[segment].append(quote)
            else:
                quotes[segment] = [quote]
        diluted = _diluted(judged.items, weights.decay, weights.dilution)
        return [
            (claim, _saturated(_sum(items) / diluted, weights.saturation))
            for claim, items in best.items()
        ]

    def _doubts(
        self, unfilled: Mapping[int, float], unsaid: Mapping[int, float]
    ) -> dict[int, dict[int, tuple[float, float]]]:
        doubts: dict[int, dict[int, tuple[float, float]]] = {}
        for claim in sorted(unfilled):
            segment, kind = divmod(claim, _CLAIMS)
            relation = kind // 2
            share = self.weights.hint_reach if kind % 2 else 1.0
            claimed = self._reach[relation] * share * (1.0 - unfilled[claim])
            said = self._spoken[relation] * share * (1.0 - unsaid[claim])
            relations = doubts.setdefault(segment, {})
            doubt, silence = relations.get(relation, (1.0, 1.0))
            relations[relation] = doubt * (1.0 - claimed), silence * (1.0 - said)
        return doubts

    def _joined(self, relations: Mapping[int, tuple[float, float]]) -> tuple[Role, float]:
        joint = least = quietest = 1.0
        strongest = -1
        for relation, (doubt, silence) in relations.items():
            if relation in _OWN_PRODUCT:
                joint *= doubt
            least = min(least, doubt)
            if strongest < 0 or silence < quietest:
                strongest, quietest = relation, silence
        bound = 1.0 if strongest in _PASSING else self._reach[strongest]
        return _ROLES[strongest], min(1.0 - min(least, joint), bound)


# numpy, not math, so that strengths stay what they were to the last bit: the two differ in it, and
# a strength must not depend on the version of the program that scored a firm. Evidence takes few
# values, so each is looked up rather than computed.
@lru_cache(maxsize=65_536)
def _saturated(evidence: float, saturation: float) -> float:
    return -float(np.expm1(-saturation * evidence))


@lru_cache(maxsize=4_096)
def _diluted(items: int, decay: float, dilution: float) -> float:
    length = decay * np.log1p(np.array([items / decay]))
    return float((np.maximum(length, 1.0) ** dilution)[0])


def _sum(items: Mapping[int, float]) -> float:
    # In numpy's order, which pairs long rows of numbers; short ones it adds from behind.
    first, *others = items.values()
    if not others:
        return first
    if len(items) > 8:
        return float(np.add.reduceat([first, *others], [0])[0])
    rest = 0.0
    for value in others:
        rest += value
    return first + rest
