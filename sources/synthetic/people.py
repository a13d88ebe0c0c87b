"""Invented hospitals, places and people of 云岫省 (Yunxiu), a province that does not exist.

Belongs here: hospitals with their habits of reporting, address vocabularies, names, identity numbers.
Does not belong here: cases and file formats. Every hospital name contains 示例, identity numbers start
with division codes that are not assigned and telephone numbers with 100, so that nothing can be mistaken
for a real person or place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROVINCE = "990000"

# counties where people of the province live: division, prefecture, county, postcode
COUNTIES = [
    ("990102", "岫宁市", "东岫区", "990100"),
    ("990103", "岫宁市", "西岫区", "990103"),
    ("990121", "岫宁市", "岚溪县", "990121"),
    ("990202", "栖岚市", "栖东区", "990200"),
    ("990221", "栖岚市", "雾泽县", "990221"),
    ("990302", "澹州市", "澹南区", "990300"),
    ("990321", "澹州市", "竹陂县", "990321"),
    ("990402", "霁阳市", "霁北区", "990400"),
    ("990421", "霁阳市", "沅渚县", "990421"),
    ("990502", "墨陵市", "墨城区", "990500"),
    ("990521", "墨陵市", "砚池县", "990521"),
    ("990602", "汐原市", "汐湾区", "990600"),
    ("990621", "汐原市", "汀芷县", "990621"),
]
PREFECTURES = {
    "990100": "岫宁市",
    "990200": "栖岚市",
    "990300": "澹州市",
    "990400": "霁阳市",
    "990500": "墨陵市",
    "990600": "汐原市",
}

# short and full name of the province, rest of the address, postcode, native-province code of RC036
ELSEWHERE = [
    ("四川", "四川省", "成都市武侯区", "610041", "23"),
    ("四川", "四川省", "绵阳市涪城区", "621000", "23"),
    ("重庆", "重庆市", "渝中区", "400010", "22"),
    ("贵州", "贵州省", "遵义市红花岗区", "563000", "24"),
    ("湖北", "湖北省", "武汉市江岸区", "430014", "17"),
    ("湖北", "湖北省", "恩施土家族苗族自治州恩施市", "445000", "17"),
    ("湖南", "湖南省", "长沙市岳麓区", "410013", "18"),
    ("河南", "河南省", "郑州市金水区", "450003", "16"),
    ("广东", "广东省", "广州市越秀区", "510030", "19"),
    ("广西", "广西壮族自治区", "南宁市青秀区", "530022", "20"),
    ("内蒙古", "内蒙古自治区", "呼和浩特市新城区", "010030", "5"),
    ("北京", "北京市", "朝阳区", "100020", "1"),
    ("上海", "上海市", "徐汇区", "200030", "9"),
    ("西藏", "西藏自治区", "拉萨市城关区", "850000", "26"),
    ("新疆", "新疆维吾尔自治区", "乌鲁木齐市天山区", "830000", "31"),
]

ROADS = ["松风路", "望岫路", "听泉街", "栖霞路", "云台巷", "锦溪路", "青屏街", "疏影路", "晴川大道", "石渠巷"]
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范"
GIVEN = "予沐澄砚栩笙昀霁珩筱芷蘅屿舟棠湉珺湛熠桐澍彧翊漪岑樾淙芃槿诺恺昕琬璟"
RARE_SURNAMES = ["𠮷", "𡈼", "𨙸"]  # four bytes in GB18030, absent from GBK
COMPANIES = ["示例纺织厂", "示例农机站", "示例中学", "示例物流公司", "示例食品厂", "示例矿业公司"]


@dataclass(frozen=True)
class Hospital:
    """One invented hospital and how it reports."""

    index: int
    organisation_id: str
    name: str
    level: str  # 三级, 二级, 一级
    grade: str
    kind: str  # 综合, 专科, 中医, 妇幼
    focus: str  # letters of the major diagnostic categories it treats; empty = all
    division: str
    size: float
    encoding: str
    container: str
    dialect: str  # abcd or pinyin
    old_months: int  # this many first months come as DBF pairs in P codes
    extended: bool
    shuffled: bool
    department_style: str

    @property
    def city(self) -> str:
        """Name of the prefecture."""
        return PREFECTURES[self.division[:4] + "00"]


# title, level, grade, kind, focus, division, size, encoding, container, dialect, months in P codes,
# x = extension columns, s = shuffled columns, spelling of departments
_HOSPITALS = """
第一医院 三级 甲等 综合 * 990102 3.0 gb18030 csv abcd 0 - plain
人民医院 三级 甲等 综合 * 990103 2.6 utf-8 csv.gz abcd 0 x dotted
中心医院 三级 甲等 综合 * 990202 2.0 gbk zip abcd 3 - plain
中医医院 三级 甲等 中医 * 990103 1.2 gb18030 csv pinyin 0 - plain
心血管病医院 三级 甲等 专科 FE 990102 1.2 utf-8-sig csv abcd 0 xs plain
妇幼保健院 三级 甲等 妇幼 NOP 990102 1.3 utf-8 zip abcd 0 - prefixed
第二医院 三级 乙等 综合 * 990302 1.6 gb18030 csv.gz abcd 0 - short
市立医院 三级 乙等 综合 * 990402 1.4 utf-8-sig csv abcd 0 x plain
肿瘤医院 三级 甲等 专科 REGHJKLN 990103 1.3 gbk csv abcd 3 - dotted
人民医院 二级 甲等 综合 * 990221 0.8 utf-8 csv abcd 0 - plain
人民医院 二级 甲等 综合 * 990321 0.7 gb18030 zip abcd 0 x short
人民医院 二级 甲等 综合 * 990421 0.7 utf-8 csv abcd 0 - plain
县医院 二级 乙等 综合 * 990521 0.6 gbk csv abcd 0 - prefixed
县医院 二级 乙等 综合 * 990621 0.6 utf-8-sig csv.gz abcd 0 - plain
中医院 二级 甲等 中医 * 990502 0.5 utf-8 csv abcd 0 - plain
中心卫生院 一级 未定等 综合 EFGKLX 990602 0.3 gb18030 csv abcd 0 - plain
"""

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def organisation_code(division: str, number: int) -> str:
    """An 18-character unified code with a valid check character and a division that is not assigned."""
    body = f"12{division}MB{number:07d}"
    total = sum(_CREDIT_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + _CREDIT_ALPHABET[(31 - total % 31) % 31]


def make_hospitals(count: int) -> list[Hospital]:
    """The first `count` hospitals; beyond the table its rows repeat with numbers in the names."""
    table = [line.split() for line in _HOSPITALS.strip().splitlines()]
    hospitals = []
    for index in range(count):
        title, level, grade, kind, focus, division, size, encoding, container, dialect, old, habits, style = table[
            index % len(table)
        ]
        again = index // len(table)
        if again:
            division = COUNTIES[(index * 5) % len(COUNTIES)][0]
        county = next(name for code, _, name, _ in COUNTIES if code == division)
        place = county if level != "三级" or again else PREFECTURES[division[:4] + "00"]
        number = f"{again + 1}号" if again else ""
        hospitals.append(
            Hospital(
                index=index,
                organisation_id=organisation_code(division, index + 1),
                name=f"云岫省{place}示例{number}{title}" if index else f"云岫省示例{title}",
                level=level,
                grade=grade,
                kind=kind,
                focus="" if focus == "*" else focus,
                division=division,
                size=float(size),
                encoding=encoding,
                container=container,
                dialect=dialect,
                old_months=int(old),
                extended="x" in habits,
                shuffled="s" in habits,
                department_style=style,
            )
        )
    return hospitals


_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def identity_number(body: str) -> str:
    """Append the check character to the 17 digits of an identity number."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return body + _ID_CHECK[total % 11]


def identity_numbers(division: NDArray[np.int64], birth: NDArray[np.int64], serial: NDArray[np.int64]) -> list[str]:
    """Identity numbers from six-digit divisions, births as yyyymmdd and three-digit serials (odd = male)."""
    body = (division * 10**8 + birth) * 1000 + serial
    total = np.zeros(len(body), dtype=np.int64)
    rest = body.copy()
    for weight in reversed(_ID_WEIGHTS):
        rest, digit = np.divmod(rest, 10)
        total += digit * weight
    return [f"{number}{_ID_CHECK[check]}" for number, check in zip(body.tolist(), (total % 11).tolist(), strict=True)]


def names(rng: np.random.Generator, count: int, *, rare: bool) -> list[str]:
    """Invented names of three characters; with `rare`, one in two hundred has a four-byte surname."""
    surname = rng.integers(0, len(SURNAMES), count).tolist()
    given = rng.integers(0, len(GIVEN), (2, count)).tolist()
    people = [SURNAMES[s] + GIVEN[a] + GIVEN[b] for s, a, b in zip(surname, *given, strict=True)]
    if rare:
        for row in np.flatnonzero(rng.random(count) < 0.005).tolist():
            people[row] = RARE_SURNAMES[row % len(RARE_SURNAMES)] + people[row][1:]
    return people


def phones(rng: np.random.Generator, count: int) -> list[str]:
    """Eleven digits that start with 100, which no subscriber has."""
    return [f"100{number:08d}" for number in rng.integers(0, 10**8, count).tolist()]


def streets(rng: np.random.Generator, count: int) -> list[str]:
    """Invented street, house and flat."""
    road = rng.integers(0, len(ROADS), count).tolist()
    house = rng.integers(1, 400, count).tolist()
    flat = rng.integers(101, 2999, count).tolist()
    return [f"{ROADS[r]}{h}号{f}室" for r, h, f in zip(road, house, flat, strict=True)]


def staff_of(hospital: Hospital) -> list[str]:
    """The sixty physicians and nurses of a hospital."""
    return names(np.random.default_rng(np.random.SeedSequence([7, hospital.index])), 60, rare=False)
