"""The folder of a public edition: tables as CSV, what was suppressed, a description, a README.

Belongs here: which rows and columns are published, rounded, with the suppressed cells listed without their values.
Does not belong here: which cells are suppressed (rules).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml

from expectations.verdict import write_durably
from publishing.candidates import SCALES, CandidateList, Marts, Row, rounded, text
from publishing.disclosure.rules import DERIVABLE, EARLIER, SMALL, Cell, DisclosureError, Key, Policy, suppressed
from publishing.manifest import DATAPACKAGE, PROFILE, README, RESOURCE_PROFILE, canonical, digests

MARTS = Path(__file__).parent / "marts.yaml"
REGION = "REGION"
_DOSSIER = "M"
_PERSONS = "人次"


@dataclass(frozen=True)
class Table:
    """One published table: its columns with their Chinese titles, its key, its rows in order."""

    name: str
    title_zh: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    rows: Sequence[Row]


def write_public_edition(
    data: Path,
    target: Path,
    *,
    programme_id: str,
    window_id: str,
    specialty_code: str | None = None,
    policy: Policy | None = None,
    earlier: Sequence[Path] = (),
    notices: Sequence[str] = (),
) -> list[Path]:
    """Write the public edition of a programme's window; `earlier`: all public editions that were issued before."""
    policy = policy or Policy()
    with Marts(data, programme_id, window_id, specialty_code) as marts:
        cells, values = _cells(marts)
        before = _suppressed_before(earlier, marts.window, programme_id)
        hidden = suppressed(cells, policy, before)
        tables = _tables(marts, policy, cells, values, hidden)
        window, programme = marts.window, marts.tiers[0]
    package: dict[str, Any] = {
        "$schema": PROFILE,
        "name": f"public-{programme_id.replace('_', '-')}-{window_id}",
        "title": f"{programme['title_zh']}　{window_id}　公开版",
        "description": "供公开的结果：小单元已隐去，数值已取整。完整结果见证书。",
        "programme": programme_id,
        "window": {"window_id": window_id, "years": window["years"]},
        "disclosure": policy.model_dump(),
        "notices": list(notices),
    }
    files = {f"data/{table.name}.csv": _csv(table) for table in tables}
    files[README] = _readme(package, tables, policy).encode()
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_durably(target / name, content)
    package["resources"] = [_resource(target, table) for table in tables] + [_readme_resource(target)]
    write_durably(target / DATAPACKAGE, canonical(package))
    return [target / name for name in (*files, DATAPACKAGE)]


def given_away(public: Path, issued: Sequence[Path]) -> list[Key]:
    """Cells that an edition would publish although one that was issued since it was made suppresses them.

    Raises DisclosureError where their windows are of other lengths.
    """
    package = json.loads((public / DATAPACKAGE).read_text("utf-8"))
    suppressed_there = _suppressed_before(issued, package["window"], package["programme"])
    with (public / "data" / "values.csv").open(encoding="utf-8-sig", newline="") as file:
        published = {(row["hospital_id"], row["specialty_code"], row["indicator_id"]) for row in csv.DictReader(file)}
    return sorted(suppressed_there & published)


def _cells(marts: Marts) -> tuple[list[Cell], dict[Key, Row]]:
    """Every hospital's cell of every indicator, whichever programme uses it: one hospital's cells are suppressed alike
    in all editions. The values by key.
    """
    indicators = {row["indicator_id"]: row for row in marts.rows("dim_indicator")}
    attributions = ", ".join(sorted({text(tier["attribution"]) for tier in marts.tiers}))
    specialties = ", ".join(text(row["specialty_code"]) for row in marts.specialties)
    rows = marts.rows(
        "fct_indicator",
        f"window_id = {text(marts.window_id)} and attribution in ({attributions}) "
        f"and specialty_code in ({specialties}) and hospital_id <> {text(REGION)} and value is not null",
        order="hospital_id, specialty_code, indicator_id, attribution",
    )
    cells, values = [], {}
    for row in rows:
        indicator = indicators[row["indicator_id"]]
        cell = Cell(
            hospital_id=row["hospital_id"],
            specialty_code=row["specialty_code"],
            indicator_id=row["indicator_id"],
            numerator_measure=indicator["numerator_measure"],
            denominator_measure=indicator["denominator_measure"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            case_count=row["case_count"] or 0,
            persons=indicator["is_share"] or indicator["unit"] == _PERSONS,
        )
        if cell.key in values:
            raise DisclosureError(
                f"方案 {marts.programme_id} 的各层级专科归属不同，无法合为一个公开版；请按层级分别出具"
            )
        cells.append(cell)
        values[cell.key] = row
    return cells, values


def _suppressed_before(earlier: Sequence[Path], window: Row, programme_id: str) -> frozenset[Key]:
    """What earlier editions of the same window suppressed stays suppressed; windows must not lie in one another."""
    found: set[Key] = set()
    for folder in earlier:
        package = json.loads((folder / DATAPACKAGE).read_text("utf-8"))
        if package["window"]["years"] != window["years"]:
            raise DisclosureError(
                f"已有公开版 {folder.name} 的窗口为 {package['window']['years']} 年，本版为 {window['years']} 年："
                f"长短不同的窗口相减可得小单元；请用同样长的窗口出具方案 {programme_id} 的公开版"
            )
        if package["window"]["window_id"] != window["window_id"]:
            continue
        with (folder / "data" / "suppressed.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if row["indicator_id"]:
                    found.add((row["hospital_id"], row["specialty_code"], row["indicator_id"]))
    return frozenset(found)


def _tables(
    marts: Marts, policy: Policy, cells: Sequence[Cell], values: Mapping[Key, Row], hidden: Mapping[Key, str]
) -> list[Table]:
    used = {item["indicator_id"]: item["indicator"] for item in marts.items if item["indicator"]}
    hospitals = {row["hospital_id"]: row for row in marts.rows("dim_hospital", "is_registered and not is_region")}
    names = {row["specialty_code"]: row["name_zh"] for row in marts.specialties}
    published: list[Row] = []
    withheld: list[Row] = []
    incomplete: set[tuple[str, str]] = set()  # specialty and indicator of which somebody's value is not published
    for cell in cells:
        here = {"specialty_code": cell.specialty_code, "specialty_zh": names[cell.specialty_code]}
        place = (cell.specialty_code, cell.indicator_id)
        if cell.hospital_id not in hospitals or cell.key in hidden:
            incomplete.add(place)
        if cell.hospital_id not in hospitals:
            continue
        here |= {"hospital_id": cell.hospital_id, "hospital_zh": hospitals[cell.hospital_id]["name_zh"]}
        indicator = used.get(cell.indicator_id)
        if indicator and cell.key in hidden:
            withheld.append(here | {"indicator_id": cell.indicator_id, "reason": _reason(hidden[cell.key], policy)})
        elif indicator:
            published.append(here | _value(indicator, values[cell.key]["value"], policy))
    ranking, unranked = _ranking(marts, hospitals, hidden, set(used), policy)
    return [
        Table("ranking", "名次", ("tier", "specialty_code", "hospital_id"), _RANKING, ranking),
        Table("values", "各医院的指标值", ("specialty_code", "hospital_id", "indicator_id"), _VALUES, published),
        Table(
            "benchmarks",
            "全省值（该专科该指标没有隐去任何医院时才公布）",
            ("specialty_code", "indicator_id"),
            _BENCHMARKS,
            _benchmarks(marts, policy, used, names, incomplete),
        ),
        Table(
            "suppressed",
            "隐去的单元与原因",
            ("specialty_code", "hospital_id", "indicator_id", "tier"),
            _SUPPRESSED,
            [row | {"tier": ""} for row in withheld] + unranked,
        ),
        Table("indicators", "指标的口径", ("indicator_id",), _INDICATORS, _definitions(used)),
        Table("items", "方案的条目与计分项", ("item_id",), _ITEMS, _items(marts)),
    ]


def _ranking(
    marts: Marts, hospitals: Mapping[str, Row], hidden: Mapping[Key, str], used: set[str], policy: Policy
) -> tuple[list[Row], list[Row]]:
    """The ranks of the lists that give nothing away, and the lists whose ranks are withheld."""
    ranking: list[Row] = []
    withheld: list[Row] = []
    for found in marts.lists():
        code = found.specialty["specialty_code"]
        here = {
            "tier": found.programme["tier"],
            "tier_zh": found.programme["tier_zh"],
            "specialty_code": code,
            "specialty_zh": found.specialty["name_zh"],
        }
        ranked = [one for one in found.candidates if one.rank is not None]
        open_values = not any((one.hospital_id, code, name) in hidden for one in found.candidates for name in used)
        if open_values or _is_covered(marts, found):
            ranking += [
                here | {"hospital_id": one.hospital_id, "hospital_zh": one.name_zh, "rank": one.rank}
                for one in ranked
                if one.hospital_id in hospitals
            ]
        elif ranked:
            nobody = {"hospital_id": "", "hospital_zh": "", "indicator_id": ""}
            reason = "名次：申报材料的权重未过半，由名次可推算被隐去的数"
            withheld.append({name: here[name] for name in here if name != "tier_zh"} | nobody | {"reason": reason})
    return ranking, withheld


def _is_covered(marts: Marts, found: CandidateList) -> bool:
    """More than half of every ranked total rests on dossiers, whose scores nobody outside knows: whatever the
    suppressed values are, some dossiers give the same ranks, so the ranks say nothing certain about them.
    """
    programme = found.programme
    shares = {"data": programme["data_share"], "reputation": programme["reputation_share"]}
    for one in found.candidates:
        if one.rank is None:
            continue
        weights: dict[str, list[int]] = {}
        for item in marts.items:
            cell = one.cells.get(item["item_id"])
            if cell and cell["scale_score"] is not None:
                part = weights.setdefault(item["part"], [0, 0])
                part[0] += cell["weight"] * (item["source"] == _DOSSIER)
                part[1] += cell["weight"]
        scored = {part: pair for part, pair in weights.items() if pair[1] and shares[part]}
        whole = sum(shares[part] for part in scored)
        unknown = sum(Decimal(shares[part]) * pair[0] / pair[1] for part, pair in scored.items())
        if not whole or 2 * unknown <= whole:
            return False
    return True


def _benchmarks(
    marts: Marts,
    policy: Policy,
    used: Mapping[str, Row],
    names: Mapping[str, str],
    incomplete: set[tuple[str, str]],
) -> list[Row]:
    attributions = ", ".join(sorted({text(tier["attribution"]) for tier in marts.tiers}))
    rows = marts.rows(
        "fct_indicator",
        f"hospital_id = {text(REGION)} and window_id = {text(marts.window_id)} "
        f"and attribution in ({attributions}) and value is not null",
        order="specialty_code, indicator_id",
    )
    return [
        {"specialty_code": row["specialty_code"], "specialty_zh": names[row["specialty_code"]]}
        | _value(used[row["indicator_id"]], row["value"], policy)
        for row in rows
        if row["specialty_code"] in names
        and row["indicator_id"] in used
        and (row["specialty_code"], row["indicator_id"]) not in incomplete
    ]


def _value(indicator: Row, value: Decimal, policy: Policy) -> Row:
    """A value in its unit: persons to a multiple of the base, the rest to fewer decimals than the marts have."""
    if indicator["unit"] == _PERSONS:
        shown = (value / policy.count_base).quantize(Decimal(1), ROUND_HALF_UP) * policy.count_base
    else:
        scale = 100 if indicator["unit"] == "%" else 1
        shown = rounded(value * scale, min(policy.decimals, indicator["decimals"]))
    return {
        "indicator_id": indicator["indicator_id"],
        "indicator_zh": indicator["name_zh"],
        "unit": indicator["unit"],
        "value": f"{shown:f}",
    }


def _definitions(used: Mapping[str, Row]) -> list[Row]:
    names = ("indicator_id", "name_zh", "unit", "direction", "definition_zh")
    return [{name: used[indicator][name] for name in names} for indicator in sorted(used)]


def _items(marts: Marts) -> list[Row]:
    names = ("item_id", "group_zh", "wording_zh", "title_zh", "indicator_id", "weight", "is_provisional")
    return [{name: item[name] for name in names} | {"scale_zh": SCALES[item["scale_method"]]} for item in marts.items]


def _reason(kind: str, policy: Policy) -> str:
    """The words do not tell which of the counts is small."""
    return {SMALL: policy.small, DERIVABLE: "公布后可推算其他被隐去的数", EARLIER: "此前的公开版已隐去"}[kind]


_PLACE = {"specialty_code": "专科代码", "specialty_zh": "专科", "hospital_id": "机构代码", "hospital_zh": "医院"}
_MEASURED = {"indicator_id": "指标代码", "indicator_zh": "指标", "unit": "单位", "value": "数值"}
_RANKING = {"tier": "层级代码", "tier_zh": "层级", **_PLACE, "rank": "名次"}
_VALUES = {**_PLACE, **_MEASURED}
_BENCHMARKS = {"specialty_code": "专科代码", "specialty_zh": "专科", **_MEASURED}
_SUPPRESSED = {**_PLACE, "indicator_id": "指标代码", "tier": "层级代码", "reason": "原因"}
_INDICATORS = {
    "indicator_id": "指标代码",
    "name_zh": "名称",
    "unit": "单位",
    "direction": "导向",
    "definition_zh": "口径",
}
_ITEMS = {
    "item_id": "计分项代码",
    "group_zh": "一级指标",
    "wording_zh": "条目原文",
    "title_zh": "计分项",
    "indicator_id": "指标代码",
    "scale_zh": "计分办法",
    "weight": "权重",
    "is_provisional": "计分办法暂定",
}
_TYPES = {"rank": "integer", "value": "number", "weight": "integer", "is_provisional": "boolean"}


def _csv(table: Table) -> bytes:
    """UTF-8 with a mark, so that spreadsheets read the Chinese; rows in the order of their key."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.columns)
    for row in sorted(table.rows, key=lambda row: tuple(str(row[name]) for name in table.key)):
        writer.writerow([_plain(row[name]) for name in table.columns])
    return out.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _resource(target: Path, table: Table) -> dict[str, Any]:
    path = f"data/{table.name}.csv"
    return {
        "$schema": RESOURCE_PROFILE,
        "name": table.name,
        "title": table.title_zh,
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "rows": len(table.rows),
        "schema": {
            "fields": [
                {"name": name, "title": title, "type": _TYPES.get(name, "string")}
                for name, title in table.columns.items()
            ],
            "primaryKey": list(table.key),
        },
        **digests(target / path),
    }


def _readme_resource(target: Path) -> dict[str, Any]:
    return {
        "name": "readme",
        "title": "阅读说明",
        "path": README,
        "format": "txt",
        "mediatype": "text/plain",
        **digests(target / README),
    }


def _readme(package: Mapping[str, Any], tables: Iterable[Table], policy: Policy) -> str:
    listed = "\n".join(f"  data/{table.name}.csv　{table.title_zh}（{len(table.rows)} 行）" for table in tables)
    notices = "".join(f"注意：{notice}\n" for notice in package["notices"])
    verdicts: dict[str, dict[str, str]] = yaml.safe_load(MARTS.read_text("utf-8"))
    marts = "\n".join(f"  {name}　{v['reason']}" for name, v in verdicts.items() if v["access"] == "withheld")
    return (
        f"{package['title']}\n\n{notices}{listed}\n\n"
        f"隐去规则：{policy.small} 的，不公布；公布后可推算这些数的也不公布。\n"
        f"人次取整到 {policy.count_base} 的倍数，其余保留至多 {policy.decimals} 位小数。\n"
        "没有列出的单元没有数据；隐去的单元逐一列在 suppressed.csv，不含数值。\n"
        "不公布分子、分母、例数、得分、逐年数值、患者来源与流向。未登记机构不在公开版之内。\n"
        f"各文件的大小与摘要见 {DATAPACKAGE}。\n\n不公开的数据集市表与原因：\n{marts}\n"
    )
