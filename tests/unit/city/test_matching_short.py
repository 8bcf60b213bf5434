"""The short texts of database exports and the scopes of the registry: the right role, and how much.

Each case is a name, a main business and a scope, any of them empty.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import load_city
from leadscore.city.matching import Matcher
from leadscore.files import shipped

NANCHANG = Matcher(load_city(shipped("cities", "nanchang.toml")))
LAKEPORT = Matcher(load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml"))

Found = dict[str, tuple[str, float]]


def match(main: str = "", scope: str = "", name: str = "", *, city: Matcher = NANCHANG) -> Found:
    matches = city.match({"name": name, "main_business": main, "business_scope": scope})
    return {match.segment: (match.role, match.strength) for match in matches}


MADE = [
    ("LED外延片、照明灯具", "led.chip"),
    ("蓝牙耳机、头戴耳机、车用扬声器代工，助听类产品", "components.electronic"),
    ("手机盖板玻璃、触控模组、结构件的代工制造", "mobile.touch"),
    ("自产电路板，兼做LED灯与显示屏", "mobile.pcb"),
    ("自产电路板，兼做LED灯与显示屏", "led.lighting"),
    ("大朋VR头盔与一体机，教育影视行业方案", "vr.headset"),
    ("三防平板、笔记本整机研发制造，AR/VR头戴设备方案", "vr.headset"),
    ("PICO牌VR一体机、手柄追踪与应用商店", "vr.headset"),
    ("AMOLED面板，供手机、手表及车用中小尺寸屏", "mobile.screen"),
    ("手机及车载摄像头模组、3D感知模组的设计生产", "mobile.camera"),
    ("MEMS麦克风、压力传感器、惯性传感器的芯片设计与封测", "vr.sensor"),
    ("手机、笔记本用软包聚合物锂电池，另做启停与储能电芯", "mobile.battery"),
    ("电解铜箔（电路板用）及铝基板、印制板一体生产", "materials.electronic"),
    ("VR设备、照明设备的生产", "vr.headset"),
    ("VR设备、照明设备的生产", "led.lighting"),
    ("灯具的研发、生产（生产另设分支机构）", "led.lighting"),
    ("印制电路板研发、印制、生产、加工及销售", "mobile.pcb"),
    ("制造、销售：电路板、照明产品、LED灯及其它电子产品的研发", "led.lighting"),
]


@pytest.mark.parametrize(("main", "segment"), MADE)
def test_what_is_made_is_told_from_few_words(main: str, segment: str) -> None:
    role, strength = match(main)[segment]
    assert role == "maker"
    assert strength > 0.35


MACHINES = [
    ("面板绑定、贴合、折弯等模组段设备，供手机屏和车载屏厂", "mobile.screen"),
    ("面板绑定、贴合、折弯等模组段设备，供手机屏和车载屏厂", "led.vehicle_display"),
    ("电池厂用涂布、辊分、叠片、组装等前中段设备", "mobile.battery"),
    ("面板厂点灯检测、AOI检测系统，半导体量测设备", "display.new"),
    ("PCB厂用自动化线、机器人与仓储物流系统", "mobile.pcb"),
    ("电路板电测机（飞针、治具）与液晶板检测机", "mobile.pcb"),
    ("PCB、FPC自动化设备维护保养及备件销售", "mobile.pcb"),
    ("用于锂电池的卷绕机", "mobile.battery"),
    ("锂电池卷绕机、涂布机、化成分容整线", "mobile.battery"),
    ("贴合机、邦定机，用于液晶显示屏、OLED", "mobile.screen"),
]


@pytest.mark.parametrize(("main", "segment"), MACHINES)
def test_machines_for_a_product_are_not_the_product(main: str, segment: str) -> None:
    role, strength = match(main)[segment]
    assert role == "equipment"
    assert 0.1 < strength < 0.6


SUPPLIES = [
    ("手机与笔电用FPC软板、SLP类载板、HDI板", "mobile.odm"),
    ("植物生长灯、工矿灯、路灯用大功率LED驱动电源", "led.plant_lighting"),
    ("硅基OLED微型显示屏，AR眼镜与VR头显用", "vr.headset"),
    ("石英晶体谐振器、晶振，手机与蓝牙模组配套", "mobile.odm"),
    ("手机及车载摄像头模组、3D感知模组的设计生产", "mobile.odm"),
    ("显示屏：手机AMOLED面板、LTPS液晶屏", "mobile.odm"),
    ("印制板图形转移用感光干膜的研制和销售", "mobile.pcb"),
    ("手机、汽车和物联网设备的操作系统软件开发与授权", "mobile.odm"),
]


@pytest.mark.parametrize(("main", "segment"), SUPPLIES)
def test_what_goes_into_a_product_is_a_supply_for_it(main: str, segment: str) -> None:
    role, strength = match(main)[segment]
    assert role == "materials"
    assert 0.1 < strength < 0.6


CUSTOMERS = [
    ("芯片等元器件代理分销，配套方案设计，客户含照明、机顶盒厂", "led.lighting"),
    ("硬板、金属基板等电路板，客户涉及手机、汽车与服务器", "mobile.odm"),
    ("AMOLED面板，供手机、手表及车用中小尺寸屏", "mobile.odm"),
    ("电解铜箔生产，供印制板与锂电池厂家", "mobile.battery"),
    ("CMOS图像传感器芯片设计，供安防、手机主摄和汽车", "mobile.odm"),
    ("钕铁硼磁钢，配套智能手机、变频空调", "mobile.odm"),
    ("精密五金件，为手机、照明企业配套", "led.lighting"),
]


@pytest.mark.parametrize(("main", "segment"), CUSTOMERS)
def test_those_who_are_supplied_are_no_product(main: str, segment: str) -> None:
    assert match(main).get(segment, ("", 0.0))[1] < 0.15


def test_a_supplier_to_power_and_water_is_not_taken_for_one_to_customers() -> None:
    assert match("供电、供水，照明灯具的生产")["led.lighting"][0] == "maker"


TRADE = [
    ("经销LED灯具、灯饰和照明配件，线上零售", ""),
    ("LED灯具的进口分销", ""),
    ("", "销售：LED灯具、五金交电"),
    ("", "LED灯具批发；国内贸易；货物及技术进出口"),
    ("", "一般经营项目：LED灯具的购销（不含生产加工）；许可经营项目：无"),
    ("代理照明品牌的灯具销售", "灯具的研发、生产、销售"),
]


@pytest.mark.parametrize(("main", "scope"), TRADE)
def test_who_sells_lamps_is_no_lamp_maker(main: str, scope: str) -> None:
    for name in ("", "深圳某某照明科技有限公司"):
        role, strength = match(main, scope, name)["led.lighting"]
        assert role == "trade"
        assert 0.1 < strength <= 0.5


def test_developing_and_selling_is_not_making() -> None:
    scope = "灯具及配件研发销售；电商；国内贸易；进出口"
    assert match("", scope)["led.lighting"][0] == "design"
    sold = match("经销LED灯具、灯饰和照明配件，线上零售", scope, "深圳某某照明科技有限公司")
    assert sold["led.lighting"][0] == "trade"
    assert sold["led.lighting"][1] <= 0.5


def test_a_trading_firm_that_also_develops_trades() -> None:
    scope = "研发、销售：电子产品、线路板"
    assert match("", scope, "某某贸易有限公司")["mobile.pcb"][0] == "trade"


def test_what_is_not_done_is_no_making() -> None:
    assert match("", "灯具的技术开发、销售（不含生产加工）")["led.lighting"][0] == "design"


SCOPES = [
    ("一般经营项目：电子产品的销售；许可经营项目：电路板的生产", "mobile.pcb", "maker"),
    ("生产、销售：电路板、电子产品；货物进出口", "mobile.pcb", "maker"),
    ("电路板的销售；国内贸易。许可经营项目是：无", "mobile.pcb", "trade"),
    ("PCB板、电子元器件的技术开发与销售；许可经营项目：PCB板、电子元器件的加工",
     "components.electronic", "maker"),
    ("照明灯具维修、维保", "led.lighting", "service"),
    ("道路照明工程安装", "led.lighting", "integration"),
    ("城市照明的设计与施工", "led.lighting", "integration"),
    ("电路板刀具的销售；许可经营项目：电路板刀具的生产", "mobile.pcb", "equipment"),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "segment", "expected"), SCOPES)
def test_each_item_of_a_scope_has_its_own_verb(scope: str, segment: str, expected: str) -> None:
    role, strength = match("", scope)[segment]
    assert role == expected
    assert strength < 0.75


def test_software_around_a_product_is_a_weak_design() -> None:
    role, strength = match("手机影像算法、手势与人脸感知软件")["mobile.odm"]
    assert role == "design"
    assert strength < 0.2
    assert match("手机系统软件外包开发")["mobile.odm"][1] < 0.2


def test_a_name_takes_its_role_from_what_the_texts_say_is_done() -> None:
    name = "某某照明科技有限公司"
    assert match("五金批发、零售", "", name)["led.lighting"][0] == "trade"
    assert match("电子产品安装、维护", "", name)["led.lighting"][0] == "service"
    assert match("电子产品的生产", "", name)["led.lighting"][0] == "maker"


def test_a_name_alone_says_little() -> None:
    assert match(name="某某照明科技有限公司")["led.lighting"][1] < 0.25
    assert match(name="某某照明供应链有限公司").get("led.lighting", ("", 0.0))[1] < 0.15
    assert match(name="某某照明贸易有限公司")["led.lighting"][0] == "trade"


def test_the_main_business_outweighs_the_scope_and_the_scope_the_name() -> None:
    assert (
        match("锂电池隔膜", "锂电池的生产", "某某锂电池有限公司")["mobile.battery"][0]
        == "materials"
    )
    assert match("", "锂电池销售", "某某锂电池有限公司")["mobile.battery"][0] == "trade"
    assert match("锂电池的生产", "锂电池销售")["mobile.battery"][0] == "maker"


INVENTED = [
    ("一次性注射器、输液器等医用耗材的生产和销售", "medical.consumables", "maker"),
    ("医用口罩、医用导管代工", "medical.consumables", "maker"),
    ("经销输液器、医用导管，线上零售", "medical.consumables", "trade"),
    ("一次性注射器组装机、输液器检测机", "medical.consumables", "equipment"),
    ("人工关节厂用打磨、抛光等设备", "medical.implants", "equipment"),
    ("人工关节、骨科植入物用钛合金棒", "medical.implants", "materials"),
    ("医用传感器的芯片设计", "medical.electronics", "materials"),
    ("海上风机整机制造", "wind.turbine", "maker"),
    ("风电机组、风电塔筒的维修", "wind.turbine", "service"),
    ("风电机组安装施工", "wind.turbine", "integration"),
    ("风电轴承的研发与销售", "wind.bearing", "design"),
    ("CT机、内窥镜进口分销", "medical.imaging", "trade"),
    ("海底电缆敷设用设备", "cable.sea", "equipment"),
]


@pytest.mark.parametrize(("main", "segment", "expected"), INVENTED)
def test_the_rules_know_no_city(main: str, segment: str, expected: str) -> None:
    role, strength = match(main, city=LAKEPORT)[segment]
    assert role == expected
    assert strength > 0.1
