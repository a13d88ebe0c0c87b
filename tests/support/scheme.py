"""Writes scheme packages from small tables, so that a test states only what it is about.

The columns are written down here a second time on purpose: a product that loses one must not take its tests along.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

Tables = Mapping[str, Sequence[Mapping[str, str]]]

COLUMNS: dict[str, tuple[str, ...]] = {
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
    "adrg_condition": (*("adrg", "alternative", "role", "list_id", "age_days_max", "weight_g_min", "weight_g_below"),),
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
OPTIONAL = ("weight", "code_map", "edition_code")


def write_package(folder: Path, tables: Tables, *, encoding: str = "utf-8") -> Path:
    """A package folder; a column that a row leaves out is empty, an optional table that is not named has no file."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, columns in COLUMNS.items():
        if table in OPTIONAL and table not in tables:
            continue
        with (folder / f"{table}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(tables.get(table, []))
    return folder
