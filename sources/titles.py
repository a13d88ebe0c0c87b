"""How a sender calls what landed: the interface code and the Chinese title of a landed column.

Belongs here: the way back from a landed column to the columns of a layout.  Does not belong here: what is said about
them (``expectations/``, ``publishing/``).
"""

from __future__ import annotations

from functools import cache

from sources.contract import load_contracts

# derived column → roles of the columns from which landing derives it (:mod:`sources.hqms`)
_DERIVED_FROM = {
    "patient_id": ("record_number",),
    "person_id": ("identity_number",),
    "age_from_birth_years": ("birth_date",),
    "birth_after_admission": ("birth_date",),
    "id_birth_matches": ("identity_number", "birth_date"),
    "id_sex_matches": ("identity_number",),
    "has_pathology_number": ("pathology_number",),
    "has_allergy_drug": ("allergy_drug",),
    "has_receiving_institution": ("receiving_institution",),
    "discharge_department_raw": ("discharge_department",),
    "residence_division": ("address", "postcode"),
    "residence_basis": ("address", "postcode"),
}


@cache
def column_titles(layout: str) -> dict[str, str]:
    """Landed column → ``code title`` of what the sender filled in, for one layout."""
    contract = load_contracts()[layout]
    titles = {str(f.name): f"{f.source} {f.title_zh}" for f in contract.fields if f.name}
    for group in contract.lists:
        for key, column in group.columns.items():
            first = next((slot[key] for slot in group.slot_columns if key in slot), "")
            titles[column.name] = f"{first} {column.title_zh}"
    roles = contract.roles()
    for name, wanted in _DERIVED_FROM.items():
        found = [f"{roles[role].source} {roles[role].title_zh}" for role in wanted if role in roles]
        if found:
            titles[name] = "；".join(found)
    return titles


def is_derived(column: str) -> bool:
    """Whether landing derives the column, so that what it holds is not what the sender filled in."""
    return column in _DERIVED_FROM


@cache
def source_titles(layout: str) -> dict[str, str]:
    """Source column → its title, for the columns that a fault of landing names."""
    return {f.source: f.title_zh for f in load_contracts()[layout].fields}


@cache
def expectations_of(layout: str) -> dict[str, str]:
    """Source column → what is expected of it, in Chinese."""
    contract = load_contracts()[layout]
    kinds = {
        "integer": "整数",
        "year": "四位年度",
        "decimal": "数值",
        "amount_yuan": "金额（元，至多两位小数，不带单位与千分位）",
        "datetime": "日期时间 yyyy-MM-dd HH:mm:ss",
        "date": "日期 yyyy-MM-dd",
        "month": "月份 yyyy-MM",
        "flag": "是 / 否",
    }
    found = {}
    for item in contract.fields:
        text = kinds.get(item.type, f"编码，不超过 {item.max_length} 字" if item.type != "text" else "文字")
        if item.checked and item.code_list:
            text = f"值域 {item.code_list} 之内的编码"
        found[item.source] = f"必填；{text}" if item.required else text
    return found
