"""Writes genuine inbox files from small tables, so that a test states only what it is about.

The column order of the front page is the official one (642 codes, `front_page_header.txt`), written down here a
second time on purpose: a product that loses or moves a column must not take its tests along.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

HEADER: tuple[str, ...] = tuple((Path(__file__).parent / "front_page_header.txt").read_text(encoding="utf-8").split())

DRG_HEADER = ("机构代码", "病案号", "住院次数", "出院时间", "DRG编码", "方案版本", "未入组原因")
HOSPITAL_HEADER = (
    *("机构代码", "机构名称", "级别", "等次", "类别", "行政区划代码", "所在城市", "是否省会"),
    *("国家医学中心", "委属委管", "区域医疗中心", "登记诊疗科目"),
)
CATALOGUE_HEADER = (
    *("版本", "手术操作编码", "手术操作名称", "类别", "级别", "是否微创", "是否日间", "生效日期", "失效日期"),
)

IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_number(division: str, birth: date, serial: int) -> str:
    """An 18-digit identity number with a valid check digit; an odd serial is a man's."""
    body = f"{division}{birth:%Y%m%d}{serial:03d}"
    remainder = sum(int(digit) * weight for digit, weight in zip(body, IDENTITY_WEIGHTS, strict=True)) % 11
    return body + "10X98765432"[remainder]


def stay_days(admitted: datetime, discharged: datetime) -> int:
    """Days between the two dates; in and out on one day counts as one."""
    return max(1, (discharged.date() - admitted.date()).days)


def full_years(birth: date, at: date) -> int:
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def clean_front_page(
    *,
    organisation: str,
    record: str,
    admitted: datetime,
    discharged: datetime,
    department: str,
    diagnosis: str,
    serial: int,
    operations: Sequence[str] = (),
    mode: str = "1",
    route: str = "2",
    address: str = "-",
    postcode: str = "-",
    cost_fen: int = 100_000,
    **codes: str,
) -> dict[str, str]:
    """One front page that breaks no rule; `codes` overrides any column by its interface code."""
    birth = date(1960, 5, 5)
    row = {
        **{"A01": organisation, "A02": "示例医院", "A48": record, "A49": "1", "A47": "-", "A46C": "1.1"},
        **{"A11": f"示例人{serial:03d}", "A12C": "1", "A13": birth.isoformat(), "A21C": "2", "A38C": "80"},
        **{"A14": str(full_years(birth, admitted.date())), "A15C": "CHN", "A19C": "1"},
        **{"A20": identity_number("990102", birth, 2 * serial + 1), "A26": address, "A28C": postcode},
        **{"A27": f"0000{serial:07d}", "A32": f"示例亲{serial:03d}", "A33C": "1", "A34": address},
        **{"A35": f"0001{serial:07d}", "B11C": route, "B12": f"{admitted:%Y-%m-%d %H:%M:%S}"},
        **{"B13C": department, "B15": f"{discharged:%Y-%m-%d %H:%M:%S}", "B16C": department},
        **{"B20": str(stay_days(admitted, discharged)), "B30C": "1", "B34C": mode, "B36C": "1"},
        **{"C01C": diagnosis, "C02N": "示例诊断", "C03C": diagnosis, "C04N": "示例诊断", "C05C": "1"},
        **{"C24C": "1", "C26C": "1", "C27C": "2", "C34C": "2" if mode == "5" else "-"},
    }
    for position, operation in enumerate(operations):
        row |= _operation(position, operation, f"{admitted:%Y-%m-%d %H:%M:%S}")
    row |= _fees(cost_fen, bool(operations))
    return row | codes


def _operation(position: int, code: str, at: str) -> dict[str, str]:
    if position == 0:
        names = ("C14x01C", "C15x01N", "C16x01", "C17x01", "C18x01", "C21x01C", "C22x01C")
    else:
        slot = f"{position:02d}"
        names = (f"C35x{slot}C", f"C36x{slot}N", f"C37x{slot}", f"C38x{slot}", f"C39x{slot}")
        names += (f"C42x{slot}C", f"C43x{slot}C")
    return dict(zip(names, (code, "示例手术", at, "2", "示例医师", "4", "01"), strict=True))


def _fees(cost_fen: int, operated: bool) -> dict[str, str]:
    """The total and items that add up to it exactly; items inside a parent are not added again."""
    shares = dict.fromkeys(("D11", "D13", "D32"), cost_fen // 5)
    inside: dict[str, int] = {}
    if operated:
        shares["D20"] = cost_fen // 5
        inside = {"D20x01": shares["D20"] // 2, "D20x02": shares["D20"] - shares["D20"] // 2}
    shares["D23"] = cost_fen - sum(shares.values())
    return {code: yuan(fen) for code, fen in {"D01": cost_fen, "D09": 0, **shares, **inside}.items()}


def front_page_csv(rows: Iterable[Mapping[str, str]], encoding: str = "gb18030") -> bytes:
    """The 642 columns in the official order; what a row does not say is `-`, the interface's empty value."""
    rows = list(rows)
    unknown = {code for row in rows for code in row} - set(HEADER)
    if unknown:
        raise ValueError(f"not in the interface: {sorted(unknown)}")
    return table_csv(HEADER, ([row.get(code, "-") for code in HEADER] for row in rows), encoding)


def table_csv(header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> bytes:
    """A CSV file with CRLF line ends, as the upstream exports write it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
