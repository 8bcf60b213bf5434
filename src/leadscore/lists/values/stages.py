"""Stages of a pursuit and registration statuses, as notes say them, deny them or only mean them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from leadscore.lists.values.elsewhere import Here, is_other_place, place_of_stage, went_elsewhere
from leadscore.lists.values.words import (
    INVISIBLE,
    STAGES,
    STATUSES,
    VOCABULARY,
    visible_text,
    without_personal,
    word_pattern,
)

ANYWHERE: Here = frozenset()
"""The city is not known: every place that is named may be another."""


Kind = Literal["reached", "not_reached", "milestone", "doubtful", "unknown"]


class StageSaid(NamedTuple):
    """What a cell says of how far a pursuit has come.

    ``stage`` is the one reached, ``reason`` why the pursuit was lost or paused. ``kind`` tells what
    is known where no stage is: ``not_reached`` of a stage that is meant, denied, asked for or a
    condition (拟签约, 未签约), ``milestone`` of what stands beside the stages (拿地), ``doubtful``
    of a cell that speaks for a stage and against it, or of a place that may not be here, and
    ``unknown`` of a cell without a word that is known.
    """

    stage: str | None
    reason: str | None
    kind: Kind


def stage_of(word: str, here: Here = ANYWHERE) -> tuple[str | None, str | None]:
    """Return the id of the stage that a cell names, and the reason given behind it.

    >>> stage_of("流失（地价）"), stage_of("2024年3月签约，预计年底开工")
    (('lost', '地价'), ('signed', None))
    """
    return stage_said(word, here)[:2]


def stage_said(word: str, here: Here = ANYWHERE) -> StageSaid:
    """Read a cell about the stage of a pursuit.

    In a note such as 2024年3月签约 the words for stages are looked for, and the most advanced that
    was reached counts; after a loss, only what reopens the pursuit does. Signed or settled at a
    place that is not ``here`` is a loss; at one of which that is not known, it is doubtful.

    >>> [stage_said(word).kind for word in ("签约", "拟签约", "拿地", "签约苏州", "晴")]
    ['reached', 'not_reached', 'milestone', 'doubtful', 'unknown']
    >>> stage_said("签约苏州", frozenset({"南昌", "3601"}))
    StageSaid(stage='lost', reason='签约苏州', kind='reached')
    >>> stage_said("流失后重新对接").stage
    'contacted'
    """
    return _stage_said(word[:1_000], here)


def names_stages(cells: Iterable[str]) -> bool:
    """Tell whether most cells of a column speak of stages, and none or fewer of a status."""
    counts = Counter(cells)
    kinds = {word: stage_said(word).kind for word in counts}
    stages = sum(count for word, count in counts.items() if kinds[word] != "unknown")
    if 2 * stages <= counts.total():
        return False
    return stages > sum(count for word, count in counts.items() if status_of(word))


_TRADITIONAL = str.maketrans(
    VOCABULARY["traditional"]["from"] + "’‘‐‑–−_", VOCABULARY["traditional"]["to"] + "''---- "
)
_HIDDEN = re.compile(INVISIBLE)
_SPACES = re.compile(r"(?<![a-z0-9,.?!)])\s+|\s+(?![a-z0-9(])|(?<=\s)\s+", re.ASCII)
_HYPHEN = re.compile(r"(?<=[a-z]) ?[-/] ?(?=[a-z])|(?<=[a-z])'(?!t\b)", re.ASCII)
_KEY = re.compile(r"[\s\-/.·&]+")

_STATUS_WORDS = [(word_pattern(row["pattern"]), row["id"]) for row in VOCABULARY["statuses"]]
_STATUS_DENIED = word_pattern(VOCABULARY["status_denied"])
_STATUS_DOUBT = word_pattern(VOCABULARY["status_doubt"])
_LONGEST_STATUS = 40


def _spoken(text: str) -> str:
    # As words are compared: NFKC, lower case, simplified, white space between Latin words alone.
    text = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).lower().translate(_TRADITIONAL)
    return _SPACES.sub("", text.strip().replace("\r", "\n").replace("\n", ";"))


@lru_cache(maxsize=4096)  # lists repeat few statuses
def status_of(word: str) -> str | None:
    """Return the id of the registration status that a word names; missing if none is known.

    What a status denies counts for nothing (未注销), and one that is itself denied, meant or asked
    for (未开业, not active, 拟迁出) is not read.

    >>> status_of("吊销，未注销"), status_of("正常（未注销）"), status_of("未开业"), status_of("晴")
    ('revoked', 'active', None, None)
    """
    text = _HYPHEN.sub(" ", _spoken(word))
    key = _KEY.sub("_", text)
    if key in STATUSES or len(text) > _LONGEST_STATUS:
        return key if key in STATUSES else None
    said = _STATUS_DENIED.sub("", text)
    if _STATUS_DOUBT.search(said):
        return None
    return next((status for pattern, status in _STATUS_WORDS if pattern.search(said)), None)


_BEFORE_SIGNING = ("lead", "screened", "contacted", "visited", "negotiating")
_TALKED = ("negotiating", "framework", "signed", "registered", "building", "producing")
_WINS = ("framework", "signed", "registered", "building", "producing")
_ENDS = ("paused", "lost")
_UNREACHED = ("meant", "denied")
_JOINING = frozenset({"", "和", "及", "并", "或", "与", "以及", "并且"})

_STAGES_BY_WORD = {stage: stage for stage in STAGES} | {
    _KEY.sub("", word): stage
    for stage, row in VOCABULARY["stages"].items()
    for word in row["words"]
}
_FRAMED = re.compile(r"(.+?)(?:阶段|中|期|完成)?(?:[-—:,;(](.*?)\)?)?")
_PLAIN = re.compile(r"(.+?)(?P<suffix>阶段|中|期|完成)")

_SAYINGS = {name: word_pattern(source) for name, source in VOCABULARY["clauses"].items()}


def _token_pattern() -> re.Pattern[str]:
    # The order decides where words overlap: 未履约 is a loss before 未 denies anything, 意向协议 a
    # framework before 意向 is a lead.
    order = (
        "aside", "asked", "milestone", "lost", "paused", "framework", "reopened", "history",
        *reversed(_WINS[1:]), "infinitive", *_BEFORE_SIGNING, "cancelled", "following", "done",
        "denied", "meant", "under_way",
    )  # fmt: skip
    sources: dict[str, str | list[str]] = {
        **{stage: row["said"] for stage, row in VOCABULARY["stages"].items()},
        **VOCABULARY["clauses"],
    }
    parts = [f"(?P<{name}>{word_pattern(sources[name]).pattern})" for name in order]
    return re.compile("|".join(parts), re.ASCII)


_TOKEN = _token_pattern()
_SPLIT = re.compile(
    rf"(?P<hard>[;。!|]|\.(?=\s|$))|[,、/()+→>\[\]【】《》“”\"—…:~](?!(?<=\d.)\d)|-(?!(?<=\d.)\d)"
    rf"|{_SAYINGS['split'].pattern}",
    re.ASCII,
)
_DATES = re.compile(r"[\s\d.,\-/年月日号上中下旬初底末春夏秋冬季度q于在约]*")
_DATED = re.compile(r"\d{4}(?:年|[-./]\d)|\d{1,2}月")
_FILLER = re.compile(
    r"[\s\d年月日号于在与和同我本市该区县对方双方企业公司项目其,.\-/]|完成|正式|成功|顺利"
)
_HARMLESS = re.compile("付|缴|到资|到位|供地|拿地|交地|摘牌|纳统|入规|支付|办证|拨|开票")
_FINISHING = re.compile("完成|办")
_OF_A_LOSS = re.compile(rf"{_FILLER.pattern}|会|有|被|再|想|要|出现|发生|真正|最终|因此|合作")
_IN_BRACKETS = re.compile(r"\((?:[\d年月日号.\-/~]+|正式|初步|目前)\)")
_RUNNING = re.compile("(?!.{0,3}中国).{0,6}中$")  # 签约中 is not yet signed, 在建中 is being built
_PUT_OFF = re.compile("推迟|延期|延后|延迟|顺延|受阻|遇阻|delayed|postponed")
_NO_LONGER = re.compile("原|曾|本来|一度|once|formerly|originally|had been")
_RISK = re.compile("风险|可能|预警|概率|边缘|迹象")


class _Token(NamedTuple):
    kind: str  # a stage, or what a clause says of stages
    start: int
    end: int


@dataclass(slots=True)
class _Mention:
    # ``says``: reached, meant, denied, failed (a loss), doubtful, was (history), or aside.
    stage: str
    says: str
    reopened: bool = False
    history: bool = False
    done: bool = False


@lru_cache(maxsize=4096)  # lists repeat few stages
def _stage_said(word: str, here: Here) -> StageSaid:
    text = _spoken(word)
    key = _KEY.sub("", text)
    plain = _STAGES_BY_WORD.get(key)
    if plain is None and (framed := _PLAIN.fullmatch(key)):
        plain = _STAGES_BY_WORD.get(framed[1])
        if framed["suffix"] in "中期" and plain in ("framework", "signed", "registered"):
            plain = None
    if plain:
        return StageSaid(plain, None, "reached")
    text = _HYPHEN.sub(" ", _IN_BRACKETS.sub("", text))
    mentions, milestone = _mentions(text, here)
    framed = _FRAMED.fullmatch(unicodedata.normalize("NFKC", visible_text(word)[0]))
    own = _STAGES_BY_WORD.get(_KEY.sub("", _spoken(framed[1]))) if framed else None
    if own in (*_BEFORE_SIGNING, "paused") and own not in {it.stage for it in mentions}:
        mentions.insert(0, _Mention(own, "reached"))
    standing = _Standing()
    for mention in mentions:
        standing.add(mention)
    said = standing.said()
    if said is None:
        nothing: Kind = "not_reached" if mentions else "milestone" if milestone else "unknown"
        return StageSaid(None, None, nothing)
    if said.stage not in _ENDS or framed is None:
        return said
    reason = framed[2] if own == said.stage else framed[0] if said.stage == "lost" else None
    return said._replace(reason=without_personal(reason) if reason else None)


@dataclass(slots=True)
class _Standing:
    # What all mentions together say, in their order: the later ones count where they contradict.
    reached: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    ended: str | None = None
    doubt: bool = False
    aside: bool = False

    def add(self, it: _Mention) -> None:
        if it.says == "failed" or (it.stage == "lost" and it.says == "reached"):
            self.ended, self.doubt = "lost", False
        elif it.says == "doubtful" or (it.says == "was" and it.stage in _WINS):
            self.doubt = self.doubt or it.says == "doubtful" or self.ended != "lost"
        elif it.says == "denied":
            self.doubt = self.doubt or self._contradicts(it, self.reached)
            self.denied |= set() if it.history else {it.stage}
        elif it.says == "reached":
            self._reach(it)
        self.aside = self.aside or it.says == "aside"

    def _reach(self, it: _Mention) -> None:
        if it.stage == "paused":
            self.ended = self.ended or "paused"
        elif self.ended and it.reopened:
            self.ended, self.doubt, self.reached = None, False, {it.stage}
        elif self.ended == "lost":
            self.doubt = self.doubt or (it.stage in _WINS and not it.history)
        elif not it.done and self._contradicts(it, self.denied):
            self.doubt = True
        else:
            self.reached.add(it.stage)

    def _contradicts(self, it: _Mention, stages: set[str]) -> bool:
        return it.stage in _WINS and it.stage in stages and not it.history

    def said(self) -> StageSaid | None:
        if self.doubt or (self.aside and not self.reached and self.ended != "lost"):
            return StageSaid(None, None, "doubtful")
        if self.ended:
            return StageSaid(self.ended, None, "reached")
        furthest = [stage for stage in STAGES if stage in self.reached][-1:]
        return StageSaid(furthest[0], None, "reached") if furthest else None


def _mentions(text: str, here: Here) -> tuple[list[_Mention], bool]:
    mentions: list[_Mention] = []
    milestone = False
    before, at = _Carried(), 0
    for end in (*_SPLIT.finditer(text), None):
        clause = text[at : end.start() if end else len(text)].strip()
        if clause:
            tokens = _tokens_of(clause)
            milestone |= any(token.kind == "milestone" for token in tokens)
            if any(token.kind in _STAGE_KINDS for token in tokens):
                mentions += _Clause(clause, tokens, before, here).mentions()
            else:
                _looks_back(clause, tokens, mentions, before, here)
        if end is None:
            break
        at = end.end()
        if end["hard"]:
            before = _Carried()
    return mentions, milestone


@dataclass(slots=True)
class _Carried:
    # What goes on behind a comma: 预计5月签约，6月开工; and what a clause ended with: 拟：签约.
    unreached: str | None = None
    left: tuple[str, ...] = ()


_STAGE_KINDS = frozenset({*STAGES, "infinitive"})


def _tokens_of(clause: str) -> list[_Token]:
    found = [
        _Token(match.lastgroup or "", match.start(), match.end())
        for match in _TOKEN.finditer(clause)
    ]
    tokens = [token for token in found if token.kind != "aside"]
    # 签订框架协议 and 框架协议已签署 speak of one agreement each.
    merged: list[_Token] = []
    for token in tokens:
        last = next((it for it in reversed(merged) if it.kind in _STAGE_KINDS), None)
        if last and _one_agreement(last, token, merged):
            merged.remove(last)
            token = _Token("framework", last.start, token.end)
        merged.append(token)
    return merged


def _one_agreement(last: _Token, token: _Token, before: list[_Token]) -> bool:
    both = {last.kind, token.kind} == {"signed", "framework"} and token.start - last.end <= 8
    return both and not any(it.kind == "following" and it.start >= last.end for it in before)


def _looks_back(
    clause: str, tokens: list[_Token], mentions: list[_Mention], carried: _Carried, here: Here
) -> None:
    # A clause without a stage may say something of the one before it: 签约（未成功）, 签约：否.
    kinds = {token.kind for token in tokens}
    last = next((it for it in reversed(mentions) if it.stage in _WINS), None)
    standing = last if last and last.says == "reached" else None
    if "cancelled" in kinds:
        says = _called_off(_without(clause, tokens), kinds)
        if says == "failed" or standing:
            mentions.append(_Mention("lost" if says != "doubtful" else "signed", says))
    elif standing and kinds & {"denied", "meant", "asked"}:
        standing.says = _taken_back(clause, tokens) or standing.says
    elif away := went_elsewhere(clause, here):
        if not kinds & {"denied", "meant", "asked"}:
            mentions.append(_Mention("lost", away))
    elif is_other_place(clause, here):
        if standing:
            standing.says = "doubtful"
        elif last is None:
            carried.left = (*carried.left, "elsewhere")
        return
    if last is None and tokens and tokens[-1].end == len(clause):
        carried.left = (*carried.left, tokens[-1].kind)


def _called_off(rest: str, kinds: set[str]) -> str:
    # What a cancellation says, by what stands beside it: 项目取消 is a loss, 取消优惠 unclear.
    if "denied" in kinds or _SAYINGS["pursued"].sub("", rest).strip(" 的了:-"):
        return "doubtful"
    return "meant" if kinds & {"meant", "asked"} else "failed"


def _taken_back(clause: str, tokens: list[_Token]) -> str | None:
    # What a clause makes of the stage before it; 手续未办 and 拟5月供地 are other matters.
    denied = next((token for token in tokens if token.kind == "denied"), None)
    if denied is None:
        return "meant" if _DATES.fullmatch(_without(clause, tokens)) else None
    subject = _SAYINGS["pursued"].sub("", clause[: denied.start]).strip()
    if subject or not _SAYINGS["back"].match(clause, denied.end):
        return None
    return "doubtful" if any(token.kind == "done" for token in tokens) else "denied"


def _without(clause: str, tokens: Sequence[_Token]) -> str:
    letters = list(clause)
    for token in tokens:
        letters[token.start : token.end] = [""] * (token.end - token.start)
    return "".join(letters).strip()


class _Around(NamedTuple):
    # A stage of a clause, what is said of it before and behind, and the stage before it.
    token: _Token
    marks: list[_Token]
    kinds: set[str]  # of the marks, and of what the clause before ended with
    behind: list[_Token]
    previous: _Mention | None
    gap: str  # what stands between the two stages

    @property
    def done(self) -> bool:
        return "done" in self.kinds


class _Clause:
    # Reads the stages of one clause: what stands before each, and behind it up to the next.
    def __init__(self, text: str, tokens: list[_Token], carried: _Carried, here: Here) -> None:
        self.text, self.tokens, self.carried, self.here = text, tokens, carried, here
        self.at = [n for n, token in enumerate(tokens) if token.kind in _STAGE_KINDS]
        self.losing = any(token.kind == "lost" for token in tokens)

    def mentions(self) -> Iterator[_Mention]:
        left, self.carried.left = self.carried.left, ()
        previous: _Mention | None = None
        end = 0
        reopened = False
        for nth, at in enumerate(self.at):
            token = self.tokens[at]
            marks, behind = self._marks(nth)
            around = _Around(
                token, marks, {it.kind for it in marks} | {*left}, behind, previous,
                self.text[end : token.start],
            )  # fmt: skip
            reopened |= "reopened" in around.kinds
            again = (
                bool(_DATED.search(self.text[: token.start])) if previous is None
                else previous.stage == "lost" and "following" in around.kinds
            )  # fmt: skip
            mention = _Mention(
                "signed" if token.kind == "infinitive" else token.kind, self._says(around),
                reopened or again, "history" in around.kinds, around.done,
            )  # fmt: skip
            yield mention
            previous, end, left = mention, token.end, ()
            if mention.stage in _WINS and mention.says in _UNREACHED:
                self.carried.unreached = mention.says
            elif mention.stage in _WINS and mention.done:
                self.carried.unreached = None

    def _marks(self, nth: int) -> tuple[list[_Token], list[_Token]]:
        at, last = self.at[nth], nth + 1 == len(self.at)
        start = self.at[nth - 1] + 1 if nth else 0
        stop = len(self.tokens) if last else self.at[nth + 1]
        marks = [it for it in self.tokens[start:at] if not (nth and self._backward(it, at))]
        behind = [it for it in self.tokens[at + 1 : stop] if last or self._backward(it, stop)]
        return self._since_done(marks), behind

    def _backward(self, token: _Token, following: int) -> bool:
        # Whether a word between two stages is said of the one before it.
        if token.kind == "denied" and token.end != self.tokens[following].start:
            back = _SAYINGS["back"].match(self.text, token.end)
            return bool(back and back[0])
        ends = (self.tokens[n].end for n in self.at if self.tokens[n].end <= token.start)
        return token.kind == "cancelled" and token.start - max(ends, default=-9) <= 2

    def _since_done(self, marks: list[_Token]) -> list[_Token]:
        # 已 ends what was said before it of something else: 拟投资5亿元已签约, 未开工已签约.
        done = next((n for n in range(len(marks) - 1, -1, -1) if marks[n].kind == "done"), None)
        if done is None:
            return marks
        return [
            mark for n, mark in enumerate(marks)
            if n >= done or mark.kind in ("asked", "history", "reopened", "following")
            or len(_FILLER.sub("", self.text[mark.end : marks[done].start])) < 2
        ]  # fmt: skip

    def _says(self, around: _Around) -> str:
        if around.token.kind in _ENDS:
            return self._ending(around)
        won = around.token.kind in (*_WINS, "infinitive")
        return (
            self._disputed(around)
            or self._behind_an_end(around)
            or self._not_reached(around)
            or (self._won(around) if won else self._early(around))
        )

    def _ending(self, around: _Around) -> str:
        token = around.token
        others = any(self.tokens[n].kind not in _ENDS for n in self.at)
        denied = [it for it in around.marks if it.kind in ("denied", "cancelled")]
        near = [it for it in denied if not _OF_A_LOSS.sub("", self.text[it.end : token.start])]
        if near:
            return "doubtful" if others or len(near) > 1 else "denied"
        asked = "asked" in {it.kind for it in around.behind}
        if asked or around.kinds & {"asked", "meant"} or _RISK.match(self.text, token.end):
            return "meant"
        return "was" if "history" in around.kinds and token.kind == "lost" else "reached"

    def _disputed(self, around: _Around) -> str | None:
        behind = {it.kind for it in around.behind}
        if "asked" in around.kinds | behind:
            return "meant"
        denials = sum(it.kind in ("denied", "cancelled") for it in around.marks)
        twice = denials > 1 or (denials and behind & {"denied", "cancelled"})
        return "doubtful" if twice else None

    def _behind_an_end(self, around: _Around) -> str | None:
        # 放弃签约, 暂停签约: what was not to be; 流失后重新对接 is another matter.
        before = around.previous
        if before is None or before.says != "reached" or around.kinds & {"reopened", "following"}:
            return None
        if before.stage == "lost":
            return "meant"
        return "denied" if before.stage == "paused" and len(around.gap) < 3 else None

    def _not_reached(self, around: _Around) -> str | None:
        token, kinds = around.token, around.kinds
        against = kinds & {"denied", "cancelled"}
        if self.losing and against:
            return "doubtful" if token.kind in _WINS else "denied"
        if "cancelled" in kinds:
            return "failed" if token.kind in _TALKED and not self._occasion(token) else "denied"
        if "denied" in kinds:  # who has no intention is lost
            lead = token.kind == "lead" and self.text[token.start : token.end] == "意向"
            return "failed" if lead else "denied"
        return "meant" if "meant" in kinds else None

    def _early(self, around: _Around) -> str:
        token, before = around.token, around.previous
        if before and before.stage in _BEFORE_SIGNING and around.gap in _JOINING:
            return before.says
        for mark in around.behind:
            if mark.kind == "following":  # 走访后无下文: it was visited
                break
            if mark.kind == "denied":
                return "denied" if _SAYINGS["back"].match(self.text, mark.end) else "doubtful"
            if mark.kind == "cancelled":
                return "failed" if token.kind in _TALKED else "denied"
        return "reached"

    def _won(self, around: _Around) -> str:
        token = around.token
        rising = token.kind in ("framework", "signed", "registered")
        finished = bool(_SAYINGS["finished"].match(self.text, token.end))
        if "elsewhere" in around.kinds:
            return "doubtful"
        if token.kind == "infinitive" or (rising and "under_way" in around.kinds and not finished):
            return "meant"
        following = min((it.start for it in self.tokens if it.start >= token.end), default=None)
        return (
            self._said_behind(around, finished)
            or self._carried_over(around)
            or self._spoken_of(around, rising, finished)
            or place_of_stage(self.text, token.kind, (token.start, token.end), following, self.here)
            or ("was" if self._past(around) else "reached")
        )

    def _said_behind(self, around: _Around, finished: bool) -> str | None:
        for mark in around.behind:
            if mark.kind == "cancelled":
                denied = any(it.kind == "denied" for it in around.behind)
                occasion = self._occasion(around.token)
                return "doubtful" if denied else "denied" if occasion else "failed"
            if mark.kind == "denied" and _SAYINGS["back"].match(self.text, mark.end):
                return "denied"
            if mark.kind == "denied" and not _HARMLESS.match(self.text, mark.end):
                return "doubtful"
            put_off = not around.done or _PUT_OFF.match(self.text, mark.start)
            if mark.kind == "meant" and not finished and put_off:
                return "meant"
        return None

    def _carried_over(self, around: _Around) -> str | None:
        # 拟签约落户, 洽谈签约, and behind a comma 预计5月签约，6月开工.
        before = around.previous
        if around.done:
            return None
        if before and before.stage in _BEFORE_SIGNING and not around.gap:
            return "meant"
        if before and before.stage in _WINS and before.says in _UNREACHED:
            return before.says
        return "doubtful" if self.carried.unreached == "denied" else self.carried.unreached

    def _spoken_of(self, around: _Around, rising: bool, finished: bool) -> str | None:
        token = around.token
        completed = finished or any(
            it.kind == "done" and _FINISHING.search(self.text, it.end, token.start)
            for it in around.marks
        )
        if not completed:
            running = rising and _RUNNING.match(self.text, token.end)
            lower = next((it.kind for it in self.tokens if it.start == token.end), None)
            talked = lower in _BEFORE_SIGNING and not around.done
            if running or talked or _SAYINGS["spoken_of"].match(self.text, token.end):
                return "meant"
        lost_later = any(it.kind == "lost" and it.start >= token.end for it in self.tokens)
        return "meant" if lost_later else None

    def _past(self, around: _Around) -> bool:
        past = [it for it in around.marks if it.kind == "history"]
        return bool(past) and (
            not around.done or any(_NO_LONGER.match(self.text, it.start) for it in past)
        )

    def _occasion(self, token: _Token) -> bool:
        return bool(_SAYINGS["occasion"].search(self.text, token.end))
