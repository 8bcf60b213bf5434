"""The canonical columns, each once with every header known to mean it, and what a header means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from leadscore.lists.headers import NO_UNIT, Reading, Unit, halves, normal_header, readings
from leadscore.text import Text

Kind = Literal[
    "name", "former", "text", "list", "remark", "identifier", "credit_code", "status", "stage",
    "amount", "share", "count", "staff", "year", "date", "place", "division",
    "currency", "matched", "imported", "flag", "personal", "ignored",
]  # fmt: skip
"""How the cells of a column are read; the last row of kinds never becomes a column of firms."""

_PASSING = frozenset({"currency", "matched", "imported", "flag", "personal", "ignored"})
_NUMBERS = frozenset({"amount", "share", "count", "staff", "year"})


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    Attributes
    ----------
    name
        Canonical name; a unit that the values carry stands at its end.
    kind
        How its cells are read.
    label
        Short name for people.
    meaning
        What it holds, one sentence.
    aliases
        Headers that mean it, beside the name and the labels, in any spelling that
        `headers.normal_header` makes equal.
    """

    name: str
    kind: Kind
    label: Text
    meaning: Text
    aliases: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """True if it becomes a column of firms."""
        return self.kind not in _PASSING

    @property
    def personal(self) -> bool:
        """True if it holds data about people, which is dropped at the door."""
        return self.kind == "personal"

    @property
    def unit(self) -> Literal["CNY", "fraction", "count", "year"] | None:
        """What its numbers count; missing if it holds none."""
        units: dict[Kind, Literal["CNY", "fraction", "count", "year"]] = {
            "amount": "CNY", "share": "fraction", "count": "count", "staff": "count", "year": "year"
        }  # fmt: skip
        return units.get(self.kind)

    @property
    def dtype(self) -> str:
        """The pandas dtype of its values."""
        if self.kind in _NUMBERS:
            return "float64"
        return "datetime64[us]" if self.kind == "date" else "str"


def _c(name: str, kind: Kind, label: str, meaning: str, aliases: str = "") -> Column:
    """Build a column; both languages of a text are parted by ``|``, and so are aliases."""
    (label_zh, label_en), (zh, en) = label.split("|"), meaning.split("|")
    names = tuple(alias for alias in aliases.split("|") if alias)
    return Column(name, kind, Text(zh=label_zh, en=label_en), Text(zh=zh, en=en), names)


_IDENTITY = (  # Who the firm is.
    _c("name", "name", "企业名称|firm",
       "登记的企业全称。|Full name as registered.",
       "公司名称|企业|公司|单位|单位名称|名称|企业全称|公司全称|企业名|公司名|中文名称"
       "|客户名称|主体名称|市场主体名称|经营主体名称|法人单位名称|纳税人名称|企业(公司)名称"
       "|公司(企业)名称|目标企业|company|company name|firm name|enterprise|enterprise name"
       "|com_name|full name|fullname"),
    _c("credit_code", "credit_code", "统一社会信用代码|credit code",
       "18 位统一社会信用代码，校验位正确才采用（GB 32100-2015）。"
       "|The 18-character unified social credit code, used only if its check digit holds (GB"
       " 32100-2015).",
       "社会信用代码|信用代码|统一信用代码|社会统一信用代码|统一社会信用代码/注册号"
       "|统一社会信用代码(纳税人识别号)|usci|uscc|unified social credit code"
       "|unified social credit identifier|social credit code|com_id|credit no"),
    _c("former_names", "former", "曾用名|former names",
       "企业以前的名称，多个以分号隔开。|Names that the firm bore before, parted by semicolons.",
       "企业曾用名|公司曾用名|历史名称|更名前名称|former name|previous name|previous names"
       "|used name"),
    _c("name_en", "text", "英文名|English name",
       "企业的英文名称。|Name in English.",
       "英文名称|企业英文名|企业英文名称|公司英文名称|外文名称|english name"),
    _c("short_name", "text", "简称|short name",
       "企业简称或股票简称。|Short name, or name of the share.",
       "股票简称|证券简称|企业简称|公司简称|stock name|abbreviation"),
    _c("security_code", "identifier", "证券代码|security code",
       "上市证券的代码。|Code of the listed security.",
       "ts_code|股票代码|上市代码|证券编码|stock code|ticker|symbol"),
    _c("exchange", "text", "交易所|exchange",
       "证券上市的交易所。|Where the security is listed.",
       "上市交易所|证券交易所|上市地点|stock exchange"),
    _c("taxpayer_id", "identifier", "纳税人识别号|taxpayer id",
       "纳税人识别号；缺少信用代码而此号校验正确时用它补上。"
       "|Taxpayer number; stands in for a missing credit code if it checks as one.",
       "税号|纳税识别号|纳税人识别码|taxpayer number|tax id"),
    _c("registration_number", "identifier", "注册号|registration number",
       "工商注册号（通常 15 位）。|Number in the business register (mostly 15 digits).",
       "工商注册号|注册登记号|营业执照号|营业执照注册号|reg no|registration no"),
    _c("organisation_code", "identifier", "组织机构代码|organisation code",
       "9 位组织机构代码。|The 9-character organisation code.",
       "组织机构代码证|机构代码|organization code|organisation code|org code"),
    _c("status", "status", "登记状态|registration status",
       "在业、注销、吊销、迁出、停业或清算。"
       "|Active, deregistered, revoked, moved out, suspended or in liquidation.",
       "经营状态|企业状态|状态|登记状况|存续状态|企业登记状态|state|company status"
       "|operating status|business status"),
    _c("enterprise_type", "text", "企业类型|enterprise type",
       "登记的企业（机构）类型。|Legal form as registered.",
       "企业(机构)类型|公司类型|机构类型|市场主体类型|主体类型|类型|企业性质|公司性质"
       "|business_nature|company type|org type|organization type|legal form"),
)  # fmt: skip

_SCALE = (  # How large, how old, how well it does.
    _c("registered_capital_cny", "amount", "注册资本|registered capital",
       "注册资本，折成人民币元。|Registered capital in yuan.",
       "注册资金|注册资本金|认缴资本|认缴注册资本|认缴出资额|registered_capital|reg_capital"
       "|registered fund|capital"),
    _c("paid_in_capital_cny", "amount", "实缴资本|paid-in capital",
       "实缴资本，折成人民币元。|Paid-in capital in yuan.",
       "实收资本|实缴注册资本|实缴资金|实缴出资额|paid_in_capital|paid in capital"
       "|paidin capital|actual capital"),
    _c("intended_investment_cny", "amount", "意向投资额|intended investment",
       "企业打算投资的金额，折成人民币元。|What the firm means to invest, in yuan.",
       "意向投资|意向投资金额|意向投资总额|拟投资额|拟投资金额|拟投资总额|计划投资|计划投资额"
       "|计划总投资|预计投资|预计投资额|投资额|投资金额|投资总额|投资规模|总投资|总投资额|项目总投资"
       "|intended investment|planned investment|investment|investment amount"),
    _c("revenue_cny", "amount", "营业收入|revenue",
       "一年的营业收入，折成人民币元。|Revenue of a year in yuan.",
       "营收|营业总收入|年营业收入|年营收|主营业务收入|主营收入|销售收入|年销售收入|销售额"
       "|年销售额|turnover|sales|annual revenue|operating revenue"),
    _c("net_profit_cny", "amount", "净利润|net profit",
       "一年的净利润，可为负，折成人民币元。|Net profit of a year in yuan, negative for a loss.",
       "净利|年净利润|归母净利润|归属母公司净利润|net income|n_income|profit"),
    _c("total_assets_cny", "amount", "总资产|total assets",
       "年末资产总额，折成人民币元。|Total assets at the end of the year in yuan.",
       "资产总额|资产总计|年末总资产|assets|total_asset"),
    _c("return_on_equity", "share", "净资产收益率|return on equity",
       "净利润与净资产之比，小数。|Net profit over equity, a fraction.",
       "加权净资产收益率|净资产回报率|roe"),
    _c("rd_share", "share", "研发投入占比|R&D share",
       "研发费用占营业收入之比，0 到 1 的小数。"
       "|R&D spending over revenue, a fraction from 0 to 1.",
       "研发占比|研发费用占比|研发投入占营收比|研发投入占营业收入比例|研发费用占营业收入比例"
       "|研发投入比例|研发费用率|研发强度|r&d intensity|r&d ratio|r&d|rd ratio|rd intensity"),
    _c("revenue_growth", "share", "营业收入增长率|revenue growth",
       "营业收入比上年的增长，小数。|Growth of revenue over the year before, a fraction.",
       "营收增长率|营收增速|收入增速|收入增长率|营业收入增速|营业收入同比|营业收入同比增长"
       "|营收同比|营收同比增长|growth|sales growth"),
    _c("financial_year", "year", "财务年度|financial year",
       "以上财务数字所属的年度。|Year of the financial figures.",
       "财务年份|年度|报告年度|会计年度|数据年度|fiscal year|year"),
    _c("staff", "staff", "员工数|staff",
       "员工人数；区间取其代表值。|People employed; a band counts as its documented point.",
       "公司员工数|企业员工数|员工人数|员工总数|员工规模|人员规模|人数|从业人数|从业人员"
       "|从业人员数|职工人数|职工数|企业人数|staff_number|staff size|staff count|employees"
       "|employee number|number of employees|headcount"),
    _c("insured_staff", "staff", "参保人数|insured staff",
       "缴纳社会保险的人数。|People insured by the firm.",
       "社保人数|缴纳社保人数|社保缴纳人数|insured|insured number|insured employees"),
    _c("insured_staff_year", "year", "参保人数所属年报|year of insured staff",
       "参保人数所属的年报年度。|Year of the annual report that gives the insured staff.",
       "参保人数年份|参保人数所属年度|参保年度"),
    _c("latest_report_year", "year", "最新年报年份|latest report year",
       "最近一份年报的年度。|Year of the latest annual report.",
       "最新年报年度|最新年报|年报年份|年报年度|latest annual report year"),
    _c("size_band", "text", "企业规模|size band",
       "大、中、小、微型。|Large, medium, small or micro.",
       "规模|规模类型|企业规模类型|企业划型|company size"),
    _c("patents", "count", "专利数|patents",
       "拥有的专利件数。|Patents held.",
       "专利|专利数量|专利总数|有效专利数|拥有专利数|专利授权数|授权专利数|发明专利"
       "|发明专利数|发明专利数量|patent count|number of patents"),
    _c("branches", "count", "分支机构数|branches",
       "在外设立的分支机构数。|Branches that the firm has.",
       "分支机构数量|分公司数|分公司数量|分支机构|branch count|number of branches"),
    _c("founded_on", "date", "成立日期|founded on",
       "成立日期；只写到月或年的取其首日。"
       "|Day of foundation; of a month or year alone the first day.",
       "成立时间|注册日期|注册时间|登记日期|设立日期|设立时间|成立年份|成立年月|创立时间"
       "|establishing_time|established|establishment date|establish date|established date"
       "|est date|setup_date|founded|founding date|date founded|incorporated"
       "|incorporation date|date of incorporation|start date"),
    _c("approved_on", "date", "核准日期|approved on",
       "最近一次核准登记的日期。|Day of the latest approved registration.",
       "核准时间|核准登记日期|approval date|approved date|check date"),
    _c("listed_on", "date", "上市日期|listed on",
       "证券上市的日期。|Day of listing.",
       "上市时间|挂牌日期|list_date|listing date|ipo date"),
    _c("business_term", "text", "营业期限|business term",
       "登记的营业期限。|Term for which the firm is registered.",
       "经营期限|营业期限自至|term"),
)  # fmt: skip

_PLACE = (  # Where it sits.
    _c("registered_address", "text", "注册地址|registered address",
       "登记的住所。|Seat as registered.",
       "企业地址|公司地址|地址|住所|企业住所|注册住所|登记住所|详细地址|企业注册地址|注册地址/办公地址"
       "|注册地址(办公地址)|注册/办公地址|注册及办公地址|address"
       "|company address|registered office|reg address"),
    _c("report_address", "text", "最新年报地址|report address",
       "最近一份年报所写的地址。|Address in the latest annual report.",
       "年报地址|latest annual report address"),
    _c("postal_address", "text", "通信地址|postal address",
       "通信或办公地址。|Where mail reaches the firm or its office is.",
       "通讯地址|办公地址|经营地址|实际经营地址|生产经营地址|经营场所|联系地址|企业通信地址"
       "|mailing address|office address|office|contact address"),
    _c("postcode", "identifier", "邮编|postcode",
       "通信地址的邮政编码。|Postcode of the postal address.",
       "通信地址邮编|邮政编码|通讯地址邮编|postal code|zip|zip code"),
    _c("province", "place", "省份|province",
       "名单所写的省级行政区。|Province as the list says.",
       "所属省份|省|所属省|所在省份|所在省|省市|省级|注册省份"),
    _c("city", "place", "城市|city",
       "名单所写的地级行政区。|City as the list says.",
       "所属城市|市|地市|所属地市|所在城市|所在市|地级市|注册城市|所属地区|所在地区|地区"
       "|所在地|总部所在地|注册地|注册地区|区域|region|location"),
    _c("district", "place", "区县|district",
       "名单所写的县级行政区。|District as the list says.",
       "所属区县|区/县|县区|县(市、区)|所在区县|county"),
    _c("province_code", "division", "省级代码|province code",
       "省级行政区代码两位（GB/T 2260）。|Two digits of the province (GB/T 2260).",
       "省份代码|省代码"),
    _c("city_code", "division", "市级代码|city code",
       "地级行政区代码四位；直辖市为省级代码加 00，省直辖县级单位为六位（GB/T 2260）。"
       "|Four digits of the city; of a municipality its province code and 00; six digits of a"
       " county-level unit directly under a province (GB/T 2260).",
       "城市代码|市代码"),
)  # fmt: skip

_BUSINESS = (  # What it does.
    _c("main_business", "list", "主营业务|main business",
       "主营业务或主要产品。|Main business or products.",
       "主要产品|主营产品|主要业务|主导产品|主要产品及业务|主要产品及服务|主营产品及服务"
       "|主要经营业务|产品|产品及服务|经营产品|主营|main products|products|product|business"),
    _c("profile", "list", "企业简介|profile",
       "企业自己的介绍。|How the firm describes itself.",
       "公司简介|简介|企业介绍|公司介绍|企业概况|公司概况|企业情况简介|introduction"
       "|description|company profile|about"),
    _c("business_scope", "list", "经营范围|business scope",
       "登记的经营范围。|Scope of business as registered.",
       "经营业务范围|经营(业务)范围|scope|scope of business"),
    _c("industry", "list", "所属行业|industry",
       "名单所写的行业。|Industry as the list says.",
       "行业|行业分类|行业类别|行业名称|国标行业|国民经济行业|产业|所属产业|tushare行业"
       "|industry_involved|industry name|sector"),
    _c("industry_section", "text", "国标行业门类|industry section",
       "国民经济行业门类（GB/T 4754）。|Section of GB/T 4754.",
       "行业门类|门类"),
    _c("industry_division", "text", "国标行业大类|industry division",
       "国民经济行业大类。|Division of GB/T 4754.",
       "行业大类|大类"),
    _c("industry_group", "text", "国标行业中类|industry group",
       "国民经济行业中类。|Group of GB/T 4754.",
       "行业中类|中类"),
    _c("industry_class", "text", "国标行业小类|industry class",
       "国民经济行业小类。|Class of GB/T 4754.",
       "行业小类|小类|行业代码|国标行业代码"),
    _c("vendor_industry_section", "text", "企查查行业门类|vendor's industry section",
       "数据商自有分类的门类。|Section of the vendor's own classes.",
       "天眼查行业门类"),
    _c("vendor_industry_division", "text", "企查查行业大类|vendor's industry division",
       "数据商自有分类的大类。|Division of the vendor's own classes.",
       "天眼查行业大类"),
    _c("vendor_industry_group", "text", "企查查行业中类|vendor's industry group",
       "数据商自有分类的中类。|Group of the vendor's own classes.",
       "天眼查行业中类"),
    _c("vendor_industry_class", "text", "企查查行业小类|vendor's industry class",
       "数据商自有分类的小类。|Class of the vendor's own classes.",
       "天眼查行业小类"),
    _c("sw_industry", "text", "申万行业|SW industry",
       "申万行业分类（最细一级）的名称。"
       "|Name of the class in the Shenwan scheme, the finest given.",
       "申万三级行业|申万行业名称|申万行业分类|申万三级|shenwan industry"),
    _c("sw_industry_code", "identifier", "申万行业代码|SW industry code",
       "申万行业分类的代码。|Code of the class in the Shenwan scheme.",
       "申万代码|申万三级行业代码|shenwan code"),
    _c("chain_position", "text", "产业位置|chain position",
       "产业链上的位置：上、中、下游。|Upstream, midstream or downstream.",
       "产业位置(上/中/下游)|产业链位置|上下游|上中下游|上/中/下游|环节位置|position"),
    _c("chain_node", "list", "产业链节点|chain node",
       "名单所写的产业链环节。|Node of the chain as the list says.",
       "产业链环节|所属环节|环节|节点|产业链|所属产业链|产业链名称"),
    _c("titles", "list", "资质|titles",
       "高新技术企业、专精特新、小巨人等资质。|Titles such as high-tech firm or little giant.",
       "企业资质|荣誉资质|资质荣誉|企业荣誉|荣誉|科技资质|企业标签|标签|认定情况|资质认定"
       "|qualification|qualifications|honours|honors|tags"),
    _c("funding", "list", "融资上市|funding",
       "融资轮次或上市情况。|Funding round or listing.",
       "融资轮次|融资阶段|融资情况|最新融资|融资信息|融资|上市情况|上市融资"
       "|funding round|financing"),
    _c("website", "text", "网址|website",
       "企业网站。|Web site.",
       "官网网址|官网|企业官网|公司网址|公司网站|企业网址|网站|url|homepage|web"),
)  # fmt: skip

_COURTING = (  # What officers know of it.
    _c("event", "remark", "来源活动|event",
       "线索来自哪个活动或渠道。|Fair, activity or source that the lead came from.",
       "活动|活动名称|展会|展会名称|来源|线索来源|信息来源|活动来源|渠道|来源渠道|fair|source"
       "|lead source"),
    _c("referred_by", "remark", "推荐企业|referred by",
       "推荐此企业的企业。|Firm that referred this one.",
       "引荐企业|推荐单位|引荐单位|推荐方|介绍企业|介绍单位|推荐来源|referrer|referral"),
    _c("stage", "stage", "阶段|stage",
       "跟进到哪一步：从线索到投产，或搁置、流失。"
       "|How far the pursuit has come: from lead to producing, or paused, lost.",
       "项目阶段|跟进阶段|对接阶段|招商阶段|进展阶段|跟进状态|推进阶段|洽谈阶段|项目状态"
       "|当前阶段|进展|进展情况|跟进情况|跟进进展|对接情况|项目进展|目前进展"),
    _c("risk", "remark", "风险|risk",
       "已知的风险。|Known risks.",
       "风险提示|风险信息|风险情况|经营异常|失信信息|失信情况|风险等级|risks"),
    _c("note", "remark", "备注|note",
       "其他说明。|Anything else.",
       "备注说明|备注信息|说明|其他说明|notes|remark|remarks|comment|comments"),
)  # fmt: skip

_PASSING_COLUMNS = (  # Read in passing, or dropped.
    _c("matched_name", "matched", "系统匹配企业名称|matched name",
       "批量匹配找到的企业名称。|Name found by a batch match.",
       "匹配企业名称|系统匹配名称"),
    _c("imported_name", "imported", "原文件导入名称|imported name",
       "送去匹配的名称。|Name that was sent to the match.",
       "导入名称|原文件名称|导入企业名称"),
    _c("registered_currency", "currency", "注册资本币种|currency of the registered capital",
       "注册资本的币种。|Currency of the registered capital.",
       "币种|注册币种|货币|货币种类|注册资金币种|注册资本(金)币种|currency"),
    _c("title_flag", "flag", "是否具有某项资质|whether a title is held",
       "以资质为列名、以是否为值的列，并入资质。"
       "|A column headed by a title, answered yes or no; joins the titles.",
       "高新技术企业|高企|国家高新技术企业|专精特新|专精特新企业|专精特新中小企业|小巨人"
       "|小巨人企业|专精特新小巨人|专精特新小巨人企业|国家级专精特新小巨人"
       "|国家级专精特新小巨人企业|科技型中小企业|独角兽|独角兽企业|瞪羚企业|瞪羚|单项冠军"
       "|制造业单项冠军|规上企业|规模以上企业"),
    _c("listing_flag", "flag", "是否上市|whether it is listed",
       "以是或否为值的列，并入融资上市。|Answered yes or no; joins the funding.",
       "是否上市公司|是否为上市公司|是否已上市|上市状态|上市与否|is listed"),
    _c("row_label", "ignored", "序号|number",
       "行的序号。|Running number of a row.",
       "编号|行号|no|no.|#|index|unnamed: 0|seq|serial number"),
    _c("legal_representative", "personal", "法定代表人|legal representative",
       "个人信息，不读取。|Personal, never read.",
       "法人|法人代表|法定代表|法定代表人姓名|法人姓名|负责人|企业负责人|董事长|总经理|董秘"
       "|董事会秘书|实际控制人|实控人|创始人|股东|股东信息|主要人员|高管|chairman|manager"
       "|secretary|legal_person|legal rep|ceo|founder"),
    _c("phone", "personal", "电话|phone",
       "个人信息，不读取。|Personal, never read.",
       "有效手机号|更多电话|其他电话|联系电话|手机|手机号|手机号码|电话号码|固定电话|座机"
       "|公司电话|企业电话|传真|tel|telephone|mobile|cell|fax"),
    _c("email", "personal", "邮箱|e-mail",
       "个人信息，不读取。|Personal, never read.",
       "更多邮箱|其他邮箱|电子邮箱|邮件|电子邮件|企业邮箱|联系邮箱|e-mail|mail|email address"),
    _c("contact", "personal", "联系人|contact person",
       "个人信息，不读取。|Personal, never read.",
       "联系方式|企业联系人|姓名|职务|对接人|项目对接人|招商专员|经办人|填报人|推荐人|引荐人"
       "|介绍人|跟进人|责任人|身份证号|微信|微信号|qq|contact|contact name|contact person"
       "|wechat|person|owner|id number"),
)  # fmt: skip

CANONICAL: tuple[Column, ...] = (*_IDENTITY, *_SCALE, *_PLACE, *_BUSINESS, *_COURTING)
"""The columns of a clean list, in order; each is always there, missing where the list lacks it."""

COLUMNS: tuple[Column, ...] = (*CANONICAL, *_PASSING_COLUMNS)
"""All that a header may mean, with those that are read in passing or dropped."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a header of a list was understood to say.

    Attributes
    ----------
    column
        The canonical column.
    unit
        Unit of plain numbers below the header, as far as it names one.
    year
        The year that it names, as in ``2023年营业收入``.
    canonical
        True if the header is the canonical name itself, whose unit is fixed.
    """

    column: Column
    unit: Unit = NO_UNIT
    year: int | None = None
    canonical: bool = False


_PERSONAL = re.compile(
    "电话|手机|邮箱|联系人|联系方式|身份证|微信|法定代表|法人代表|姓名|e?mail|phone|wechat"
)
_BARE = frozenset(
    "名称 单位 地址 简介 类型 产品 行业 规模 状态 说明 编号 省 市 年度".split()  # noqa: SIM905
)
"""Words that mean a firm's only where nothing above them says otherwise: 项目 over 名称 does."""


def column(name: str) -> Column:
    """Return a canonical column by its name; KeyError if there is none.

    >>> column("registered_capital_cny").unit
    'CNY'
    """
    return _by_name()[name]


@cache
def _by_name() -> dict[str, Column]:
    return {each.name: each for each in COLUMNS}


@cache
def _by_key() -> dict[str, Column]:
    """Normal form of every name, label and alias; a clash is a mistake in the table above."""
    found: dict[str, Column] = {}
    for each in COLUMNS:
        for words in (each.name, each.label.zh, each.label.en, *each.aliases):
            known = found.setdefault(normal_header(words), each)
            if known is not each:
                raise ValueError(f"{words!r} names both {known.name} and {each.name}")
    return found


@lru_cache(maxsize=4096)
def read_heading(header: str) -> Heading | None:
    """Return what a header says; missing if no canonical column is meant.

    Parameters
    ----------
    header
        As written; the rows of a merged header joined by ``/``.

    >>> heading = read_heading("意向投资额（亿元）")
    >>> heading.column.name, heading.unit.times
    ('intended_investment_cny', 100000000.0)
    >>> read_heading("联系人/名称").column.personal
    True
    """
    table = _by_key()
    whole = table.get(normal_header(header))
    if whole:
        return Heading(whole, canonical=normal_header(whole.name) == normal_header(header))
    personal = _personal(header, table)
    if personal:
        return Heading(personal)
    for reading in _trusted(header):
        known = table.get(reading.key)
        if known and _fits(known, reading):
            return Heading(known, reading.unit, reading.year)
    return None


def recognise(header: str) -> Column | None:
    """Return the canonical column that a header means; missing if none.

    >>> recognise("企业（机构）类型").name
    'enterprise_type'
    >>> recognise("天气") is None
    True
    """
    heading = read_heading(header)
    return heading.column if heading else None


def _trusted(header: str) -> Iterator[Reading]:
    for reading in readings(header):
        if not (reading.below and reading.key in _BARE):
            yield reading
        for yes_no in ("是否为", "是否"):
            if reading.key.startswith(yes_no):
                yield Reading(reading.key.removeprefix(yes_no), reading.unit)


def _personal(header: str, table: dict[str, Column]) -> Column | None:
    """Return a personal column if any part of the header names people: rather too much dropped."""
    for part in halves(header):
        known = table.get(part)
        if known and known.personal:
            return known
    words = _PERSONAL.search(normal_header(header))
    return column("contact") if words else None


def _fits(known: Column, reading: Reading) -> bool:
    """Tell whether the unit that was split off can belong to the column."""
    unit = reading.unit
    if unit.percent:
        return known.kind == "share"
    if unit.currency or unit.times:
        return known.kind in {"amount", "count", "staff"}
    return True


def blank_firms(count: int) -> pd.DataFrame:
    """Return ``count`` rows of all canonical columns, all missing, numbered from 0.

    >>> blank_firms(2)["name"].tolist()
    [nan, nan]
    """
    index = pd.RangeIndex(count)
    empty = {
        each.name: pd.Series(
            pd.NaT if each.dtype.startswith("datetime") else np.nan, index=index, dtype=each.dtype
        )
        for each in CANONICAL
    }
    return pd.DataFrame(empty, index=index)
