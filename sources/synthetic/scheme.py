"""The invented grouping scheme of the demo province, in two editions, written as packages of CSV files.

Belongs here: what makes groups of the cases (MDCs, conditions, lists, divisions, crosswalk), how the second edition
differs from the first, and the packages. Does not belong here: groups with the profile of their cases (casemix), levels
and exclusions of other diagnoses (comorbidity), or any grouping. The codes are genuine in form; names, lists and
conditions are invented and resemble no scheme in use.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

from sources.synthetic import casemix, comorbidity
from sources.synthetic.casemix import Group

SCHEME_ID = "YUNXIU"
FIRST_EDITION, SECOND_EDITION = f"{SCHEME_ID}-1.0", f"{SCHEME_ID}-2.0"

COLUMNS = {
    "scheme": (
        *("scheme_id", "name_zh", "edition", "diagnosis_edition", "procedure_edition", "owner", "licence"),
        *("effective_from", "effective_to"),
    ),
    "mdc": (
        *("mdc", "name_zh", "priority", "sex", "age_days_max", "age_years_max", "min_body_regions"),
        "requires_valid_procedure",
    ),
    "mdc_diagnosis": ("mdc", "code", "body_region"),
    "adrg": ("adrg", "mdc", "name_zh", "priority", "kind"),
    "adrg_condition": ("adrg", "alternative", "role", "list_id", "age_days_max", "weight_g_min", "weight_g_below"),
    "code_list": ("list_id", "code"),
    "valid_procedure": ("code",),
    "mcc": ("code", "exclusion_table"),
    "cc": ("code", "exclusion_table"),
    "exclusion": ("principal_code", "exclusion_table"),
    "drg": ("drg", "adrg", "name_zh", "severity"),
    "weight": ("drg", "weight", "reference", "year"),
    "code_map": ("kind", "from_edition", "from_code", "to_edition", "to_code"),
    "edition_code": ("kind", "code", "name_zh"),
}
Tables = dict[str, list[dict[str, str]]]

# mdc | name | sex | age in days at most | regions at least | needs a valid procedure; in the order of evaluation
_MDCS = """
A|先期分组||||1
P|新生儿疾病||28||
Y|艾滋病及相关操作||||
Z|多发性严重创伤|||2|
M|男性生殖系统疾病|1|||
N|女性生殖系统疾病|2|||
O|妊娠、分娩及产褥期|2|||
B|神经系统疾病||||
C|眼疾病||||
D|耳鼻咽喉疾病||||
E|呼吸系统疾病||||
F|循环系统疾病||||
G|消化系统疾病||||
H|肝胆胰疾病||||
I|肌肉骨骼系统疾病||||
J|皮肤及乳腺疾病||||
K|内分泌代谢疾病||||
L|肾脏及泌尿系统疾病||||
Q|血液及免疫疾病||||
R|骨髓增生性疾病及肿瘤||||
S|感染及寄生虫病||||
T|精神疾病||||
U|物质依赖||||
V|创伤、中毒及药物毒性||||
W|烧伤||||
X|影响健康的因素及其他||||
"""

# Conditions that are not the usual ones (see _conditions):
# adrg | alternative | role | codes, @ = the group's own diagnoses | age in days at most | weight from | weight below
_CONDITIONS = """
AA1|1|principal_procedure|37.5100|||
AG1|1|principal_procedure|41.0500|||
AH1|1|any_procedure|31.1x00|||
AH1|1|any_diagnosis|J96.000,J96.900|||
AH1|2|principal_procedure|31.1x00|||
BL1|1|principal_diagnosis|@|||
BL1|1|any_procedure|99.1000|||
BY1|1|principal_diagnosis|@|||
BY1|1|no_valid_procedure||||
CB3|1|any_procedure|13.4100x001|||
CB3|1|any_procedure|13.7101|||
EJ1|1|principal_diagnosis|@|||
EJ1|1|any_procedure|34.0401|||
FJ1|1|principal_diagnosis|@|||
FJ1|1|first_valid_procedure||||
FM1|1|principal_diagnosis|@|||
FM1|1|any_procedure|36.0701,36.0601|||
FM1|2|principal_diagnosis|@|||
FM1|2|any_procedure|00.6601|||
FM2|1|any_procedure|36.0701,36.0601|||
FM2|1|any_procedure|88.5501,88.5601|||
HU1|1|principal_diagnosis|@|||
HU1|1|no_valid_procedure||||
IJ1|1|principal_procedure|82.2100|||
KD1|1|any_procedure|06.4x00|||
KD1|1|any_procedure|40.2100x001|||
KD1|2|any_procedure|06.2x00,06.4x00|||
KK1|1|principal_diagnosis|@|||
KK1|1|any_procedure|92.2800|||
LL1|1|principal_diagnosis|@|||
LL1|1|any_procedure|39.9500|||
OB1|1|principal_procedure|74.1x00|||
OR1|1|principal_diagnosis|@|||
OR1|1|any_procedure|73.5900|||
PR1|1|none||||1000
PS1|1|principal_diagnosis|P07.300||1000|1500
PS2|1|principal_diagnosis|P07.300||1500|2000
PS3|1|principal_diagnosis|P07.300||2000|2500
PV1|1|principal_diagnosis|@|7||
RU1|1|principal_diagnosis|@|||
RU1|1|any_diagnosis|C34.900,C16.900,C18.900,C22.000,C50.900|||
RU1|1|any_procedure|99.2501|||
RV1|1|principal_diagnosis|@|||
RV1|1|any_procedure|92.2400|||
SB1|1|first_valid_procedure||||
TB1|1|any_valid_procedure||||
VB1|1|any_procedure|82.4500|||
VB1|1|any_procedure|86.2200|||
XJ1|1|first_valid_procedure||||
YC1|1|any_valid_procedure||||
YR1|1|principal_diagnosis|@|||
YR1|1|any_diagnosis|B59.x00,B45.100|||
ZB1|1|any_procedure|79.3500x001,79.3600x001,79.3200x001|||
ZC1|1|principal_diagnosis|S06.500|||
ZC1|1|any_procedure|01.2401|||
"""

# principal diagnoses that the scheme knows besides those that the province has: adrg | code | name
_FURTHER = """
BR1|I61.000|大脑半球皮质下出血
BR1|I61.500|脑室内出血
BR2|I63.500|脑动脉闭塞性脑梗死
BT2|G03.900|脑膜炎
BU1|G21.900|继发性帕金森综合征
BV1|G41.900|癫痫持续状态
CR1|H16.900|角膜炎
DT1|H91.900|听力损失
ER1|C34.200|中叶肺恶性肿瘤
ES2|J13.x00|肺炎链球菌性肺炎
ES2|J16.800|其他特指病原体的肺炎
ET1|J44.900|慢性阻塞性肺病
EX1|J46.x00|哮喘持续状态
FR2|I42.000|扩张型心肌病
FU1|I47.100|室上性心动过速
FU1|I44.200|完全性房室传导阻滞
FV1|I15.900|继发性高血压
GR1|C19.x00|直肠乙状结肠连接处恶性肿瘤
GS1|K26.400|十二指肠溃疡伴出血
GU2|K30.x00|功能性消化不良
GZ1|K58.900|肠易激综合征
HR1|C22.100|肝内胆管癌
HS1|K70.300|酒精性肝硬化
HT1|K86.100|慢性胰腺炎
IR1|S42.300|肱骨干骨折
IU2|M50.200|颈椎间盘突出
JS1|L50.900|荨麻疹
KS1|E10.900|1型糖尿病不伴有并发症
KT1|E03.900|甲状腺功能减退症
KU1|E87.200|酸中毒
LR1|N17.800|其他急性肾衰竭
LU1|N10.x00|急性肾盂肾炎
MS1|N45.900|附睾睾丸炎
NS1|N80.900|子宫内膜异位症
NS1|N83.200|卵巢囊肿
OZ1|O03.900|自然流产
OZ1|O21.000|妊娠剧吐
OS1|O13.x00|妊娠期高血压
PT1|P39.900|围生期特有感染
PU1|P22.100|新生儿短暂性呼吸急促
QS1|D59.100|自身免疫性溶血性贫血
QT1|D68.900|凝血功能障碍
RR1|C92.000|急性髓系白血病
RS1|C90.000|多发性骨髓瘤
SR1|A40.900|链球菌性脓毒症
SU1|B27.900|传染性单核细胞增多症
SZ1|B18.200|慢性丙型病毒性肝炎
TR1|F25.900|分裂情感性障碍
TS1|F31.900|双相情感障碍
US1|F11.200|阿片类依赖综合征
VR1|T58.x00|一氧化碳中毒
VT1|T42.400|苯二氮䓬类中毒
WR1|T31.200|烧伤累及体表20%至29%
XR1|Z50.900|康复医疗
XS1|R56.000|热性惊厥
YS1|B24.x00|人类免疫缺陷病毒病未特指
ZR1|S27.300|肺损伤
ZR1|S36.000|脾损伤
ZR1|S37.000|肾损伤
"""
_BODY_REGIONS = {"S0": "头", "S2": "胸", "S32": "脊柱", "S36": "腹", "S37": "腹", "S7": "下肢", "S8": "下肢"}

_DIVIDED_NAMES = {
    ("135", "1"): "，伴严重并发症或合并症",
    ("135", "3"): "，伴一般并发症或合并症",
    ("135", "5"): "，不伴并发症或合并症",
    ("35", "3"): "，伴并发症或合并症",
    ("35", "5"): "，不伴并发症或合并症",
    ("15", "1"): "，伴严重并发症或合并症",
    ("15", "5"): "，不伴严重并发症或合并症",
    ("13", "1"): "，伴严重并发症或合并症",
    ("13", "3"): "，伴一般并发症或合并症",
    ("9", "9"): "",
}
_DIAGNOSIS_EDITION, _PROCEDURE_EDITION = "云岫诊断编码2.0", "云岫手术操作编码2.0"
_OLDER_EDITIONS = {"diagnosis": "云岫诊断编码1.0", "procedure": "云岫手术操作编码1.0"}
_REFERENCE_COST = 15_000  # yuan that weigh 1


def write_demo_schemes(target: Path, first_year: int) -> list[Path]:
    """Write both editions as package folders below `target`; equal arguments give equal bytes.

    The first is in force from the first year on, the second from the third.
    """
    change = f"{first_year + 2}-01-01"
    first = _first_edition()
    second = _second_edition(first, first_year + 1)
    first["scheme"] = [_scheme_row("1.0", f"{first_year}-01-01", change)]
    second["scheme"] = [_scheme_row("2.0", change, "")]
    folders = []
    for edition_id, tables in ((FIRST_EDITION, first), (SECOND_EDITION, second)):
        folder = target / edition_id
        folder.mkdir(parents=True)
        for table, rows in tables.items():
            (folder / f"{table}.csv").write_bytes(_csv(COLUMNS[table], rows))
        folders.append(folder)
    return folders


def _csv(columns: tuple[str, ...], rows: list[dict[str, str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _lines(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.strip().splitlines()]


def _scheme_row(edition: str, effective_from: str, effective_to: str) -> dict[str, str]:
    return {
        "scheme_id": SCHEME_ID,
        "name_zh": "云岫省示例分组方案",
        "edition": edition,
        "diagnosis_edition": _DIAGNOSIS_EDITION,
        "procedure_edition": _PROCEDURE_EDITION,
        "owner": "云岫省示例卫生健康委（虚构）",
        "licence": "纯属虚构，可自由使用；不得用于真实病例的分组与付费",
        "effective_from": effective_from,
        "effective_to": effective_to,
    }


# --- first edition ---


def _adrgs() -> dict[str, Group]:
    """One group of every ADRG, in the order of evaluation inside the MDC."""
    return {group.adrg: group for group in casemix.groups() if group.code}


def _kind(adrg: str) -> str:
    return "surgical" if "A" <= adrg[1] <= "J" else "procedure" if "K" <= adrg[1] <= "Q" else "medical"


def _body_region(code: str) -> str:
    return next(region for start, region in _BODY_REGIONS.items() if code.startswith(start))


def _conditions() -> list[list[str]]:
    """Rows like those of _CONDITIONS for all ADRGs.

    Usually one alternative of one condition: a medical ADRG has a list of principal diagnoses, any other a list of the
    operations that come first in the ways to treat it.
    """
    special: dict[str, list[list[str]]] = {}
    for row in _lines(_CONDITIONS):
        special.setdefault(row[0], []).append(row)
    rows = []
    for adrg, group in _adrgs().items():
        if adrg in special:
            rows += special[adrg]
        elif _kind(adrg) == "medical":
            rows.append([adrg, "1", "principal_diagnosis", "@", "", "", ""])
        else:
            main = dict.fromkeys(text.split("+")[0] for text in group.operations)
            rows.append([adrg, "1", "any_procedure", ",".join(main), "", "", ""])
    return rows


def _first_edition() -> Tables:
    adrgs = _adrgs()
    own = {adrg: list(group.diagnoses) for adrg, group in adrgs.items()}
    for adrg, code, _ in _lines(_FURTHER):
        own[adrg].append(code)
    tables: Tables = {table: [] for table in ("scheme", "mdc", "mdc_diagnosis", "adrg", "adrg_condition", "code_list")}

    for priority, (mdc, name, sex, age_days, regions, valid) in enumerate(_lines(_MDCS), 1):
        tables["mdc"].append(
            {
                "mdc": mdc,
                "name_zh": name,
                "priority": str(priority),
                "sex": sex,
                "age_days_max": age_days,
                "min_body_regions": regions,
                "requires_valid_procedure": valid,
            }
        )
        # the pre-MDC opens whatever the principal diagnosis is
        codes = sorted({code for adrg in adrgs if adrg[0] == mdc != "A" for code in own[adrg]})
        for code in codes:
            region = _body_region(code) if regions else ""
            tables["mdc_diagnosis"].append({"mdc": mdc, "code": code, "body_region": region})

    for number, (adrg, group) in enumerate(adrgs.items(), 1):
        tables["adrg"].append(
            {
                "adrg": adrg,
                "mdc": group.mdc,
                "name_zh": group.name,
                "priority": str(10 * number),
                "kind": _kind(adrg),
            }
        )
    seen: dict[tuple[str, str], int] = {}
    for adrg, alternative, role, codes_text, age_days, weight_from, weight_below in _conditions():
        members = own[adrg] if codes_text == "@" else codes_text.split(",") if codes_text else []
        row = seen[adrg, alternative] = seen.get((adrg, alternative), 0) + 1
        list_id = f"{adrg}-{alternative}-{row}" if members else ""
        tables["adrg_condition"].append(
            {
                "adrg": adrg,
                "alternative": alternative,
                "role": role,
                "list_id": list_id,
                "age_days_max": age_days,
                "weight_g_min": weight_from,
                "weight_g_below": weight_below,
            }
        )
        tables["code_list"] += [{"list_id": list_id, "code": code} for code in members]

    # whatever is cut or led through a catheter, and what a list names
    listed = {row["code"] for row in tables["code_list"]}
    operations = casemix.OPERATIONS.values()
    tables["valid_procedure"] = [
        {"code": operation.code}
        for operation in operations
        if operation.kind in (casemix.SURGERY, casemix.INTERVENTION) or operation.code in listed
    ]
    for level in ("mcc", "cc"):
        tables[level] = [
            {"code": entry.code, "exclusion_table": entry.exclusion_table}
            for entry in comorbidity.COMORBIDITIES + comorbidity.ACQUIRED
            if entry.level == level
        ]
    tables["exclusion"] = _exclusions(tables, comorbidity.EXCLUSIONS)
    tables["drg"] = [row for adrg, group in adrgs.items() for row in _drgs(adrg, group.name, group.split)]
    tables["code_map"] = [
        {
            "kind": kind,
            "from_edition": _OLDER_EDITIONS[kind],
            "from_code": old,
            "to_edition": edition,
            "to_code": code,
        }
        for kind, edition, codes in (
            ("diagnosis", _DIAGNOSIS_EDITION, casemix.OLD_DIAGNOSES),
            ("procedure", _PROCEDURE_EDITION, casemix.OLD_OPERATIONS),
        )
        for old, code in codes.items()
    ]
    names = casemix.DIAGNOSIS_NAMES | comorbidity.NAMES | {code: name for _, code, name in _lines(_FURTHER)}
    tables["edition_code"] = [
        *({"kind": "diagnosis", "code": code, "name_zh": name} for code, name in sorted(names.items())),
        *({"kind": "procedure", "code": entry.code, "name_zh": entry.name} for entry in operations),
    ]
    return tables


def _exclusions(tables: Tables, beginnings: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Every principal diagnosis of the scheme that begins as an exclusion table says."""
    codes = sorted({row["code"] for row in tables["mdc_diagnosis"]})
    return [
        {"principal_code": code, "exclusion_table": table}
        for table, starts in beginnings.items()
        for code in codes
        if code.startswith(starts)
    ]


def _drgs(adrg: str, name: str, split: str) -> list[dict[str, str]]:
    return [
        {"drg": adrg + digit, "adrg": adrg, "name_zh": name + _DIVIDED_NAMES[split, digit], "severity": severity}
        for digit, severity in casemix.SPLITS[split].items()
    ]


# --- second edition ---


def _second_edition(first: Tables, year: int) -> Tables:
    """What a commission changes when it revises a scheme: one example of each kind, and weights."""
    tables = {table: [dict(row) for row in rows] for table, rows in first.items()}
    adrgs = {row["adrg"]: row for row in tables["adrg"]}

    # bacterial pneumonia becomes a group of its own
    bacterial = {"J13.x00", "J15.900"}
    split_off = {**adrgs["ES2"], "adrg": "ES1", "name_zh": "细菌性肺炎", "priority": _before(adrgs["ES2"])}
    tables["adrg"].append(split_off)
    tables["adrg_condition"].append(
        {"adrg": "ES1", "alternative": "1", "role": "principal_diagnosis", "list_id": "ES1-1-1"}
    )
    for row in tables["code_list"]:
        if row["list_id"] == "ES2-1-1" and row["code"] in bacterial:
            row["list_id"] = "ES1-1-1"
    tables["drg"] += _drgs("ES1", "细菌性肺炎", "135")

    # glaucoma goes into the other operations inside the eye
    adrgs["CB1"]["name_zh"] = "眼内手术"
    _drop_adrg(tables, "CC1")
    tables["code_list"].append({"list_id": "CB1-1-1", "code": "12.6400x001"})
    _divide(tables, "CB1", "眼内手术", "9")

    # cellulitis is an infection
    for row in tables["mdc_diagnosis"]:
        if row["code"] == "L03.900":
            row["mdc"] = "S"
    for row in tables["code_list"]:
        if row["code"] == "L03.900":
            row["list_id"] = "SU1-1-1"

    # stents with angiography come before those of an acute infarction
    adrgs["FM1"]["priority"], adrgs["FM2"]["priority"] = adrgs["FM2"]["priority"], adrgs["FM1"]["priority"]

    _divide(tables, "GU2", "胃炎", "9")
    _divide(tables, "JA1", "乳房切除术", "135")

    promoted = {"J98.414", "B37.000"}
    tables["mcc"] += [row for row in tables["cc"] if row["code"] in promoted]
    tables["cc"] = [row for row in tables["cc"] if row["code"] not in promoted]
    # hypertension no longer hides its heart disease; heart failure hides the salts that its treatment costs
    changed = {"T03": ("I50", "I21", "I42"), "T07": (*comorbidity.EXCLUSIONS["T07"], "I50")}
    tables["exclusion"] = _exclusions(tables, comorbidity.EXCLUSIONS | changed)

    tables["weight"] = [
        {
            "drg": row["drg"],
            "weight": _weight(row["adrg"], row["drg"][3]),
            "reference": "云岫省示例基准",
            "year": str(year),
        }
        for row in tables["drg"]
    ]
    return tables


def _before(adrg: dict[str, str]) -> str:
    return str(int(adrg["priority"]) - 5)


def _drop_adrg(tables: Tables, adrg: str) -> None:
    lists = {row["list_id"] for row in tables["adrg_condition"] if row["adrg"] == adrg}
    tables["code_list"] = [row for row in tables["code_list"] if row["list_id"] not in lists]
    for table in ("adrg", "adrg_condition", "drg"):
        tables[table] = [row for row in tables[table] if row["adrg"] != adrg]


def _divide(tables: Tables, adrg: str, name: str, split: str) -> None:
    tables["drg"] = [row for row in tables["drg"] if row["adrg"] != adrg] + _drgs(adrg, name, split)


def _weight(adrg: str, digit: str) -> str:
    costs = casemix.ADRG_COSTS
    yuan = round(casemix.cost_yuan(costs.get(adrg, costs["ES2"]), digit))
    return str((Decimal(yuan) / _REFERENCE_COST).quantize(Decimal("0.0001")))
