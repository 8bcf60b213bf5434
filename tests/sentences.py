"""Compares every sentence of a scored list with the values beside it.

What a sentence claims is read off its words alone, by the patterns below, and compared with what
the city profile, the firm's own columns, its matches and its features say. A sentence that no
pattern knows counts as false: a new wording has to say here what it claims.

    python -m tests.sentences LIST ...

prints of any lists how many sentences of each feature were read, and each kind that is false.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from leadscore.city import Anchor, City, load_city
from leadscore.features.catalogue import CATALOGUE
from leadscore.files import shipped
from leadscore.lists.cleaning import records_of
from leadscore.lists.dedupe import load_list
from leadscore.ranking.reasons import Wording
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.text import LANGUAGES, Lang

Value = float | str | None


@dataclass(frozen=True)
class Said:
    """One sentence, and what stands beside it.

    Attributes
    ----------
    strengths
        Strength of every segment that the firm matches, by id.
    record
        The firm's canonical columns, without those that are missing.
    """

    feature: str
    value: Value
    points: float
    text: str
    lang: Lang
    segment: str | None
    role: str | None
    words: str | None
    strengths: dict[str, float]
    record: dict[str, object]
    city: City

    @property
    def number(self) -> float:
        assert isinstance(self.value, float), f"{self.feature} has no number"
        return self.value

    def named(self, segment: str | None) -> str:
        """Return the name of a segment, which is what the sentence must say."""
        assert segment is not None, "a sentence about a segment, of a firm that matches none"
        return self.city.segments[segment].name.pick(self.lang)

    def home(self) -> str:
        return str(self.record.get("city_code") or self.record.get("province_code") or "")


Claim = Callable[[Said, re.Match[str]], bool]


# ---- what numbers claim


def _percent(shown: str, value: float) -> bool:
    if shown[0] in "<>":
        return 0 < abs(value) < 1e-6
    figure, decimals = float(shown.rstrip("%")), len(shown.rstrip("%").partition(".")[2])
    exact = figure in (0.0, 100.0) and not decimals
    percent = 100.0 * value
    return percent == figure if exact else abs(percent - figure) <= 10.0**-decimals + 1e-9


def _yuan(shown: str, value: float) -> bool:
    figure = float(re.sub(r"[^0-9.\-]", "", shown))
    units = {"亿元": 1e8, "万元": 1e4, "元": 1.0, " billion": 1e9, " million": 1e6}
    unit = next((size for name, size in units.items() if shown.endswith(name)), 1.0)
    step = (
        1.0
        if abs(figure) >= 100 or not figure
        else 10.0 ** (math.floor(math.log10(abs(figure))) - 2)
    )
    return abs(figure * unit - value) <= step * unit / 2 * (1 + 1e-9)


def _share(said: Said, match: re.Match[str]) -> bool:
    return _percent(match["value"], said.number)


def _money(said: Said, match: re.Match[str]) -> bool:
    return _yuan(match["value"], said.number)


def _count(said: Said, match: re.Match[str]) -> bool:
    return said.number > 0 and abs(float(match["value"].replace(",", "")) - said.number) <= 0.5


def _years(said: Said, match: re.Match[str]) -> bool:
    founded, as_of = said.record["founded_on"], said.record["as_of"]
    assert isinstance(founded, date)
    assert isinstance(as_of, date)
    years, shown = (as_of - founded).days / 365.25, match["value"]
    return float(shown) <= years < float(shown) + (0.1 if "." in shown else 1.0)


def _zero(said: Said, _: re.Match[str]) -> bool:
    return said.value == 0.0


def _yes(said: Said, _: re.Match[str]) -> bool:
    return said.value == 1.0


def _missing(said: Said, _: re.Match[str]) -> bool:
    return said.value is None


# ---- what words claim


def _level(said: Said, match: re.Match[str]) -> bool:
    levels = CATALOGUE[said.feature].levels
    return match["value"] == levels[str(said.value)].pick(said.lang)


def _chain(said: Said, match: re.Match[str]) -> bool:
    chains = {chain.id: chain.name.pick(said.lang) for chain in said.city.chains}
    own = said.segment and said.city.segments[said.segment].chain_id
    return own == said.value and match["value"] == chains[str(said.value)]


def _no_chain(said: Said, match: re.Match[str]) -> bool:
    return said.value == "none" and _none_that_counts(said, match)


def _segment(said: Said, match: re.Match[str]) -> bool:
    return match["segment"] == said.named(said.segment)


def _strongest(said: Said, match: re.Match[str]) -> bool:
    """The segment named has the strength shown, and the words for it fit the strength."""
    names = {said.named(key): strength for key, strength in said.strengths.items()}
    strength = names[match["segment"]]
    by_hand = match[0].startswith(("人工认定从事", "an officer puts it in"))
    if by_hand != (said.words == "") or (by_hand and not said.record.get("segments")):
        return False
    close = by_hand or "吻合" in match[0] or "main business" in match[0]
    whole = strength == said.number == max(names.values())
    return whole and _percent(match["value"], strength) and close == (strength >= 0.3)


def _strongest_but_weak(said: Said, match: re.Match[str]) -> bool:
    """The segment named has the strength shown, which lowers the score."""
    names = {said.named(key): strength for key, strength in said.strengths.items()}
    whole = names[match["segment"]] == said.number == max(names.values())
    return whole and _percent(match["value"], said.number) and said.points < 0


def _unmatched(said: Said, _: re.Match[str]) -> bool:
    return not said.strengths and said.segment is None


def _none_that_counts(said: Said, _: re.Match[str]) -> bool:
    return said.segment is None and all(strength < 0.15 for strength in said.strengths.values())


_SUPPLY: dict[str, Callable[[float], bool]] = {
    "本地尚无|none available locally": lambda supply: supply == 0,
    "本地薄弱|weak local supply": lambda supply: 0 < supply < 0.35,
    "本地仅部分具备|only partly available locally": lambda supply: 0.35 <= supply < 0.65,
    "本地已较强|strong local supply": lambda supply: 0.65 <= supply < 1,
    "本地已完整|complete local supply": lambda supply: supply == 1,
}
_DOES = {
    "填补缺口|fills a gap": ("maker", "design", "integration"),
    "配套缺口环节|supplies a gap": ("equipment", "materials"),
    "涉足缺口环节|works around a gap": ("trade", "service"),
}


def _gap(said: Said, match: re.Match[str]) -> bool:
    """The segment, its supply, the firm's own words, and what the firm does about the gap."""
    assert said.segment is not None
    gap, supply = said.city.gap(said.segment), said.city.supply(said.segment)
    right_supply = next(
        holds(supply) for words, holds in _SUPPLY.items() if match["supply"] in words.split("|")
    )
    does = next((roles for words, roles in _DOES.items() if match["does"] in words.split("|")), ())
    small = match["does"] in ("所补缺口不大", "works in a small gap")
    none = match["does"] in ("补不上缺口", "fills no gap")
    partly = match["does"] in ("只补部分缺口", "fills part of a gap")
    right_doing = (
        (said.number == 0)
        if none
        else (gap < 0.45 and said.number >= 0.1)
        if small
        else (gap >= 0.45 and 0.1 <= said.number < 1 and said.points < 0)
        if partly
        else (gap >= 0.45 and said.number >= 0.1 and said.role in does)
        if does
        else 0 < said.number < 0.1
    )
    return _segment(said, match) and right_supply and right_doing and _own_words(said, match)


def _own_words(said: Said, match: re.Match[str]) -> bool:
    """Each word in brackets stands in the firm's texts, or in the name of its class."""
    if said.words == "":
        return bool(said.record["segments"]) and match["words"] in ("人工认定", "set by an officer")
    texts = " ".join(str(value) for value in said.record.values() if isinstance(value, str))
    plain = _plain(texts)
    words, _, use = re.sub("，用于|, for ", "→", match["words"]).partition("→")
    # Another use than is wanted is said where it weakens the match, and there only.
    if use != (said.words or "").partition("→")[2]:
        return False
    return all(_plain(word) in plain for word in f"{words}、{use}".split("、"))


def _plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()


def _anchors(said: Said, match: re.Match[str], beside: Sequence[Anchor]) -> bool:
    """The count and the names are those of the anchors in the segments next to it."""
    joint, more = ("、", r"等$") if said.lang == "zh" else (", ", r" and (\d+) more$")
    names = re.sub(more, "", match["names"]).split(joint)
    left = re.search(more, match["names"])
    known = {anchor.label.pick(said.lang): anchor for anchor in beside}
    own = said.named(said.segment)
    rival = f"（本身也做{own}）" if said.lang == "zh" else f" (itself in {own})"
    for name in names:
        anchor = known[name.removesuffix(rival)]
        if (said.segment in anchor.segments) != name.endswith(rival):
            return False
    if bool(re.search(r"龙头仅|: only ", match[0])) != (said.points < 0):
        return False
    rest = len(beside) - len(names)
    if left and said.lang == "en" and int(left[1]) != rest:
        return False
    return (
        _segment(said, match)
        and int(match["value"]) == len(beside) == said.number
        and bool(left) == bool(rest)
    )


def _next_to(said: Said, *, downstream: bool) -> list[Anchor]:
    """Return the anchors in the segments that this one feeds or is fed by, from the profile."""
    assert said.segment is not None
    segments = said.city.segments
    fed = set(segments[said.segment].feeds)
    feeding = {key for key, segment in segments.items() if said.segment in segment.feeds}
    near = fed if downstream else feeding
    return [anchor for anchor in said.city.anchors if near & set(anchor.segments)]


def _buyers(said: Said, match: re.Match[str]) -> bool:
    return _anchors(said, match, _next_to(said, downstream=True))


def _suppliers(said: Said, match: re.Match[str]) -> bool:
    return _anchors(said, match, _next_to(said, downstream=False))


def _no_buyers(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and not _next_to(said, downstream=True) and said.value == 0


def _no_suppliers(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and not _next_to(said, downstream=False) and said.value == 0


def _steps(said: Said) -> int | None:
    """Walk from the segment until one in which the city is strong is met."""
    assert said.segment is not None
    segments = said.city.segments
    seen, ring, steps = {said.segment}, {said.segment}, 0
    while ring:
        if any(segments[key].supply >= 0.85 for key in ring):
            return steps
        near = {key for at in ring for key in segments[at].feeds}
        near |= {key for key, each in segments.items() if ring & set(each.feeds)}
        ring, steps = near - seen, steps + 1
        seen |= ring
    return None


def _far(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and int(match["value"]) == _steps(said) == said.number


def _strength_itself(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and _steps(said) == 0 == said.value


def _not_linked(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and _steps(said) is None and said.value is None


def _neighbours(said: Said, match: re.Match[str]) -> bool:
    most = max(
        delivery.supply
        for neighbour in said.city.neighbours
        for delivery in neighbour.delivers
        if delivery.segment == said.segment
    )
    return _segment(said, match) and most == said.number and _share(said, match)


def _no_neighbour(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and said.value == 0.0


def _sought(said: Said, match: re.Match[str]) -> bool:
    asked = {key for each in said.city.sought for key in each.segments}
    assert said.segment is not None
    is_sought = said.segment in asked or said.city.segments[said.segment].sought
    return _segment(said, match) and float(is_sought) == said.value


def _position(said: Said, match: re.Match[str]) -> bool:
    assert said.segment is not None
    of_profile = said.city.segments[said.segment].position
    return _segment(said, match) and of_profile == said.value and _level(said, match)


def _role(said: Said, match: re.Match[str]) -> bool:
    return _segment(said, match) and said.role == said.value and _level(said, match)


def _region(said: Said, match: re.Match[str]) -> bool:
    divisions = [
        region.divisions
        for region in said.city.target_regions
        if region.name.pick(said.lang) == match["value"]
    ]
    return said.value == 1.0 and any(said.home().startswith(codes) for codes in divisions)


def _no_region(said: Said, _: re.Match[str]) -> bool:
    codes = tuple(code for region in said.city.target_regions for code in region.divisions)
    return said.value == 0.0 and not said.home().startswith(codes)


def _province(said: Said, match: re.Match[str]) -> bool:
    own = str(said.record["province_code"]) == said.city.division_code[:2]
    return own == (match[0] in ("本省企业", "from the same province")) == bool(said.value)


def _partner(said: Said, match: re.Match[str]) -> bool:
    codes = tuple(each.division_code for each in said.city.neighbours)
    claims = match[0] in ("来自协作的周边城市", "from a partner city nearby")
    return claims == said.home().startswith(codes) == bool(said.value)


def _staff(said: Said, match: re.Match[str]) -> bool:
    insured = match["who"] in ("参保人员", "insured staff")
    column = said.record["insured_staff" if insured else "staff"]
    return insured == ("staff" not in said.record) and column == said.value and _count(said, match)


def _makes(said: Said, _: re.Match[str]) -> bool:
    return said.value == 1.0


def _event(said: Said, match: re.Match[str]) -> bool:
    names = {
        word.lower()
        for event in said.city.events
        for word in (event.name.zh, event.name.en, *event.aliases)
    }
    named = match["value"]
    return said.value == 1.0 and named.lower() in names and named in str(said.record["event"])


def _referral(said: Said, match: re.Match[str]) -> bool:
    names = {
        word.lower() for anchor in said.city.anchors for word in (anchor.name, *anchor.aliases)
    }
    named = match["value"]
    return said.value == 1.0 and named.lower() in names and named in str(said.record["referred_by"])


_GAP_ZH = r"(?P<does>[^：]+)：(?P<segment>.+)（(?P<words>.*?)），(?P<supply>本地\S+)"
_GAP_EN = r"(?P<does>[^:]+): (?P<segment>.+) \((?P<words>.*?)\), (?P<supply>[a-z ]+)"

CLAIMS: dict[str, tuple[tuple[str, Claim], ...]] = {
    "chain": (
        (r"(?:对应产业链：|chain: )(?P<value>.+)", _chain),
        (r"业务未实质涉及本市产业链|its business hardly relates to the city's chains", _no_chain),
    ),
    "industry_kind": ((r"(?:行业类别：|industry: )(?P<value>.+)", _level),),
    "manufacturing": (
        (r"从事生产制造|manufactures, by its industry or its own description", _makes),
        (r"行业和业务文字均未显示自己生产", _zero),
        (r"neither its industry nor its own description shows production", _zero),
    ),
    "position": (
        (r"(?P<segment>.+)居产业链(?P<value>.+)", _position),
        (r"(?P<segment>.+) is (?P<value>\w+) in its chain", _position),
    ),
    "role": (
        (r"角色：(?P<value>[^（]+)（(?P<segment>.+)）", _role),
        (r"role: (?P<value>\w+) \((?P<segment>.+)\)", _role),
    ),
    "anchor_buyers": (
        (r"(?P<segment>.+)的本地下游龙头仅?(?P<value>\d+)家：(?P<names>.+)", _buyers),
        (r"local anchors downstream of (?P<segment>.+): only (?P<value>\d+) \((?P<names>.+)\)",
         _buyers),
        (r"local anchors downstream of (?P<segment>.+) \((?P<value>\d+)\): (?P<names>.+)", _buyers),
        (r"(?P<segment>.+)的下游没有本地龙头", _no_buyers),
        (r"no local anchor firm downstream of (?P<segment>.+)", _no_buyers),
    ),
    "anchor_suppliers": (
        (r"(?P<segment>.+)的本地上游龙头仅?(?P<value>\d+)家：(?P<names>.+)", _suppliers),
        (r"local anchors upstream of (?P<segment>.+): only (?P<value>\d+) \((?P<names>.+)\)",
         _suppliers),
        (r"local anchors upstream of (?P<segment>.+) \((?P<value>\d+)\): (?P<names>.+)",
         _suppliers),
        (r"(?P<segment>.+)的上游没有本地龙头", _no_suppliers),
        (r"no local anchor firm upstream of (?P<segment>.+)", _no_suppliers),
    ),
    "steps_to_strength": (
        (r"(?P<segment>.+)在链上距本市优势环节(?P<value>\d+)步", _far),
        (r"steps from (?P<segment>.+) to a local strength: (?P<value>\d+)", _far),
        (r"(?P<segment>.+)本身就是本市优势环节", _strength_itself),
        (r"(?P<segment>.+) is itself a local strength", _strength_itself),
        (r"(?P<segment>.+)与本市优势环节不相连", _not_linked),
        (r"(?P<segment>.+) is not linked to a local strength", _not_linked),
        (r"业务未实质对应任何环节", _none_that_counts),
        (r"its business does not really match any segment", _none_that_counts),
    ),
    "gap_filled": (
        (_GAP_ZH, _gap),
        (_GAP_EN, _gap),
        (r"不填补任何缺口|fills no gap", _missing),
    ),
    "match_strength": (
        (r"(?:主业吻合|业务略涉|人工认定从事)(?P<segment>.+)（匹配强度(?P<value>\S+%)）",
         _strongest),
        ((r"(?:its main business matches|its business touches|an officer puts it in) "
          r"(?P<segment>.+) \(match (?P<value>\S+)\)"), _strongest),
        (r"与(?P<segment>.+)的匹配强度仅(?P<value>\S+%)", _strongest_but_weak),
        (r"matches (?P<segment>.+) by only (?P<value>\S+)", _strongest_but_weak),
        (r"业务文字未对应任何环节|its business text matches no segment", _unmatched),
    ),
    "neighbour_supply": (
        (r"周边城市可配套(?P<segment>.+)（(?P<value>\S+%)）", _neighbours),
        (r"neighbouring cities supply (?P<segment>.+) \((?P<value>\S+%)\)", _neighbours),
        (r"周边城市没有(?P<segment>.+)配套", _no_neighbour),
        (r"no neighbouring city supplies (?P<segment>.+)", _no_neighbour),
    ),
    "gaps_matched": (
        (r"较好匹配的较大缺口：仅?(?P<value>\d+)个", _count),
        (r"sizeable gaps it matches well: (?:only )?(?P<value>\d+)", _count),
        (r"没有较好匹配的较大缺口|matches no sizeable gap well", _zero),
    ),
    "sought": (
        (r"本市点名引进的环节：(?P<segment>.+)", _sought),
        (r"named by the city as a target: (?P<segment>.+)", _sought),
        (r"不在点名引进之列：(?P<segment>.+)", _sought),
        (r"not named by the city as a target: (?P<segment>.+)", _sought),
    ),
    "registered_capital_cny": ((r"(?:注册资本|registered capital )(?P<value>.+)", _money),),
    "paid_in_share": (
        (r"资本仅?实缴(?P<value>\S+%)", _share),
        (r"(?:only )?(?P<value>\S+%) of its capital is paid in", _share),
        (r"资本尚未实缴|none of its capital is paid in", _zero),
    ),
    "staff": (
        (r"(?P<who>员工|参保人员)约(?P<value>[\d,]+)人", _staff),
        (r"about (?P<value>[\d,]+) (?P<who>staff|insured staff)", _staff),
        (r"(?:员工|参保人员)0人|0 (?:insured )?staff", _zero),
    ),
    "revenue_cny": ((r"(?:营业收入|revenue )(?P<value>.+)", _money),),
    "age_years": (
        (r"成立(?P<value>[\d.]+)年", _years),
        (r"founded (?P<value>[\d.]+) years ago", _years),
    ),
    "title": ((r"(?:资质：|title: )(?P<value>.+)", _level),),
    "listing": ((r"(?:上市情况：|listing: )(?P<value>.+)", _level),),
    "patents": (
        (r"(?:拥有专利|专利仅)(?P<value>[\d,]+)件", _count),
        (r"holds (?:only )?(?P<value>[\d,]+) patents", _count),
        (r"没有专利|holds no patents", _zero),
    ),
    "rd_share": (
        (r"研发投入占比仅?(?P<value>\S+%)", _share),
        (r"spends (?:only )?(?P<value>\S+%) of revenue on R&D", _share),
    ),
    "revenue_growth": (
        (r"(?:营业收入同比变动|revenue change over a year: )(?P<value>\S+%)", _share),
    ),
    "funding": ((r"(?:融资轮次：|funding: )(?P<value>.+)", _level),),
    "branches": (
        (r"(?:分支机构仅?|branches: (?:only )?)(?P<value>[\d,]+)家?", _count),
        (r"没有分支机构|has no branches", _zero),
    ),
    "intended_investment_cny": (
        (r"意向投资(?P<value>.+)", _money),
        (r"intends to invest (?P<value>.+)", _money),
    ),
    "target_region": (
        (r"(?:来自招商目标区域：|comes from a target region: )(?P<value>.+)", _region),
        (r"不在招商目标区域|not from a target region", _no_region),
    ),
    "same_province": (
        (r"本省企业|外省企业|from the same province|from another province", _province),
    ),
    "neighbour_city": (
        (r"(?:来自|不在)协作的周边城市|(?:not )?from a partner city nearby", _partner),
    ),
    "distance_km": (
        (r"所在省距本省约(?P<value>[\d,]+)公里", _count),
        (r"its province is about (?P<value>[\d,]+) km away", _count),
        (r"就在本省|from the same province", _zero),
    ),
    "other_places": (
        (r"自述已在(?P<value>\d+)个其他省份设点", _count),
        (r"says that it has places in other provinces: (?P<value>\d+)", _count),
        (r"未提到在其他省份设点|names no place in another province", _zero),
    ),
    "event": (
        (r"(?:在本市活动中接触过：|met at a city event: )(?P<value>.+)", _event),
        (r"接触场合不是本市的对接活动|not met at a city event", _zero),
    ),
    "referral": (
        (r"(?:由本地龙头推荐：|referred by a local anchor: )(?P<value>.+)", _referral),
        (r"推荐方不是本地龙头|not referred by a local anchor", _zero),
    ),
    "operating": ((r"(?:登记状态：|registration: )(?P<value>.+)", _level),),
    "risk_flags": (
        (r"有(?P<value>\d+)类风险提示", _count),
        (r"kinds of risk noted: (?P<value>\d+)", _count),
        (r"未见风险提示|no risk noted", _zero),
    ),
    "profit_margin": ((r"(?:净利率|net margin )(?P<value>\S+%)", _share),),
    "completeness": (
        (r"关键资料仅?填写(?P<value>\S+%)", _share),
        (r"(?:only )?(?P<value>\S+%) of the key columns are filled", _share),
    ),
}  # fmt: skip
"""What each sentence claims, by feature: a pattern of the whole sentence, and how it is checked."""

_COMPILED = {
    feature: [(re.compile(pattern), claim) for pattern, claim in claims]
    for feature, claims in CLAIMS.items()
}


def _called_wrong(said: Said, match: re.Match[str]) -> bool:
    meaning = CATALOGUE[said.feature].meaning.pick(said.lang)
    unfounded = str(said.record["unfounded"]).split(";")
    return said.value is None and said.feature in unfounded and match["meaning"] == meaning


def _no_segment_by_hand(said: Said, _: re.Match[str]) -> bool:
    return said.record.get("segments") == "" and said.segment is None and not said.strengths


_BY_HAND = (
    (re.compile(r"人工认为此项不成立，按未知计：(?P<meaning>.+)"), _called_wrong),
    (re.compile(r"called wrong by an officer, so it counts as unknown: (?P<meaning>.+)"),
     _called_wrong),
    (re.compile(r"人工认定不在本市产业链上"), _no_segment_by_hand),
    (re.compile(r"an officer says that it is in none of the city's chains"), _no_segment_by_hand),
)  # fmt: skip
"""What officers have a say in, of whatever feature."""


def is_true(said: Said) -> bool:
    """Tell whether a sentence says what the values beside it say."""
    unfounded = said.feature in str(said.record.get("unfounded") or "").split(";")
    if said.text == CATALOGUE[said.feature].unknown.pick(said.lang):
        return said.value is None and not unfounded
    for pattern, claim in (*_BY_HAND, *_COMPILED[said.feature]):
        if match := pattern.fullmatch(said.text):
            return claim(said, match)
    return False


def sentences(scores: Sequence[FirmScore], wording: Wording, city: City) -> Iterator[Said]:
    """Yield every reason of every firm, in both languages."""
    for score in scores:
        strengths = {match.segment: match.strength for match in score.matches}
        best = score.best
        for lang in LANGUAGES:
            for reason in score.reasons(wording, lang):
                yield Said(
                    reason.feature, reason.value, reason.points, reason.text, lang,
                    best and best.segment, best and best.role, best and best.words, strengths,
                    dict(score.firm), city,
                )  # fmt: skip


def false_sentences(
    scores: Sequence[FirmScore], wording: Wording, city: City
) -> tuple[Counter[str], list[Said]]:
    """Return how many sentences of each feature were read, and those that are false."""
    read: Counter[str] = Counter()
    false = []
    for said in sentences(scores, wording, city):
        read[said.feature] += 1
        if not is_true(said):
            false.append(said)
    return read, false


def expert_scorer(city: City, folder: Path) -> Scorer:
    """Return the scorer of a city without outcomes, its models kept in a folder."""
    registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
    return champion_scorer(city, registry, now=datetime.now(UTC))


def main(paths: Sequence[str]) -> None:
    """Print what was read of some lists, and what was false."""
    city = load_city(shipped("cities/nanchang.toml"))
    today = date.today()
    with TemporaryDirectory() as folder:
        scorer = expert_scorer(city, Path(folder))
        for path in paths:
            firms = records_of(load_list(Path(path), today=today).firms)
            scores = scorer.score(firms, as_of=today)
            read, false = false_sentences(scores, scorer.wording, city)
            print(f"{path}: {len(scores)} firms, {read.total()} sentences, {len(false)} false")
            wrong = Counter(said.feature for said in false)
            for feature, count in read.items():
                print(f"  {feature}: {count} read, {wrong[feature]} false")
            for said in false[:20]:
                print("   ", said.feature, said.value, said.text, said.segment, said.strengths)


if __name__ == "__main__":
    main(sys.argv[1:])
