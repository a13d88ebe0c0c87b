"""The golden table as a genuine inbox: two hospitals, two encodings, one file a month, one month sent twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from backtests.count import BEDS, CATALOGUE, ENDOSCOPIC, REPORTS, golden_rows
from support.front_page import (
    CATALOGUE_HEADER,
    DRG_HEADER,
    HOSPITAL_HEADER,
    clean_front_page,
    front_page_csv,
    put,
    table_csv,
)

ORGANISATIONS = {"H1": "12990000400000001A", "H2": "12990000400000002B"}
ENCODINGS = {"H1": "gb18030", "H2": "utf-8"}
RESIDENCES = {
    "in": ("云岫省岫宁市东岫区示例路1号", "990100"),
    "in_city": ("岫宁市西岫区示例路2号", "-"),
    "in_postcode": ("-", "990201"),
    "out": ("四川省成都市武侯区示例路3号", "990100"),
    "out_city": ("成都市武侯区示例路4号", "-"),
    "out_postcode": ("-", "610000"),
    "unknown": ("-", "-"),
}
# what else a front page of the table says, by the codes of the interface
EXTRAS = {
    "": {},
    "complication": {"C06x01C": "T81.000", "C07x01N": "示例诊断", "C08x01C": "4"},
    "present": {"C06x01C": "T81.000", "C07x01N": "示例诊断", "C08x01C": "1"},
    "class1": {"C21x01C": "1"},
    "class1_bad": {"C21x01C": "3"},
    "foreign": {"A15C": "USA"},
}
DISEASE_HEADER = ("机构代码", "病案号", "报告编号", "病种代码", "状态", "入院时间", "出院时间", "上报时间")
BED_HEADER = ("机构代码", "月份", "科室代码", "编制床位", "开放总床日", "占用总床日")
QUARANTINED = 2  # a stay that is no number, and a second row with an equal key


def page(row: dict[str, str], **codes: str) -> dict[str, str]:
    address, postcode = RESIDENCES[row["residence"]]
    return clean_front_page(
        organisation=ORGANISATIONS[row["hospital"]],
        record=f"GOLD{row['id']}",
        admitted=datetime.fromisoformat(row["admitted"]),
        discharged=datetime.fromisoformat(row["discharged"]),
        department=row["department"],
        diagnosis=row["diagnosis"],
        serial=int(row["id"]),
        operations=[code for code in row["operations"].split(";") if code],
        mode=row["mode"],
        route=row["route"],
        address=address,
        postcode=postcode,
        cost_fen=int(Fraction(row["cost_yuan"]) * 100),
        **{**EXTRAS[row["extra"]], **codes},
    )


def write_golden_inbox(home: Path) -> None:
    inbox = home / "inbox"
    months: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in golden_rows():
        months[row["hospital"], row["discharged"][:7]].append(row)
    for (hospital, month), rows in months.items():
        pages = [page(row) for row in rows]
        if (hospital, month) == ("H2", "2024-05"):
            pages += [{**pages[0], "A48": "GOLD97", "B20": "八天"}, dict(pages[-1])]
        organisation, encoding = ORGANISATIONS[hospital], ENCODINGS[hospital]
        name = f"hqmsts_{month[:4]}M{month[5:]}"
        put(inbox / "hqms" / organisation / f"{name}.csv", front_page_csv(pages, encoding))
        if (hospital, month) == ("H1", "2022-03"):
            _write_first_submission(inbox / "hqms" / organisation, name, rows[0], encoding)
        if any(row["drg"] for row in rows):
            put(inbox / "drg" / organisation / f"drg_{month}.csv", _groups(rows, organisation))
    _write_registers(inbox)
    _write_reports(inbox)


def _write_first_submission(folder: Path, name: str, row: dict[str, str], encoding: str) -> None:
    """What H1 first sent for March 2022: another price, and a patient who later turned out not to be there."""
    (folder / f"{name}.csv").rename(folder / f"{name}_2.csv")
    another = page({**row, "id": "98", "mode": "5"})
    put(folder / f"{name}.csv", front_page_csv([page({**row, "cost_yuan": "9000.00"}), another], encoding))


def _write_reports(inbox: Path) -> None:
    """The platform's extract; a report that has no front page is of March 2024."""
    known = {row["id"]: (row["hospital"], row["discharged"]) for row in golden_rows()}
    header = [*DISEASE_HEADER, *(f"指标{n:02d}{part}" for n in (1, 2, 3) for part in ("编码", "分母", "分子"))]
    lines = []
    for serial, disease, state, due, met in REPORTS:
        hospital, discharged = known.get(serial, ("H2", "2024-03-30 10:00:00"))
        items = [(f"{disease}-{n + 1}", "是" if n < due else "否", "是" if n < met else "否") for n in range(3)]
        head = (ORGANISATIONS[hospital], f"GOLD{serial}", f"R{serial}", disease, state, "-", discharged, "-")
        lines.append((*head, *(cell for item in items for cell in item)))
    put(inbox / "single_disease" / "reports.csv", table_csv(header, lines))


def _groups(rows: list[dict[str, str]], organisation: str) -> bytes:
    """The grouper's answer; it does not answer for a row without a group in the golden table."""
    return table_csv(
        DRG_HEADER,
        (
            (organisation, f"GOLD{row['id']}", "1", row["discharged"], row["drg"], "示例方案1.0", "")
            for row in rows
            if row["drg"]
        ),
    )


def _write_registers(inbox: Path) -> None:
    hospitals = (
        (ORGANISATIONS["H1"], "云岫省示例第一医院", "三级", "甲等", "综合医院", "990102", "岫宁市", "是"),
        (ORGANISATIONS["H2"], "栖岚市示例医院", "二级", "甲等", "综合医院", "990202", "栖岚市", "否"),
    )
    rest = ("否", "否", "否", "03;04")
    put(inbox / "registry" / "hospital.csv", table_csv(HOSPITAL_HEADER, ((*row, *rest) for row in hospitals)))
    validity = {1: ("2020-01-01", "2024-01-01"), 2: ("2024-01-01", "-")}
    put(
        inbox / "catalogue" / "surgery.csv",
        table_csv(
            CATALOGUE_HEADER,
            (
                (
                    f"示例{edition}",
                    code,
                    "示例腔镜手术" if code in ENDOSCOPIC else "示例手术",
                    kind,
                    level or "-",
                    "是" if small else "否",
                    "是" if code in ENDOSCOPIC else "否",
                    *validity[edition],
                )
                for edition, entries in CATALOGUE.items()
                for code, (kind, level, small) in entries.items()
            ),
        ),
    )
    put(
        inbox / "registry" / "bed.csv",
        table_csv(
            BED_HEADER,
            (
                (ORGANISATIONS[hospital], month, department or "-", "-", str(open_days), str(occupied))
                for hospital, month, department, open_days, occupied in BEDS
            ),
        ),
    )
