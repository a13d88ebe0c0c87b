"""What an item of a programme is made of that no front page carries: dossiers, appraisals, the ledger of projects.

Belongs here: finding the evidence rows of an item in the published marts, and holding their sum against its numerator
and denominator. Does not belong here: which rows count for an item (dbt), items that rest on an indicator (`explain`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dagster_project.made_of import DoesNotAddUp, NothingToExplain, Part, rows_of, shown

if TYPE_CHECKING:
    import duckdb

_ROLES = {"分子": "evidence_items", "分母": "denominator_items", "比较": "comparison_items"}
_OUTCOMES = {"valued": "有值", "not_scored": "未经审核，不计", "awaiting_dossier": "未填报"}


def item_named(connection: duckdb.DuckDBPyConnection, given: str) -> dict[str, Any] | None:
    """The item of a programme with this id, if there is one."""
    found = rows_of(connection, "from published.dim_programme_item where item_id = ?", [given])
    return found[0] if found else None


def item_cell(
    connection: duckdb.DuckDBPyConnection, item: Mapping[str, Any], hospital_id: str, specialty_code: str
) -> dict[str, Any]:
    """The item of one hospital and specialty as published; of several tiers the first, for they share the value."""
    found = rows_of(
        connection,
        "from published.fct_item where programme_id = ? and item_id = ? and hospital_id = ? and specialty_code = ? "
        "order by tier limit 1",
        [item["programme_id"], item["item_id"], hospital_id, specialty_code],
    )
    if not found:
        raise NothingToExplain(f"没有 {hospital_id} {specialty_code} 的条目 {item['item_id']}：该机构专科不是候选。")
    return found[0]


def evidence_of(
    connection: duckdb.DuckDBPyConnection, item: Mapping[str, Any], cell: Mapping[str, Any]
) -> tuple[list[Part], list[dict[str, Any]]]:
    """Numerator and denominator of an item with the evidence rows that they are the sums of; raises DoesNotAddUp."""
    parts, told = [], []
    for role, column in _ROLES.items():
        codes = [code for code in (item[column] or "").split(";") if code]
        rows = rows_of(connection, _EVIDENCE, [cell["hospital_id"], cell["specialty_code"], codes]) if codes else []
        told += [{"计入": role, **_row(row)} for row in rows]
        published = {"分子": cell["numerator"], "分母": cell["denominator"]}.get(role)
        if published is None:
            continue
        listed = sum((row["value"] for row in rows if row["value"] is not None), Decimal(0))
        if listed != published:
            raise DoesNotAddUp(
                f"{role}：公布为 {shown(published)}，列出的佐证合计为 {shown(listed)}。请保留本次输出并报告。"
            )
        names = "、".join(dict.fromkeys(row["title_zh"] for row in rows))
        parts.append(Part(role, ";".join(codes), names, item["wording_zh"] or item["title_zh"], published, "佐证"))
    return parts, told


# of several years the latest counts; what is known of a hospital counts for each of its specialties
_EVIDENCE = """
select * from published.fct_evidence
where hospital_id = $1 and specialty_code in ($2, 'ALL') and list_contains($3, item_code)
    and status <> 'awaiting_dossier'
qualify row_number() over (
    partition by specialty_code, item_code order by data_year desc, period desc
) = 1
order by item_code, specialty_code
"""


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "编号": row["item_code"],
        "名称": row["title_zh"],
        "期间": row["period"],
        "数量": row["value"],
        "单位": row["unit"],
        "选项": row["choice"],
        "上期": row["previous_value"],
        "佐证文件": row["evidence_file"],
        "审核人": row["reviewer"],
        "状态": _OUTCOMES.get(row["status"], row["status"]),
        "说明": row["status_reason"],
    }
