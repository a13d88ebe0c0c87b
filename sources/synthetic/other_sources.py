"""The sources beside the front page: grouper results, appraisal, registers, catalogue.

Belongs here: rows and file formats of these sources, consistent with the drawn discharges. Does not
belong here: the front page and its dirt, and the single-disease reports (``single_disease.py``).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sources.synthetic import casemix, people
from sources.synthetic.cells import money
from sources.synthetic.front_page import Block
from sources.synthetic.people import Hospital
from sources.synthetic.scheme import FIRST_EDITION

Row = Sequence[Any]

DRG_HEADER = ["机构代码", "病案号", "住院次数", "出院时间", "DRG编码", "方案版本", "未入组原因"]
APPRAISAL_HEADER = [
    *(
        "机构代码",
        "机构名称",
        "数据年度",
        "指标代码",
        "指标名称",
        "指标值",
        "分子",
        "分母",
        "等级",
        "排名",
        "发布日期",
    ),
]
HOSPITAL_HEADER = [
    *(
        "机构代码",
        "机构名称",
        "级别",
        "等次",
        "类别",
        "行政区划代码",
        "所在城市",
        "是否省会",
        "国家医学中心",
        "委属委管",
    ),
    *("区域医疗中心", "登记诊疗科目"),
]
BED_HEADER = ["机构代码", "月份", "科室代码", "编制床位", "开放总床日", "占用总床日"]
POPULATION_HEADER = ["行政区划代码", "行政区划名称", "年度", "常住人口"]
PROJECT_HEADER = [
    *(
        "项目编号",
        "机构代码",
        "专科代码",
        "项目级别",
        "资金来源",
        "方向",
        "立项年度",
        "开始日期",
        "结束日期",
        "阶段",
    ),
    *("补助金额", "配套金额"),
]
PROJECT_TARGET_HEADER = ["项目编号", "指标代码", "年度", "目标值"]
ACCIDENT_HEADER = ["机构代码", "专科代码", "发生日期", "事故等级"]
CATALOGUE_HEADER = [
    "版本",
    "手术操作编码",
    "手术操作名称",
    "类别",
    "级别",
    "是否微创",
    "是否日间",
    "生效日期",
    "失效日期",
]


def csv_bytes(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """UTF-8 with a byte order mark, as spreadsheet programs export it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8-sig")


def xlsx_bytes(sheet: str, header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A workbook of text and number cells that carries no time of writing."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2020, 1, 1)})
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        page.set_column(0, len(header) - 1, 16)
        page.write_row(0, 0, header)
        for number, row in enumerate(rows, 1):
            page.write_row(number, 0, row)
    return buffer.getvalue()


# --- per hospital and month ---


# the words of the commission's own grouper, which knows fewer reasons
_GROUPER_REASONS = {
    "principal_outside_scheme": "主要诊断不在方案内",
    "sex_conflict": "性别与诊断不符",
    "age_conflict": "年龄与诊断不符",
    "weight_conflict": "体重与诊断不符",
    "no_adrg": "诊断与操作不符",
    "no_drg": "诊断与操作不符",
}
_DIFFERS = 1 / 200
_SIBLINGS = {
    group.code: [other.code for other in casemix.groups() if other.adrg == group.adrg and other.code != group.code]
    for group in casemix.groups()
    if group.code
}


def drg_rows(block: Block, rng: np.random.Generator) -> tuple[list[Row], int]:
    """What the commission's own grouper says: one row per discharge, grouped or with the reason why not.

    It is another program: one grouped case in two hundred comes to another DRG of the ADRG, or to none where there is
    no other. Returns the rows and how many of them differ.
    """
    cells = block.cells
    size = len(block)
    groups, reasons, differing = block.drg[:], [_GROUPER_REASONS.get(why, "") for why in block.ungrouped_reason], 0
    for row in np.flatnonzero(rng.random(size) < _DIFFERS).tolist():
        if block.drg[row]:
            siblings = _SIBLINGS[block.drg[row]] or [""]
            groups[row] = siblings[row % len(siblings)]
            reasons[row] = "" if groups[row] else "住院天数异常"
            differing += 1
    rows = zip(
        cells["A01"][:size],
        cells["A48"][:size],
        cells["A49"][:size],
        cells["B15"][:size],
        groups,
        [FIRST_EDITION] * size,
        reasons,
        strict=True,
    )
    return list(rows), differing


# --- whole province ---


def _flag(value: bool) -> str:
    return "是" if value else "否"


def hospital_rows(hospitals: list[Hospital]) -> list[Row]:
    """The register of hospitals."""
    departments = sorted({group.department for group in casemix.groups()} | {"0310"})
    rows: list[Row] = []
    for hospital in hospitals:
        wanted = {group.department for group in casemix.groups() if group.mdc in (hospital.focus or group.mdc)}
        subjects = ["5001", "5002", "5010"] if hospital.kind == "中医" else [d for d in departments if d in wanted]
        rows.append(
            [
                hospital.organisation_id,
                hospital.name,
                hospital.level,
                hospital.grade,
                hospital.kind,
                hospital.division,
                hospital.city,
                _flag(hospital.division.startswith("9901")),
                _flag(hospital.index == 0),
                _flag(hospital.index == 1),
                _flag(hospital.index in (0, 4)),
                "；".join(code[:2] if code.endswith("00") else code for code in subjects),
            ]
        )
    return rows


def bed_rows(hospitals: list[Hospital], month: str, month_days: int, bed_days: dict[int, dict[str, int]]) -> list[Row]:
    """Beds of each hospital as a whole (no department code) and of each of its departments."""
    rows: list[Row] = []
    for hospital in hospitals:
        by_department = bed_days.get(hospital.index, {})
        lines: list[list[Any]] = []
        for code, occupied in sorted(by_department.items()):
            beds = max(2, -(-occupied * 100 // (month_days * (82 + hospital.index % 12))))
            lines.append(
                [
                    hospital.organisation_id,
                    month,
                    code,
                    beds,
                    beds * month_days,
                    min(occupied, beds * month_days),
                ]
            )
        totals = [sum(line[i] for line in lines) for i in (3, 4, 5)]
        rows.append([hospital.organisation_id, month, "", *totals])
        rows.extend(lines)
    return rows


def population_rows(years: list[int]) -> list[Row]:
    """Residents of the province and its prefectures."""
    base = [5_230_000, 3_180_000, 2_910_000, 2_440_000, 1_960_000, 1_720_000]
    rows: list[Row] = []
    for year in years:
        people_of = [round(size * (1 + 0.001 * (year - 2020))) for size in base]
        rows.append([people.PROVINCE, "云岫省", year, sum(people_of)])
        rows += [
            [code, name, year, size] for (code, name), size in zip(people.PREFECTURES.items(), people_of, strict=True)
        ]
    return rows


_GRADES = ["A++", "A+", "A", "B++", "B+", "B", "C++", "C+"]
SURGERY_SHARE = "JX00402"
_APPRAISAL_SHARES = [
    (SURGERY_SHARE, "出院患者手术占比", 0.31),
    ("JX00502", "出院患者微创手术占比", 0.24),
    ("JX00602", "出院患者四级手术比例", 0.17),
    ("JX00802", "手术患者并发症发生率", 0.006),
]


# what a hospital knows of its own year: discharges, surgical ones, and by disease its cases and deaths
Counted = Counter[str]
_DEATH_RATES = {
    "HF": ("JX0100207", "心力衰竭病死率"),
    "CAP": ("JX0100307", "肺炎（住院、成人）病死率"),
    "STK": ("JX0100507", "脑梗死病死率"),
    "CABG": ("JX0100807", "冠状动脉旁路移植术病死率"),
    "AECOPD": ("JX0101007", "慢性阻塞性肺疾病病死率"),
}


def count_year(block: Block, due: Iterable[tuple[int, str]]) -> Counted:
    """The block's part in its hospital's year; `due`: the rows of each disease that is to be reported."""
    counted = Counter({"discharges": len(block), "surgical": surgical_discharges(block)})
    for row, disease in due:
        counted[f"cases {disease}"] += 1
        counted[f"deaths {disease}"] += block.cells["B34C"][row] == "5"
    return counted


def surgical_discharges(block: Block) -> int:
    """Discharges with an operation that the catalogue counts as surgery or intervention."""
    surgical = casemix.surgical_codes()
    operations = [values for item, values in block.cells.items() if item == "C14x01C" or item.startswith("C35x")]
    return sum(any(code in surgical for code in codes) for codes in zip(*operations, strict=True))


def appraisal_rows(
    hospitals: list[Hospital], year: int, rng: np.random.Generator, counted: Mapping[int, Counted]
) -> list[Row]:
    """Results of the tertiary hospitals for a data year, published in the January after next.

    `counted`: what each hospital counted, where the year's front pages are known; it reports its discharges within one
    part in a hundred, and everything else as it is.
    """
    tertiary = [hospital for hospital in hospitals if hospital.level == "三级"]
    release = f"{year + 2}-01-20"
    order = sorted(tertiary, key=lambda h: (-h.size, h.index))
    rows: list[Row] = []
    for rank, hospital in enumerate(order, 1):
        grade = _GRADES[min((rank - 1) * len(_GRADES) // max(len(order), 1), len(_GRADES) - 1)]
        head = [hospital.organisation_id, hospital.name, year]
        score = round(950 - 28 * rank + float(rng.uniform(-8, 8)), 2)
        rows.append([*head, "GK000", "绩效考核等级", score, "", "", grade, rank, release])
        discharges = int(hospital.size * 12_000 * rng.uniform(0.9, 1.1))
        own = counted.get(hospital.index, Counter[str]())
        known = own["discharges"]
        if known:
            discharges = known + known * ((hospital.index + year) % 3 - 1) // 100
        for code, name, usual in _APPRAISAL_SHARES:
            numerator = int(discharges * usual * rng.uniform(0.8, 1.2))
            if known and code == SURGERY_SHARE:
                numerator = own["surgical"]
            value = round(100 * numerator / discharges, 4)
            rows.append([*head, code, name, value, numerator, discharges, "", "", release])
        for disease, (code, name) in _DEATH_RATES.items():
            if cases := own[f"cases {disease}"]:
                deaths = own[f"deaths {disease}"]
                rows.append([*head, code, name, round(100 * deaths / cases, 4), deaths, cases, "", "", release])
    return rows


def project_rows(hospitals: list[Hospital], first_year: int) -> list[Row]:
    """Ledger of specialty projects."""
    levels = ["国家级", "省级", "省级", "市级", "县级"]
    funding = {"国家级": "中央财政", "省级": "省级财政", "市级": "市级财政", "县级": "县级财政"}
    specialties = ["0304", "0401", "0303", "0403", "0301", "0502", "0305", "0405"]
    rows: list[Row] = []
    for number in range(min(24, 2 * len(hospitals))):
        hospital = hospitals[number % len(hospitals)]
        level = "县级" if hospital.level != "三级" else levels[number % 4]
        year = first_year - 1 + number % 3
        amount = {"国家级": 5_000_000, "省级": 2_000_000, "市级": 800_000, "县级": 300_000}[level]
        rows.append(
            [
                f"XM{year}{number + 1:04d}",
                hospital.organisation_id,
                specialties[number % len(specialties)],
                level,
                funding[level],
                "临床重点专科能力建设",
                year,
                f"{year}-07-01",
                f"{year + 3}-06-30",
                "在建" if number % 3 else "验收通过",
                f"{amount}.00",
                f"{amount * (8 + number % 5) // 10}.00",
            ]
        )
    return rows


# what a task book promises: indicator, value in the first year, change a year
_TARGETS = [("cmi", 1.0, 0.02), ("mean_length_of_stay", 8.0, -0.2), ("single_disease_report_rate", 0.85, 0.03)]


def project_target_rows(projects: list[Row]) -> list[Row]:
    """Yearly targets of the projects of the nation and the province."""
    return [
        [project[0], indicator, int(project[6]) + number, f"{first + number * step:.4f}"]
        for project in projects
        if project[3] in ("国家级", "省级")
        for indicator, first, step in _TARGETS
        for number in range(4)
    ]


def accident_rows(hospitals: list[Hospital], first_year: int) -> list[Row]:
    """Two accidents, one of them before the period."""
    chosen = [hospitals[len(hospitals) // 2], hospitals[-1]]
    return [
        [chosen[0].organisation_id, "0401", f"{first_year}-09-14", "三级"],
        [chosen[1].organisation_id, "0502", f"{first_year - 2}-03-02", "二级"],
    ]


def catalogue_rows(first_year: int) -> dict[str, list[Row]]:
    """Rows of the surgery catalogue by edition."""
    editions: dict[str, list[Row]] = {}
    for entry in casemix.surgery_catalogue(first_year):
        operation = entry.operation
        editions.setdefault(entry.edition, []).append(
            [
                entry.edition,
                operation.code,
                operation.name,
                operation.kind,
                operation.level,
                _flag(operation.minimally_invasive),
                _flag(operation.day_surgery),
                entry.effective_from,
                entry.effective_to,
            ]
        )
    return editions


def recosted(block: Block) -> dict[str, list[str]]:
    """Cells of a resubmission: every fiftieth stay is withdrawn, every twentieth costs 100 yuan more."""
    cells = {item: [text for row, text in enumerate(values) if row % 50 != 7] for item, values in block.cells.items()}
    for row in range(0, len(cells["D01"]), 20):
        for item in ("D01", "D34"):
            cells[item][row] = money(np.array([int(cells[item][row].replace(".", "")) + 10_000]))[0]
    return cells
