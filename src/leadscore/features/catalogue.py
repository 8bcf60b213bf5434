"""The catalogue: every feature once, in the order of the columns of X."""

from __future__ import annotations

from leadscore.features.feature import Direction, Feature, Kind
from leadscore.lists.values.words import STATUSES
from leadscore.text import Text, room_words

WORDS = room_words("features")


FAMILIES: dict[str, Text] = {
    "sector": WORDS["catalogue.families_sector"],
    "position": WORDS["catalogue.families_position"],
    "fit": WORDS["catalogue.families_fit"],
    "scale": WORDS["catalogue.families_scale"],
    "capability": WORDS["catalogue.families_capability"],
    "momentum": WORDS["catalogue.families_momentum"],
    "origin": WORDS["catalogue.families_origin"],
    "risk": WORDS["catalogue.families_risk"],
    "completeness": WORDS["catalogue.families_completeness"],
}

_NO_MATCH = WORDS["catalogue.no_match"]


def _feature(
    key: str,
    kind: Kind,
    direction: Direction,
    meaning: tuple[str, str],
    says: tuple[str, str],
    unknown: tuple[str, str],
    missing: Text = WORDS["catalogue.not_in_list"],
    levels: dict[str, tuple[str, str]] | None = None,
    *,
    nothing: tuple[str, str] | None = None,
    lowers: tuple[str, str] | None = None,
) -> Feature:
    family, _, name = key.partition("/")
    named = {level: Text(zh=zh, en=en) for level, (zh, en) in (levels or {}).items()}
    return Feature(
        name, family, kind, direction, Text(*meaning), missing,
        Text(*says), Text(*(lowers or says)), nothing and Text(*nothing), Text(*unknown), named,
    )  # fmt: skip


_FEATURES = (
    # ---- sector
    _feature(
        "sector/chain", "level", 0,
        ("最契合环节所在的产业链", "the chain of the best-fitting segment"),
        ("对应产业链：{value}", "chain: {value}"),
        ("没有业务文字，产业链未知", "no business text, so its chain is unknown"),
        WORDS["catalogue.no_text"],
        {"none": ("不在本市产业链上", "none of the city's")},
        nothing=("业务未实质涉及本市产业链", "its business hardly touches the city's chains"),
    ),
    _feature(
        "sector/industry_kind", "level", 0,
        ("登记行业的大致类别", "broad kind of the registered industry"),
        ("行业类别：{value}", "industry: {value}"),
        ("行业类别未知", "kind of industry unknown"),
        levels={
            "manufacturing": ("制造业", "manufacturing"),
            "software": ("软件与信息服务", "software and information services"),
            "research": ("研发与技术服务", "research and technical services"),
            "trade": ("批发零售", "wholesale and retail"),
            "construction": ("建筑工程", "construction"),
            "business": ("金融、地产与商务服务", "finance, property and business services"),
            "other": ("其他行业", "outside manufacturing and technology"),
        },
    ),
    _feature(
        "sector/manufacturing", "flag", 0,
        ("行业或业务文字是否显示从事生产", "whether its industry or business text says that it makes things"),
        ("从事生产制造", "makes things, by its industry or its own words"),
        ("是否生产未知", "unknown whether it makes things"),
        nothing=("行业和业务文字均未显示自己生产", "neither its industry nor its own words show production"),
    ),
    # ---- chain position
    _feature(
        "position/position", "level", 0,
        ("最契合环节在链上的位置", "position of the best-fitting segment in its chain"),
        ("{segment}居产业链{value}", "{segment} is {value} in its chain"),
        ("链上位置未知", "position in the chain unknown"),
        _NO_MATCH,
        {
            "upstream": ("上游", "upstream"),
            "midstream": ("中游", "midstream"),
            "downstream": ("下游", "downstream"),
        },
    ),
    _feature(
        "position/role", "level", 0,
        ("企业在该环节的角色", "what the firm does in that segment"),
        ("角色：{value}（{segment}）", "role: {value} ({segment})"),
        ("角色未知", "role unknown"),
        _NO_MATCH,
        {
            "maker": ("制造", "maker"),
            "equipment": ("设备", "equipment"),
            "materials": ("材料", "materials"),
            "design": ("设计", "design"),
            "integration": ("集成", "integration"),
            "trade": ("贸易", "trade"),
            "service": ("服务", "service"),
        },
    ),
    _feature(
        "position/anchor_buyers", "count", 1,
        ("该环节直接供货的下游环节里有多少家本地龙头", "local anchors in the segments that its segment feeds"),
        ("{segment}的本地下游龙头{value}家：{buyers}", "local anchors downstream of {segment} ({value}): {buyers}"),
        ("下游龙头未知", "anchors downstream unknown"),
        _NO_MATCH,
        nothing=("{segment}的下游没有本地龙头", "no local anchor stands downstream of {segment}"),
    ),
    _feature(
        "position/anchor_suppliers", "count", 1,
        ("直接供货给该环节的上游环节里有多少家本地龙头", "local anchors in the segments that feed its segment"),
        ("{segment}的本地上游龙头{value}家：{suppliers}", "local anchors upstream of {segment} ({value}): {suppliers}"),
        ("上游龙头未知", "anchors upstream unknown"),
        _NO_MATCH,
        nothing=("{segment}的上游没有本地龙头", "no local anchor stands upstream of {segment}"),
    ),
    _feature(
        "position/steps_to_strength", "count", -1,
        ("链图上到本市优势环节的步数", "steps in the chain graph to a segment in which the city is strong"),
        ("{segment}在链上距本市优势环节{value}步", "steps from {segment} to what the city is strong in: {value}"),
        ("{segment}与本市优势环节不相连", "{segment} is not linked to what the city is strong in"),
        WORDS["catalogue.features"],
        nothing=("{segment}本身就是本市优势环节", "{segment} is itself what the city is strong in"),
    ),
    # ---- fit
    _feature(
        "fit/gap_filled", "share", 1,
        ("能补上多少缺口：缺口 × 匹配强度 × 角色", "how much of a gap it fills: gap x match x role"),
        ("{filling}：{segment}（{words}），{supply}", "{filling}: {segment} ({words}), {supply}"),
        ("不填补任何缺口", "fills none of the gaps"),
        _NO_MATCH,
        nothing=("补不上缺口：{segment}（{words}），{supply}", "fills no gap: {segment} ({words}), {supply}"),
    ),
    _feature(
        "fit/match_strength", "share", 1,
        ("业务与最相配环节的匹配强度", "how strongly its business matches the segment nearest to it"),
        ("{closeness}{strongest}（匹配强度{value}）", "{closeness} {strongest} (match {value})"),
        ("没有业务文字可供匹配", "no business text to match"),
        WORDS["catalogue.no_text"],
        nothing=("业务文字未对应任何环节", "its business text matches no segment"),
    ),
    _feature(
        "fit/neighbour_supply", "share", 0,
        ("周边城市对该环节的配套", "what neighbour cities deliver in that segment"),
        ("周边城市可配套{segment}（{value}）", "neighbour cities deliver {segment} ({value})"),
        ("周边配套未知", "neighbour supply unknown"),
        _NO_MATCH,
        nothing=("周边城市没有{segment}配套", "no neighbour city delivers {segment}"),
    ),
    _feature(
        "fit/gaps_matched", "count", 1,
        ("较好匹配的较大缺口个数", "number of sizeable gaps that it matches well"),
        ("较好匹配的较大缺口：{value}个", "sizeable gaps that it matches well: {value}"),
        ("缺口个数未知", "number of gaps unknown"),
        WORDS["catalogue.no_text"],
        nothing=("没有较好匹配的较大缺口", "matches no sizeable gap well"),
    ),
    _feature(
        "fit/sought", "flag", 1,
        ("最契合的环节是否为本市点名引进", "whether the city asks for its best-fitting segment by name"),
        ("本市点名引进的环节：{segment}", "the city asks for this segment by name: {segment}"),
        ("是否点名引进未知", "unknown whether it is asked for"),
        _NO_MATCH,
        nothing=("不在点名引进之列：{segment}", "not a segment that the city asks for by name: {segment}"),
    ),
    # ---- scale
    _feature(
        "scale/registered_capital_cny", "cny", 0,
        ("注册资本（人民币元）", "registered capital in yuan"),
        ("注册资本{value}", "registered capital {value}"),
        ("注册资本未知", "registered capital unknown"),
    ),
    _feature(
        "scale/paid_in_share", "share", 1,
        ("实缴资本占注册资本的比例", "paid-in share of the registered capital"),
        ("资本实缴{value}", "{value} of its capital is paid in"),
        ("实缴资本未知", "paid-in capital unknown"),
        nothing=("资本尚未实缴", "none of its capital is paid in"),
        lowers=("资本仅实缴{value}", "only {value} of its capital is paid in"),
    ),
    _feature(
        "scale/staff", "count", 0,
        ("员工人数（区间取代表值，缺则取参保人数）", "staff (a band by its point; insured staff if missing)"),
        ("{staff}约{value}人", "about {value} {staff}"),
        ("员工人数未知", "number of staff unknown"),
        nothing=("{staff}0人", "0 {staff}"),
    ),
    _feature(
        "scale/revenue_cny", "cny", 0,
        ("年营业收入（人民币元）", "yearly revenue in yuan"),
        ("营业收入{value}", "revenue {value}"),
        ("营业收入未知", "revenue unknown"),
    ),
    _feature(
        "scale/age_years", "years", 0,
        ("成立至今年数", "years since it was founded"),
        ("成立{value}年", "founded {value} years ago"),
        ("成立日期未知", "date of founding unknown"),
    ),
    # ---- capability
    _feature(
        "capability/title", "level", 0,
        ("最高的资质称号", "the highest official title that it holds"),
        ("资质：{value}", "title: {value}"),
        ("未见资质称号", "no title known"),
        levels={
            "champion": ("制造业单项冠军", "manufacturing champion"),
            "little_giant": ("专精特新“小巨人”", "little giant"),
            "specialised": ("专精特新", "specialised and innovative"),
            "high_tech": ("高新技术企业", "high-tech enterprise"),
            "none": ("无", "none"),
        },
    ),
    _feature(
        "capability/listing", "level", 0,
        ("上市情况", "whether it is listed"),
        ("上市情况：{value}", "listing: {value}"),
        ("上市情况未知", "listing unknown"),
        levels={
            "listed": ("上市公司", "listed"),
            "otc": ("新三板或区域股权市场", "over-the-counter"),
            "unlisted": ("未上市", "unlisted"),
        },
    ),
    _feature(
        "capability/patents", "count", 1,
        ("专利件数", "number of patents"),
        ("拥有专利{value}件", "holds {value} patents"),
        ("专利数未知", "number of patents unknown"),
        nothing=("没有专利", "holds no patents"),
        lowers=("专利仅{value}件", "holds only {value} patents"),
    ),
    _feature(
        "capability/rd_share", "share", 1,
        ("研发投入占营业收入的比例", "R&D spending as a share of revenue"),
        ("研发投入占比{value}", "spends {value} of revenue on R&D"),
        ("研发投入未知", "R&D spending unknown"),
        lowers=("研发投入占比仅{value}", "spends only {value} of revenue on R&D"),
    ),
    # ---- momentum
    _feature(
        "momentum/revenue_growth", "share", 1,
        ("营业收入同比增长", "yearly growth of revenue"),
        ("营业收入同比变动{value}", "change of revenue in a year: {value}"),
        ("增长情况未知", "growth unknown"),
    ),
    _feature(
        "momentum/funding", "level", 0,
        ("最近的融资轮次", "latest round of funding"),
        ("融资轮次：{value}", "funding: {value}"),
        ("融资情况未知", "funding unknown"),
        levels={
            "seed": ("种子或天使轮", "seed or angel"),
            "early": ("A轮前后", "series A"),
            "growth": ("B轮至C轮", "series B or C"),
            "late": ("D轮及以后", "series D or later"),
            "strategic": ("战略投资", "strategic investment"),
            "public": ("已上市融资", "publicly listed"),
            "none": ("未融资", "none"),
        },
    ),
    _feature(
        "momentum/branches", "count", 1,
        ("分支机构数", "number of branches"),
        ("分支机构{value}家", "branches: {value}"),
        ("分支机构未知", "branches unknown"),
        nothing=("没有分支机构", "has no branches"),
    ),
    _feature(
        "momentum/intended_investment_cny", "cny", 1,
        ("意向投资额（人民币元）", "investment that it has in mind, in yuan"),
        ("意向投资{value}", "has an investment of {value} in mind"),
        ("意向投资未知", "intended investment unknown"),
    ),
    # ---- origin
    _feature(
        "origin/target_region", "flag", 1,
        ("是否来自招商目标区域", "whether it comes from a target region"),
        ("来自招商目标区域：{region}", "comes from a target region: {region}"),
        ("所在地未知", "home unknown"),
        WORDS["catalogue.features_2"],
        nothing=("不在招商目标区域", "not from a target region"),
    ),
    _feature(
        "origin/same_province", "flag", 0,
        ("是否在本省", "whether it is in the same province"),
        ("本省企业", "from the same province"),
        ("所在省份未知", "province unknown"),
        WORDS["catalogue.features_2"],
        nothing=("外省企业", "from another province"),
    ),
    _feature(
        "origin/neighbour_city", "flag", 0,
        ("是否在协作的周边城市", "whether it is in a partner city nearby"),
        ("来自协作的周边城市", "from a partner city nearby"),
        ("所在城市未知", "city unknown"),
        WORDS["catalogue.features_2"],
        nothing=("不在协作的周边城市", "not from a partner city nearby"),
    ),
    _feature(
        "origin/event", "flag", 1,
        ("是否在本市的对接活动中出现", "whether it was met at one of the city's events"),
        ("在本市活动中接触过：{event}", "met at one of the city's events: {event}"),
        ("是否参加过活动未知", "unknown whether it came to an event"),
        nothing=("接触场合不是本市的对接活动", "not met at one of the city's events"),
    ),
    _feature(
        "origin/referral", "flag", 1,
        ("是否由本地龙头推荐", "whether a local anchor referred it"),
        ("由本地龙头推荐：{referrer}", "referred by a local anchor: {referrer}"),
        ("有无推荐未知", "unknown whether it was referred"),
        nothing=("推荐方不是本地龙头", "not referred by a local anchor"),
    ),
    # ---- risk
    _feature(
        "risk/operating", "level", 0,
        ("登记状态", "status in the register"),
        ("登记状态：{value}", "registration: {value}"),
        ("登记状态未知", "registration status unknown"),
        levels={key: (name.zh, name.en) for key, name in STATUSES.items()},
    ),
    _feature(
        "risk/risk_flags", "count", -1,
        ("风险提示的种类数（失信、被执行、经营异常、处罚等）", "kinds of risk noted (default, enforcement, irregular, penalty)"),
        ("有{value}类风险提示", "kinds of risk noted: {value}"),
        ("风险情况未知", "risks unknown"),
        nothing=("未见风险提示", "no risk noted"),
    ),
    _feature(
        "risk/profit_margin", "share", 1,
        ("净利润占营业收入的比例", "net profit as a share of revenue"),
        ("净利率{value}", "net margin {value}"),
        ("盈利情况未知", "profit unknown"),
    ),
    # ---- completeness
    _feature(
        "completeness/completeness", "share", 1,
        ("关键资料的填写比例", "share of the key columns that are filled"),
        ("关键资料填写{value}", "{value} of the key columns are filled"),
        ("资料完整度未知", "completeness unknown"),
        WORDS["catalogue.features_3"],
    ),
)  # fmt: skip

CATALOGUE: dict[str, Feature] = {feature.id: feature for feature in _FEATURES}
"""Feature id to `Feature`, in the order of the columns of X."""

CATEGORIES = tuple(f.id for f in _FEATURES if f.kind == "level")
DIRECTIONS = {f.id: f.direction for f in _FEATURES if f.direction}
