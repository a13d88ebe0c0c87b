"""A second opinion: all indicators computed from the raw inbox files with pandas and exact arithmetic.

Written from the rules and not from the product. It opens the inbox files itself (CSV, gzip, zip, DBF pairs, pinyin
layout), decides itself what is refused, resubmitted, trimmed and grouped, and does every division on integers. Of the
product it reads nothing but the reference tables (names of divisions, postcodes, specialties, MDC to specialty).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zipfile
from calendar import isleap, monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "sources" / "reference"
TERMINOLOGY = REPOSITORY / "dbt" / "seeds" / "terminology"
MISSING = {"", "-"}
YES = ("是", "1", "Y")
BROKEN = "\ue000"


# ---------------------------------------------------------------------------------------------- layouts


@dataclass(frozen=True)
class Layout:
    """Where one dialect of the front page keeps what the indicators need, and which columns must be numbers."""

    recognised_by: tuple[str, ...]
    month_in_name: str
    columns: Mapping[str, str]
    operations: tuple[str, ...]
    diagnoses: tuple[tuple[str, str], ...]  # (code, admission condition)
    incisions: tuple[str, ...]
    integers: tuple[str, ...]
    amounts: tuple[str, ...]
    hours: Mapping[str, str] = field(default_factory=dict)


def _slots(pattern: str, numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(pattern.format(n) for n in numbers)


D_CODES = (
    *("D01", "D09", "D11", "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D19", "D19x01", "D20", "D20x01"),
    *("D20x02", "D21", "D22", "D23", "D23x01", "D24", "D25", "D26", "D27", "D28", "D29", "D30", "D31", "D32"),
    *("D33", "D34"),
)
P_FEES = ("P782", *_slots("P{}", (n for n in range(751, 782) if n not in (753, 766))))
PINYIN_FEES = (
    "ZFY",
    "ZFJE",
    "YLFWF",
    "ZLCZF",
    "HLF",
    "QTFY",
    "BLZDF",
    "SYSZDF",
    "YXXZDF",
    "LCZDXMF",
    "FSSZLXMF",
    "WLZLF",
    "SSZLF",
    "MAF",
    "SSF",
    "KFF",
    "ZYZLF",
    "XYF",
    "KJYWF",
    "ZCYF",
    "ZCYF1",
    "XF",
    "BDBLZPF",
    "QDBLZPF",
    "NXYZLZPF",
    "XBYZLZPF",
    "HCYYCLF",
    "YYCLF",
    "YCXYYCLF",
    "QTF",
)
LAYOUTS = {
    "abcd": Layout(
        recognised_by=("A01", "A48", "A49", "B12", "B15", "C03C", "D01"),
        month_in_name=r"hqmsts_(\d{4})M(\d{2})",
        columns={
            **{"organisation": "A01", "record": "A48", "stay": "A49", "admitted": "B12", "discharged": "B15"},
            **{"sex": "A12C", "route": "B11C", "department": "B16C", "days": "B20", "mode": "B34C"},
            **{"fee": "D01", "diagnosis": "C03C", "address": "A26", "postcode": "A28C"},
            **{"nationality": "A15C", "outcome": "F05", "rescue": "", "rescued": "", "age": "A14"},
        },
        operations=("C14x01C", *_slots("C35x{:02d}C", range(1, 41))),
        diagnoses=(("C03C", "C05C"), *((f"C06x{n:02d}C", f"C08x{n:02d}C") for n in range(1, 41))),
        incisions=("C21x01C", *_slots("C42x{:02d}C", range(1, 41))),
        integers=("A49", "A14", "B20", "A16", "A18x01", "A17", *_slots("C{}", range(28, 34)), "C47"),
        amounts=D_CODES,
    ),
    "p": Layout(
        recognised_by=("P900", "P3", "P2", "P22", "P25", "P321", "P741", "P782"),
        month_in_name=r"(?<!\d)(20\d{2})(\d{2})_",
        columns={
            **{"organisation": "P900", "record": "P3", "stay": "P2", "admitted": "P22", "discharged": "P25"},
            **{"sex": "P5", "route": "P804", "department": "P26", "days": "P27", "mode": "P741"},
            **{"fee": "P782", "diagnosis": "P321", "address": "P801", "postcode": "P803"},
            **{"nationality": "P12", "outcome": "P323", "rescue": "P421", "rescued": "P422", "age": "P7"},
        },
        operations=(
            *("P490", "P4911", "P4922", "P4533", "P4544"),
            *("P45002", "P45014", "P45026", "P45038", "P45050"),
        ),
        diagnoses=(
            *(("P321", "P805"), ("P324", "P806"), ("P327", "P807"), ("P3291", "P808"), ("P3294", "P809")),
            *(("P3297", "P810"), ("P3281", "P811"), ("P3284", "P812"), ("P3287", "P813"), ("P3271", "P814")),
            ("P3274", "P815"),
        ),
        incisions=(
            *("P499", "P4920", "P4531", "P4542", "P4553"),
            *("P45012", "P45024", "P45036", "P45048", "P45060"),
        ),
        integers=(
            "P2",
            "P7",
            "P27",
            "P421",
            "P422",
            "P681",
            "P67",
            "P907",
            "P731",
            "P732",
            "P908",
            "P733",
            "P734",
            "P72",
        ),
        amounts=P_FEES,
    ),
    "pinyin": Layout(
        recognised_by=("ZZJGDM", "BAH", "ZYCS", "ZYZD_JBBM", "LYFS", "ZFY"),
        month_in_name=r"TCMMS_(\d{4})(\d{2})",
        columns={
            **{"organisation": "ZZJGDM", "record": "BAH", "stay": "ZYCS", "admitted": "RYSJ"},
            **{"discharged": "CYSJ", "sex": "XB", "route": "RYTJ", "department": "CYKB", "days": "SJZY"},
            **{"mode": "LYFS", "fee": "ZFY", "diagnosis": "ZYZD_JBBM", "address": "XZZ", "postcode": "YB1"},
            **{"nationality": "GJ", "outcome": "", "rescue": "", "rescued": "", "age": "NL"},
        },
        operations=_slots("SSJCZBM{}", range(1, 42)),
        diagnoses=(("ZYZD_JBBM", "RYBQ"), *((f"JBDM{n}", f"RYBQ{n}") for n in range(1, 41))),
        incisions=_slots("QKYLB{}", range(1, 42)),
        integers=(
            "ZYCS",
            "NL",
            "BZYZS_NL",
            "SJZY",
            "XSETZ",
            "XSERYTZ",
            "RYQ_T",
            "RYQ_XS",
            "RYQ_F",
            "RYH_T",
            "RYH_XS",
            "RYH_F",
            "HXJSY",
        ),
        amounts=PINYIN_FEES,
        hours={"RYSJ": "RYSJ_S", "CYSJ": "CYSJ_S"},
    ),
}
REQUIRED = ("organisation", "record", "stay", "admitted", "discharged", "sex", "department", "days", "mode", "fee")
CODES = {"sex": {"0", "1", "2", "9"}, "route": {"1", "2", "3", "9"}, "mode": {"1", "2", "3", "4", "5", "9"}}
LENGTHS = {"organisation": 22, "record": 50}


# ---------------------------------------------------------------------------------------------- carriers


class Refused(Exception):
    """The file as a whole cannot be read."""


def _decode(raw: bytes) -> str:
    """UTF-8 if the file is, else GB18030; a line that is neither begins with BROKEN."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    lines = []
    for line in raw.split(b"\n"):
        try:
            lines.append(line.decode("gb18030"))
        except UnicodeDecodeError:
            lines.append(BROKEN + line.decode("gb18030", "replace"))
    return "\n".join(lines)


def _csv_rows(raw: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(_decode(raw), newline=""))


def _dbf_rows(raw: bytes) -> Iterator[list[str]]:
    """Header, then records, of a DBF table: 32 bytes of head, 32 per field, fixed-width records."""
    records, head, width = (int.from_bytes(raw[at : at + size], "little") for at, size in ((4, 4), (8, 2), (10, 2)))
    if len(raw) < head + records * width:
        raise Refused("truncated")
    names, cuts, at = [], [], 1
    for start in range(32, head - 1, 32):
        if raw[start] == 0x0D:
            break
        names.append(raw[start : start + 11].split(b"\0")[0].decode("ascii"))
        cuts.append(slice(at, at + raw[start + 16]))
        at += raw[start + 16]
    yield names
    for number in range(records):
        record = raw[head + number * width : head + (number + 1) * width]
        if record[:1] != b"*":
            yield [record[cut].decode("gb18030").strip(" \0") for cut in cuts]


def read_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a file, header first, whatever it is packed in."""
    raw = path.read_bytes()
    try:
        if path.suffix == ".gz":
            return _csv_rows(gzip.decompress(raw))
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                members = {name: archive.read(name) for name in sorted(archive.namelist())}
            tables = [name for name in members if name.lower().endswith(".dbf")]
            if tables:
                first, *others = ([*_dbf_rows(members[name])] for name in tables)
                for other in others:
                    first = [left + right for left, right in zip(first, other, strict=True)]
                return iter(first)
            (only,) = members.values()
            return _csv_rows(only)
        if path.suffix == ".xlsx":
            return _workbook_rows(path)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise Refused("archive") from error
    return _csv_rows(raw)


def _workbook_rows(path: Path) -> Iterator[list[str]]:
    from python_calamine import CalamineWorkbook

    for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python():
        yield [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in row]


def natural(path: str) -> list[tuple[int, int | str]]:
    """Path order in which 2 comes before 10."""
    return [
        [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", step) if part]
        for step in path.split("/")
    ]


def inbox_files(inbox: Path, system: str) -> list[Path]:
    """The files of a system in order of arrival, exact copies of an earlier file left out."""
    seen, files = set(), []
    for path in sorted((inbox / system).rglob("*"), key=lambda p: natural(p.relative_to(inbox).as_posix())):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in seen:
                seen.add(digest)
                files.append(path)
    return files


# ---------------------------------------------------------------------------------------------- values


def _time(text: str, hour: str | None = None) -> datetime | None:
    text = text.replace("/", "-").replace("T", " ")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(hour=int(hour)) if hour not in (None, "", "-") else moment
    except ValueError:
        return None


INTEGER = re.compile(r"[+-]?\d{1,10}(\.0+)?")
AMOUNT = re.compile(r"([+-]?\d{1,15})(?:\.(\d{1,2})0*)?")


def _fen(text: str) -> int | None:
    match = AMOUNT.fullmatch(text)
    if not match:
        return None
    sign = -1 if text.startswith("-") else 1
    return sign * (abs(int(match[1])) * 100 + int((match[2] or "").ljust(2, "0")))


def department_code(raw: str) -> str:
    """`A03.04`, `03.04`, `304` -> `0304`; a third-level code is cut to its second level; longer ones mean nothing."""
    digits = re.sub(r"\D", "", raw)
    width = {0: 0, 1: 2, 2: 2, 3: 4, 4: 4, 6: 4}.get(len(digits), 0)
    return digits[:width].zfill(width)


# ---------------------------------------------------------------------------------------------- front pages


@dataclass
class FrontPages:
    """Rows in force, and how many rows of which file did not land for which reason."""

    rows: pd.DataFrame
    read: Counter
    landed: Counter
    quarantined: Counter
    refused: list[str]


def read_front_pages(inbox: Path) -> FrontPages:
    read, landed, quarantined, refused = Counter(), Counter(), Counter(), []
    slices: dict[tuple[str, str], list[tuple]] = {}
    for path in inbox_files(inbox, "hqms"):
        name = path.relative_to(inbox).as_posix()
        try:
            rows = read_rows(path)
            header = [cell.strip().upper() for cell in next(rows, [])]
            layout = next(
                (known for known in LAYOUTS.values() if {c.upper() for c in known.recognised_by} <= set(header)), None
            )
            if layout is None:
                raise Refused("layout")
            judged = list(_judged(rows, header, layout, path.name))
            if 2 * sum(reason == "outside_file_month" for reason, _ in judged) > len(judged):
                raise Refused("the name says another month")
        except Refused:
            refused.append(name)
            continue
        read[name] = len(judged)
        landed[name] = sum(reason is None for reason, _ in judged)
        quarantined += Counter((name, reason) for reason, _ in judged if reason)
        arrived: dict[tuple[str, str], list[tuple]] = defaultdict(list)
        for reason, row in judged:
            if reason is None:
                arrived[row[0], f"{row[4]:%Y-%m}"].append(row)
        slices |= arrived
    names = (*LAYOUTS["abcd"].columns, "operations", "diagnoses", "acquired", "incisions")
    rows = pd.DataFrame([row for part in slices.values() for row in part], columns=list(names))
    return FrontPages(rows, read, landed, quarantined, refused)


def _judged(rows, header: list[str], layout: Layout, file_name: str) -> Iterator[tuple[str | None, tuple]]:
    """(reason or None, the row's values) for every row of a file."""
    place = {name: position for position, name in enumerate(header)}
    wanted = {key: place.get(code.upper()) for key, code in layout.columns.items()}
    operations = [place[code.upper()] for code in layout.operations if code.upper() in place]
    incisions = [place[code.upper()] for code in layout.incisions if code.upper() in place]
    diagnoses = [
        (place[code.upper()], place[condition.upper()])
        for code, condition in layout.diagnoses
        if {code.upper(), condition.upper()} <= set(place)
    ]
    integers = [place[code.upper()] for code in layout.integers if code.upper() in place]
    amounts = [place[code.upper()] for code in layout.amounts if code.upper() in place]
    hours = {key: place.get(layout.hours.get(layout.columns[key], "")) for key in ("admitted", "discharged")}
    month = re.search(layout.month_in_name, file_name, re.IGNORECASE)
    month_text = f"{month[1]}-{month[2]}" if month else None
    seen = set()

    def cell(row: list[str], position: int | None) -> str:
        text = row[position].strip(" \t　") if position is not None else ""
        return "" if text in MISSING else text

    for row in rows:
        if not row:
            continue
        if row[0].startswith(BROKEN) or len(row) != len(header):
            yield "bad_encoding" if row[0].startswith(BROKEN) else "ragged_row", ()
            continue
        value = {key: cell(row, position) for key, position in wanted.items()}
        moments = {
            key: _time(value[key], cell(row, hours[key]) if hours[key] is not None else None)
            for key in ("admitted", "discharged")
        }
        reason = None
        if any(not value[key] for key in REQUIRED):
            reason = "required_missing"
        elif any(len(value[key]) > limit for key, limit in LENGTHS.items()):
            reason = "too_long"
        elif None in moments.values():
            reason = "not_datetime"
        elif any(text and not INTEGER.fullmatch(text) for text in (cell(row, at) for at in integers)):
            reason = "not_integer"
        elif any(text and _fen(text) is None for text in (cell(row, at) for at in amounts)):
            reason = "not_amount"
        elif any(value[key] and value[key] not in codes for key, codes in CODES.items()):
            reason = "not_in_code_list"
        elif month_text and f"{moments['discharged']:%Y-%m}" != month_text:
            reason = "outside_file_month"
        else:
            key = (value["organisation"], value["record"], int(value["stay"]), moments["discharged"])
            if key in seen:
                reason = "duplicate_key"
            seen.add(key)
        if reason:
            yield reason, ()
            continue
        typed = {
            **value,
            **moments,
            "stay": int(value["stay"]),
            "days": int(float(value["days"])),
            "fee": _fen(value["fee"]),
        }
        yield (
            None,
            (
                *typed.values(),
                tuple(cell(row, at) for at in operations),
                tuple(cell(row, code).upper() for code, _ in diagnoses),
                tuple(cell(row, code).upper() for code, condition in diagnoses if cell(row, condition) == "4"),
                tuple(cell(row, at) for at in incisions),
            ),
        )


def read_groups(inbox: Path) -> dict[tuple, str]:
    """(organisation, record, stay, discharge time) -> DRG code, later submissions of a month replacing earlier."""
    slices: dict[tuple[str, str], dict[tuple, str]] = {}
    for path in inbox_files(inbox, "drg"):
        try:
            rows = read_rows(path)
            header = [cell.strip() for cell in next(rows, [])]
            at = [header.index(name) for name in ("机构代码", "病案号", "住院次数", "出院时间", "DRG编码")]
        except (Refused, ValueError):
            continue
        arrived: dict[tuple[str, str], dict[tuple, str]] = defaultdict(dict)
        for row in rows:
            if len(row) != len(header):
                continue
            organisation, record, stay, discharged, drg = ("" if row[i].strip() == "-" else row[i].strip() for i in at)
            moment = _time(discharged)
            if organisation and record and stay.isdigit() and moment:
                arrived[organisation, f"{moment:%Y-%m}"].setdefault((organisation, record, int(stay), moment), drg)
        slices |= arrived
    return {key: drg for part in slices.values() for key, drg in part.items()}


# ---------------------------------------------------------------------------------------------- look-ups


def reference(name: str, folder: Path = REFERENCE) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def residence_rule() -> Callable[[str, str], str | None]:
    """(address, postcode) -> the four digits of the prefecture lived in, the two of the province where it tells no
    more; None where neither tells.

    The address decides: the longest province name that it begins with and the prefecture's name after it, else a
    prefecture's name that the country has only once. Without an answer the postcode's first digits decide.
    """
    level = {row["division"]: row["level"] for row in reference("divisions")}
    names = reference("address_names")
    provinces = {row["name"]: row["division"][:2] for row in names if level[row["division"]] == "province"}
    cities: dict[str, set[str]] = defaultdict(set)
    inside: dict[tuple[str, str], str] = {}
    for row in names:
        if level[row["division"]] == "prefecture":
            cities[row["name"]].add(row["division"])
            inside[row["division"][:2], row["name"]] = row["division"][:4]
    unique = {name: next(iter(found))[:4] for name, found in cities.items() if len(found) == 1}
    prefixes = {row["prefix"]: row["division"][:2] for row in reference("postcodes")}
    known: dict[tuple[str, str], str | None] = {}

    def of(address: str, postcode: str) -> str | None:
        text = re.sub(r"[ 　]", "", address)
        for table in (provinces, unique):
            for length in range(min(len(text), 15), 1, -1):
                if text[:length] in table:
                    found, rest = table[text[:length]], text[length:]
                    named = (inside.get((found, rest[:n])) for n in range(min(len(rest), 11), 1, -1))
                    return next((city for city in named if city), found)
        if re.fullmatch(r"\d{6}", postcode):
            return prefixes.get(postcode[:3]) or prefixes.get(postcode[:2])
        return None

    def remembered(address: str, postcode: str) -> str | None:
        if (address, postcode) not in known:
            known[address, postcode] = of(address, postcode)
        return known[address, postcode]

    return remembered


def specialty_rule() -> Callable[[str], str]:
    listed = {row["specialty_code"] for row in reference("specialties")}

    def of(department: str) -> str:
        digits = department_code(department)
        return next((code for code in (digits, digits[:2]) if code in listed), "UNMAPPED")

    return of


def mdc_rule() -> Callable[[str], str]:
    table = {(row["mdc"], row["kind"]): row["specialty_code"] for row in reference("mdc_specialty", TERMINOLOGY)}

    def of(drg: str) -> str:
        if not drg:
            return "UNMAPPED"
        kind = "surgical" if drg[1] <= "J" else "procedure" if drg[1] <= "Q" else "medical"
        return table.get((drg[0], kind), "UNMAPPED")

    return of


def is_group(drg: str) -> bool:
    return bool(drg) and drg != "0000" and not drg.endswith("QY")


def read_registers(inbox: Path, column: str) -> Iterator[list[dict[str, str]]]:
    """The registers that have a column, one list of rows per file."""
    for path in inbox_files(inbox, "registry"):
        rows = read_rows(path)
        header = [cell.strip() for cell in next(rows, [])]
        if column in header:
            yield [dict(zip(header, (cell.strip() for cell in row), strict=True)) for row in rows]


def read_cities(inbox: Path) -> dict[str, str]:
    """Hospital -> the four digits of its prefecture, by the latest register."""
    cities: dict[str, str] = {}
    for rows in read_registers(inbox, "登记诊疗科目"):
        cities = {row["机构代码"]: row["行政区划代码"][:4] for row in rows}
    return cities


Beds = dict[tuple[str, str, str], tuple[int, int]]


def read_beds(inbox: Path) -> Beds:
    """(hospital, month, specialty or ALL) -> open and occupied bed-days; ALL as told, else what departments make."""
    months: dict[str, list[dict[str, str]]] = {}
    for rows in read_registers(inbox, "开放总床日"):
        arrived: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            arrived[row["月份"]].append(row)
        months |= arrived
    specialty_of, beds, told = specialty_rule(), defaultdict(lambda: (0, 0)), set()
    for month, rows in months.items():
        for row in sorted(rows, key=lambda row: row["科室代码"] not in MISSING):
            hospital, days = row["机构代码"], (int(row["开放总床日"]), int(row["占用总床日"]))
            if row["科室代码"] in MISSING:
                told.add((hospital, month))
                keys = ["ALL"]
            else:
                keys = [specialty_of(row["科室代码"])] + ["ALL"] * ((hospital, month) not in told)
            for key in keys:
                known = beds[hospital, month, key]
                beds[hospital, month, key] = (known[0] + days[0], known[1] + days[1])
    return dict(beds)


@dataclass(frozen=True)
class Report:
    """What the single-disease platform holds of a stay under one disease."""

    state: str
    applicable: int
    met: int

    @property
    def counts(self) -> bool:
        return self.state in ("5", "6")


Reports = dict[tuple[str, str, str], dict[str, Report]]


def read_reports(inbox: Path) -> Reports:
    """(organisation, record, day of discharge) -> disease -> its report; of several the one that has come furthest."""
    slices: dict[tuple[str, str], list[tuple]] = {}
    for path in inbox_files(inbox, "single_disease"):
        rows = read_rows(path)
        header = [cell.strip() for cell in next(rows)]
        slots = [name.removesuffix("编码") for name in header if name.startswith("指标") and name.endswith("编码")]
        arrived: dict[tuple[str, str], list[tuple]] = defaultdict(list)
        for cells in rows:
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            counted = [slot for slot in slots if row[f"{slot}编码"] not in MISSING and row[f"{slot}分母"] in YES]
            report = Report(row["状态"], len(counted), sum(row[f"{slot}分子"] in YES for slot in counted))
            day = row["出院时间"][:10]
            key = (row["机构代码"], row["病案号"], day)
            arrived[row["机构代码"], day[:7]].append((key, row["病种代码"], report))
        slices |= arrived
    found: Reports = defaultdict(dict)
    order = ["8", "0", "1", "2", "3", "4", "7", "5", "6"]
    for key, disease, report in (line for lines in slices.values() for line in lines):
        known = found[key].get(disease)
        if known is None or order.index(report.state) > order.index(known.state):
            found[key][disease] = report
    return found


def asked_for() -> Callable[[tuple[str, ...], tuple[str, ...], int | None], set[str]]:
    """(diagnoses and operations by slot, age in years) -> the diseases that the platform asks a report for."""
    lists: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for row in reference("single_disease_codes"):
        of_disease = lists[row["disease_code"]]
        of_disease[row["part"]] = (*of_disease.get(row["part"], ()), row["code_prefix"])
    ages = {row["disease_code"]: (row["age_from_years"], row["age_to_years"]) for row in reference("single_diseases")}

    def of(diagnoses: tuple[str, ...], operations: tuple[str, ...], age: int | None) -> set[str]:
        said = {
            "principal_diagnosis": diagnoses[:1],
            "second_diagnosis": [code for code in diagnoses[1:] if code][:1],
            "any_diagnosis": diagnoses,
            "main_operation": operations[:1],
            "any_operation": operations,
        }
        found = set()
        for disease, parts in lists.items():
            low, high = ages[disease]
            if (low and (age is None or age < int(low))) or (high and (age is None or age > int(high))):
                continue
            if all(any(code.startswith(listed) for code in said[part]) for part, listed in parts.items()):
                found.add(disease)
        return found

    return of


@dataclass(frozen=True)
class Entry:
    """An operation in an edition of the catalogue."""

    first: datetime
    until: datetime
    kind: str
    level: str
    minimally_invasive: bool
    endoscopic: bool
    day_surgery: bool


def read_catalogue(inbox: Path) -> dict[str, list[Entry]]:
    """Operation -> its entries in all editions."""
    entries = defaultdict(list)
    for path in inbox_files(inbox, "catalogue"):
        rows = read_rows(path)
        header = [cell.strip() for cell in next(rows)]
        for row in rows:
            entry = dict(zip(header, (cell.strip() for cell in row), strict=True))
            until = entry["失效日期"]
            entries[entry["手术操作编码"]].append(
                Entry(
                    datetime.fromisoformat(entry["生效日期"]),
                    datetime.max if until in MISSING else datetime.fromisoformat(until),
                    entry["类别"],
                    entry["级别"].translate(str.maketrans("一二三四", "1234")).removesuffix("级"),
                    entry["是否微创"] in YES,
                    entry["类别"] == "介入治疗" or "镜" in entry["手术操作名称"],
                    entry["是否日间"] in YES,
                )
            )
    return entries


# ---------------------------------------------------------------------------------------------- discharges


def discharges(inbox: Path, *, province: str, pages: FrontPages | None = None) -> pd.DataFrame:
    """One row per front page in force with everything the indicators count."""
    rows = (pages or read_front_pages(inbox)).rows.copy()
    groups, catalogue = read_groups(inbox), read_catalogue(inbox)
    province_of, specialty_of, mdc_of = residence_rule(), specialty_rule(), mdc_rule()
    keys = zip(rows["organisation"], rows["record"], rows["stay"], rows["discharged"], strict=True)
    drgs = (groups.get((*key[:3], pd.Timestamp(key[3]).to_pydatetime()), "") for key in keys)
    rows["drg"] = [drg if is_group(drg) else "" for drg in drgs]
    lived = [province_of(*pair) for pair in zip(rows["address"], rows["postcode"], strict=True)]
    rows["residence_known"] = [home is not None for home in lived]
    rows["out_of_province"] = [home is not None and home[:2] != province[:2] for home in lived]
    cities = read_cities(inbox)
    # another province is enough to know that it is another city
    rows["home"] = ["" if home is None else home if home[:2] == province[:2] else home[:2] + "00" for home in lived]
    rows["city"] = [cities.get(organisation, "") for organisation in rows["organisation"]]
    rows["city_known"] = (rows["city"] != "") & (rows["home"].str.len() == 4)
    rows["out_of_city"] = rows["city_known"] & (rows["city"] != rows["home"])
    domestic = {row["nationality"] for row in reference("domestic_nationalities", TERMINOLOGY)}
    rows["nationality_known"] = rows["nationality"] != ""
    rows["foreign"] = rows["nationality_known"] & ~rows["nationality"].isin(domestic)
    rows["department_specialty"] = [specialty_of(raw) for raw in rows["department"]]
    rows["mdc_specialty"] = [mdc_of(drg) for drg in rows["drg"]]
    found = [
        _surgery(operations, pd.Timestamp(moment).to_pydatetime(), catalogue)
        for operations, moment in zip(rows["operations"], rows["discharged"], strict=True)
    ]
    rows["spectrum"] = [frozenset(done) for done in found]
    entries = [[entry for several in done.values() for entry in several] for done in found]
    rows["surgery"] = [bool(done) for done in found]
    rows["level4"] = [any(entry.level == "4" for entry in several) for several in entries]
    rows["minimally_invasive"] = [any(entry.minimally_invasive for entry in several) for several in entries]
    rows["endoscopic"] = [any(entry.endoscopic for entry in several) for several in entries]
    # 17.4 of ICD-9-CM-3 stands beside the operation that the robot assisted
    rows["robotic"] = [any(code.startswith("17.4") for code in codes if code) for codes in rows["operations"]]
    rows["robotic"] &= rows["surgery"]
    rows["elective"] = rows["surgery"] & (rows["route"] != "1")
    short = rows["discharged"] - rows["admitted"] <= pd.Timedelta(hours=48)
    rows["day_surgery"] = [any(entry.day_surgery for entry in several) for several in entries]
    rows["day_surgery"] &= rows["elective"] & short
    complications = tuple(row["code_prefix"] for row in reference("surgical_complications", TERMINOLOGY))
    rows["complication"] = [any(code.startswith(complications) for code in codes) for codes in rows["acquired"]]
    rows["complication"] &= rows["elective"]
    rows["class1"] = [bool({"1", "2", "3", "10"} & set(codes)) for codes in rows["incisions"]]
    rows["class1_bad"] = ["3" in codes for codes in rows["incisions"]]
    rescues = [
        (int(made), int(succeeded)) if made and succeeded and int(succeeded) <= int(made) else (0, 0)
        for made, succeeded in zip(rows["rescue"], rows["rescued"], strict=True)
    ]
    rows["rescues"], rows["rescues_succeeded"] = [made for made, _ in rescues], [won for _, won in rescues]
    # the outcome is that of the main diagnosis: without one there is none
    rows["outcome_known"] = (rows["outcome"] != "") & (rows["diagnosis"] != "")
    rows["cured"] = rows["outcome_known"] & (rows["outcome"] == "1")
    rows["improved"] = rows["outcome_known"] & rows["outcome"].isin(["1", "2"])
    rows["died"] = rows["mode"] == "5"
    rows["transferred_in"] = rows["route"] == "3"
    rows["year"] = rows["discharged"].dt.year
    rows["month"] = rows["discharged"].dt.strftime("%Y-%m")
    cancelled = rows["diagnosis"].str.upper().str.startswith("Z53") & (rows["days"] <= 2)
    reports, diseases_of = read_reports(inbox), asked_for()
    received = {day[:7] for _, _, day in reports}
    on_platform = [
        reports.get((organisation, record, f"{moment:%Y-%m-%d}"), {})
        for organisation, record, moment in zip(rows["organisation"], rows["record"], rows["discharged"], strict=True)
    ]
    asked = [
        diseases_of(diagnoses, operations, int(float(age)) if age else None) if month in received else set()
        for diagnoses, operations, age, month in zip(
            rows["diagnoses"], rows["operations"], rows["age"], rows["month"], strict=True
        )
    ]
    held = [[report for report in of_stay.values() if report.state != "8"] for of_stay in on_platform]
    rows["asked"] = [len(diseases) for diseases in asked]
    rows["reported"] = [
        sum(of_stay[disease].counts for disease in diseases & of_stay.keys())
        for diseases, of_stay in zip(asked, on_platform, strict=True)
    ]
    rows["records"] = [len(of_stay) for of_stay in held]
    rows["completed"] = [sum(report.state == "6" for report in of_stay) for of_stay in held]
    rows["submitted"] = [sum(report.counts for report in of_stay) for of_stay in held]
    rows["items"] = [sum(report.applicable for report in of_stay if report.counts) for of_stay in held]
    rows["items_met"] = [sum(report.met for report in of_stay if report.counts) for of_stay in held]
    rows["analysed"] = (rows["days"] <= 60) & (rows["fee"] >= 500) & ~cancelled
    rows["grouped"] = rows["analysed"] & (rows["drg"] != "")
    return rows


def _surgery(operations: Iterable[str], moment: datetime, catalogue: Mapping) -> dict[str, list[Entry]]:
    """The operations that are surgery by the edition of the day, with their entries."""
    found = {
        code: [
            entry
            for entry in catalogue.get(code, ())
            if entry.first <= moment < entry.until and entry.kind in ("手术", "介入治疗")
        ]
        for code in operations
        if code
    }
    return {code: entries for code, entries in found.items() if entries}


# ---------------------------------------------------------------------------------------------- indicators


def rounded(numerator: int, denominator: int, scale: int) -> int:
    """numerator / denominator in units of 10^-scale, half away from zero; all integers."""
    scaled = abs(numerator) * 10**scale
    whole, rest = divmod(scaled, denominator)
    return (whole + (2 * rest >= denominator)) * (1 if numerator >= 0 else -1)


@dataclass(frozen=True)
class Cell:
    """What is published of one indicator: decimals of a fixed scale, and the number of cases behind them."""

    numerator: Decimal
    denominator: Decimal | None
    value: Decimal | None
    case_count: int


@dataclass
class Sums:
    """Sums over discharges; the last five over analysed cases with a group only."""

    discharges: int = 0
    days: int = 0
    surgery: int = 0
    level4: int = 0
    minimally_invasive: int = 0
    robotic: int = 0
    transferred_in: int = 0
    residence_known: int = 0
    out_of_province: int = 0
    city_known: int = 0
    out_of_city: int = 0
    nationality_known: int = 0
    foreign: int = 0
    elective: int = 0
    day_surgery: int = 0
    complication: int = 0
    class1: int = 0
    class1_bad: int = 0
    endoscopic: int = 0
    died: int = 0
    rescues: int = 0
    rescues_succeeded: int = 0
    outcome_known: int = 0
    improved: int = 0
    cured: int = 0
    asked: int = 0
    reported: int = 0
    records: int = 0
    completed: int = 0
    submitted: int = 0
    items: int = 0
    items_met: int = 0
    cases: int = 0
    case_fen: int = 0
    case_days: int = 0
    case_deaths: int = 0
    case_transfers: int = 0

    def add(self, values: Iterable[int]) -> None:
        for name, value in zip(SUMS, values, strict=True):
            setattr(self, name, getattr(self, name) + value)


SUMS = tuple(Sums.__dataclass_fields__)
ByGroup = dict[str, Sums]


def atoms(rows: pd.DataFrame) -> list[tuple[tuple, tuple[int, ...]]]:
    """Sums per year, hospital, both specialties and group; the group is empty where a case has none."""
    table = rows.assign(discharges=1, drg=rows["drg"].where(rows["grouped"], ""))
    for name, source in (("cases", 1), ("case_fen", "fee"), ("case_days", "days"), ("case_deaths", "died")):
        table[name] = rows["grouped"].astype("int64") * (source if source == 1 else rows[source].astype("int64"))
    table["case_transfers"] = (rows["grouped"] & rows["transferred_in"]).astype("int64")
    by = ["year", "organisation", "department_specialty", "mdc_specialty", "drg"]
    summed = table.astype(dict.fromkeys(SUMS, "int64")).groupby(by)[list(SUMS)].sum()
    keys = summed.index.tolist()
    return list(zip(keys, summed.itertuples(index=False, name=None), strict=True))


class Window:
    """Everything of one window: its cells by group, its reference, its risk classes."""

    def __init__(self, found: Iterable[tuple[tuple, tuple[int, ...]]]) -> None:
        self.cells: dict[tuple[str, str, str], ByGroup] = defaultdict(lambda: defaultdict(Sums))
        for (_, hospital, department, mdc, drg), values in found:
            for attribution, specialty in (("department", department), ("mdc", mdc)):
                for who in (hospital, "REGION"):
                    for what in (specialty, "ALL"):
                        self.cells[attribution, who, what][drg].add(values)
        whole = self.cells["department", "REGION", "ALL"]
        self.reference = {drg: sums for drg, sums in whole.items() if drg}
        cases = sum(sums.cases for sums in self.reference.values())
        fen = sum(sums.case_fen for sums in self.reference.values())
        # weight in units of 10^-12: (C_i / N_i) / (C / N)
        self.weight = {
            drg: rounded(sums.case_fen * cases, sums.cases * fen, 12) for drg, sums in self.reference.items()
        }
        self.risk = self._risk()

    def _risk(self) -> dict[str, int]:
        """Class 1 (low) to 4 (high); without a death 1."""
        with localcontext() as context:
            context.prec = 60
            logs = {
                drg: (Decimal(sums.case_deaths) / sums.cases).ln().quantize(Decimal("1e-12"))
                for drg, sums in self.reference.items()
                if sums.case_deaths
            }
            classes = dict.fromkeys(self.reference, 1)
            if not logs:
                return classes
            mean = sum(logs.values()) / len(logs)
            squares = sum((value - mean) ** 2 for value in logs.values())
            deviation = (squares / (len(logs) - 1)).sqrt() if len(logs) > 1 else Decimal(0)
            cuts = (mean - deviation, mean, mean + deviation)
            return classes | {drg: 1 + sum(value >= cut for cut in cuts) for drg, value in logs.items()}

    def indicators(self, groups: ByGroup) -> dict[str, Cell]:
        own = {drg: sums for drg, sums in groups.items() if drg}
        every = Sums()
        for sums in groups.values():
            every.add(getattr(sums, name) for name in SUMS)

        def per_group(of: Callable[[str, Sums], int]) -> int:
            return sum(of(drg, sums) for drg, sums in own.items())

        def against_reference(name: str) -> int:
            """Own sum over the reference mean of each group, in units of 10^-12."""
            return per_group(
                lambda drg, sums: rounded(
                    getattr(sums, name) * self.reference[drg].cases, getattr(self.reference[drg], name), 12
                )
            )

        def mortality(*classes: int) -> Cell:
            chosen = [sums for drg, sums in own.items() if self.risk[drg] in classes]
            return _ratio(sum(sums.case_deaths for sums in chosen), sum(sums.cases for sums in chosen))

        n = every.cases
        return {
            "drg_group_count": _count(len(own), n),
            "cmi": _ratio(per_group(lambda drg, sums: self.weight[drg] * sums.cases), n, 12),
            "level4_surgery_share": _ratio(every.level4, every.surgery),
            "minimally_invasive_share": _ratio(every.minimally_invasive, every.surgery),
            "cost_consumption_index": _ratio(against_reference("case_fen"), n, 12),
            "time_consumption_index": _ratio(against_reference("case_days"), n, 12),
            "mortality_low_risk": mortality(1),
            "mortality_mid_low_risk": mortality(2),
            "mortality_low_and_mid_low_risk": mortality(1, 2),
            "rw2_share": _ratio(per_group(lambda drg, sums: sums.cases * (self.weight[drg] >= 2 * 10**12)), n),
            "out_of_province_share": _ratio(every.out_of_province, every.residence_known),
            "transfer_in_count": _count(every.transferred_in, every.discharges),
            "mean_length_of_stay": _ratio(every.days, every.discharges),
            "discharge_count": _count(every.discharges, every.discharges),
            "surgery_count": _count(every.surgery, every.discharges),
            "surgery_share": _ratio(every.surgery, every.discharges),
            "robot_assisted_share": _ratio(every.robotic, every.surgery),
            "day_surgery_share": _ratio(every.day_surgery, every.elective),
            "surgical_complication_rate": _ratio(every.complication, every.elective),
            "incision_infection_rate": _ratio(every.class1_bad, every.class1),
            "mortality_rate": _ratio(every.died, every.discharges),
            "mortality_mid_high_risk": mortality(3),
            "mortality_high_risk": mortality(4),
            "critical_case_share": _ratio(per_group(lambda drg, sums: sums.cases * (self.risk[drg] >= 3)), n),
            "rescue_success_rate": _ratio(every.rescues_succeeded, every.rescues),
            "cure_improvement_rate": _ratio(every.improved, every.outcome_known),
            "cure_rate": _ratio(every.cured, every.outcome_known),
            "single_disease_report_rate": _ratio(every.reported, every.asked),
            "single_disease_completion_rate": _ratio(every.completed, every.records),
            "single_disease_process_share": replace(_ratio(every.items_met, every.items), case_count=every.submitted),
            "out_of_city_share": _ratio(every.out_of_city, every.city_known),
            "out_of_country_share": _ratio(every.foreign, every.nationality_known),
            "transfer_in_critical_count": _count(
                per_group(
                    lambda drg, sums: sums.case_transfers * (self.risk[drg] >= 3 or self.weight[drg] >= 2 * 10**12)
                ),
                every.case_transfers,
            ),
        }

    def totals(self, attribution: str, specialty: str, of: str) -> dict[str, int]:
        """A sum per hospital that has the specialty."""
        return {
            who: sum(getattr(sums, of) for sums in groups.values())
            for (how, who, what), groups in self.cells.items()
            if (how, what) == (attribution, specialty) and who != "REGION"
        }

    def over_hospitals(self, attribution: str, hospital: str, specialty: str) -> dict[str, Cell]:
        """What compares the hospitals of a specialty."""
        sizes = self.totals(attribution, specialty, "discharges")
        endoscopic = self.totals(attribution, specialty, "endoscopic")
        whose = list(sizes) if hospital == "REGION" else [hospital]
        cases = sum(sizes[who] for who in whose)
        total = cases if hospital == "REGION" else 0
        squares = sum(size * size for size in sizes.values()) if total else 0
        performing = _ratio(sum(endoscopic[who] > 0 for who in whose), len(whose))
        concentration = _ratio(squares, total * total)
        return {
            "endoscopy_intervention_present": replace(performing, case_count=cases),
            "concentration_largest_share": _ratio(max(sizes.values()) if total else 0, total),
            "concentration_hhi": replace(concentration, case_count=total),
        }


def spectra(rows: pd.DataFrame) -> dict[tuple[str, str, str], set[str]]:
    """The operations of every place that has discharges."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    operated = rows[rows["surgery"]]
    for hospital, department, mdc, codes in zip(
        *(operated[name] for name in ("organisation", "department_specialty", "mdc_specialty", "spectrum")), strict=True
    ):
        for attribution, specialty in (("department", department), ("mdc", mdc)):
            for who in (hospital, "REGION"):
                for what in (specialty, "ALL"):
                    found[attribution, who, what] |= codes
    return found


def outflows(rows: pd.DataFrame, province: str) -> dict[tuple[str, str], tuple[int, int]]:
    """(city or REGION, specialty or ALL) -> discharges of residents in other cities, and all of them."""
    found: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    residents = rows[rows["city_known"] & (rows["home"].str[:2] == province[:2])]
    counted = residents.groupby(["home", "department_specialty", "out_of_city"]).size()
    for (home, specialty, outside), size in counted.items():
        for where in (home, "REGION"):
            for what in (specialty, "ALL"):
                left, all_ = found[where, what]
                found[where, what] = (left + int(size) * bool(outside), all_ + int(size))
    return found


def bed_cells(beds: Beds, monthly: Mapping[tuple[str, str, str], int], years: range) -> dict[tuple[str, str], dict]:
    """(hospital or REGION, specialty or ALL) -> the cells of the bed indicators."""
    lines = defaultdict(list)
    for (hospital, month, specialty), (open_days, occupied) in beds.items():
        if int(month[:4]) in years:
            for who in (hospital, "REGION"):
                size = monthly.get((hospital, month, specialty), 0)
                lines[who, specialty].append((month, open_days, occupied, size))
    cells = {}
    for place, found in lines.items():
        open_days, occupied, cases = (sum(line[n] for line in found) for n in (1, 2, 3))
        days = sum(monthrange(int(month[:4]), int(month[5:]))[1] for month in {line[0] for line in found})
        turned = sum(line[3] * (366 if isleap(int(line[0][:4])) else 365) for line in found)
        cells[place] = {
            "mean_open_beds": replace(_ratio(open_days, days), case_count=cases),
            "bed_occupancy": replace(_ratio(occupied, open_days), case_count=cases),
            "bed_turnover": replace(_ratio(turned, open_days), case_count=cases),
        }
    return cells


def _ratio(numerator: int, denominator: int, scale: int = 0) -> Cell:
    """The numerator (in units of 10^-scale) is published with 8 decimals; the value follows from what is published."""
    top = rounded(numerator, 10**scale, 8)
    value = Decimal(rounded(top, denominator * 10**8, 8)).scaleb(-8) if denominator else None
    return Cell(Decimal(top).scaleb(-8), Decimal(denominator), value, denominator)


def _count(value: int, cases: int) -> Cell:
    return Cell(Decimal(value), None, Decimal(value), cases)


def windows(years: Iterable[int]) -> dict[str, range]:
    """Every year with data, and the three years that end in it."""
    known = sorted(set(years))
    single = {str(year): range(year, year + 1) for year in known}
    return single | {f"{year - 2}-{year}": range(year - 2, year + 1) for year in known}


def indicators(rows: pd.DataFrame, *, inbox: Path, province: str) -> dict[tuple[str, str, str, str, str], Cell]:
    """(attribution, window, hospital, specialty, indicator) -> cell, for the whole province."""
    found, published = atoms(rows), {}
    beds, cities = read_beds(inbox), read_cities(inbox)
    monthly = Counter(zip(rows["organisation"], rows["month"], rows["department_specialty"], strict=True))
    monthly.update(
        (hospital, month, "ALL") for hospital, month in zip(rows["organisation"], rows["month"], strict=True)
    )
    nothing = dict.fromkeys(("mean_open_beds", "bed_occupancy", "bed_turnover"), _ratio(0, 0))
    for name, years in windows(rows["year"]).items():
        window = Window(atom for atom in found if atom[0][0] in years)
        inside = rows[rows["year"].isin(years)]
        operations, left, reported = spectra(inside), outflows(inside, province), bed_cells(beds, monthly, years)
        for (attribution, hospital, specialty), groups in window.cells.items():
            told = attribution == "department" or specialty == "ALL"
            city = "REGION" if hospital == "REGION" else cities.get(hospital)
            cells = {
                **window.indicators(groups),
                **window.over_hospitals(attribution, hospital, specialty),
                **(reported.get((hospital, specialty), nothing) if told else nothing),
                "outflow_rate": _ratio(*(left.get((city, specialty), (0, 0)) if told else (0, 0))),
                "procedure_spectrum": _count(
                    len(operations[attribution, hospital, specialty]), sum(sums.discharges for sums in groups.values())
                ),
            }
            for indicator, cell in cells.items():
                published[attribution, name, hospital, specialty, indicator] = cell
    return published
