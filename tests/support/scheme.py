"""Writes scheme packages from small tables, so that a test states only what it is about.

The columns are written down here a second time on purpose: a product that loses one must not take its tests along.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sources.scheme.package import open_package
from sources.scheme.store import describe, stored_queries
from sources.scheme.tables import STORED

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


def scheme_tables(folder: Path, *packages: Tables) -> dict[str, list[dict[str, Any]]]:
    """Packages as the candidate's tables, for `write_candidate`: each goes through the product's own reading."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, tables in enumerate(packages):
        with open_package(write_package(folder / f"package{number}", tables)) as package:
            assert not package.faults, package.faults
            for table, query in stored_queries(describe(package)).items():
                rows = package.con.execute(query).fetchall()
                found.setdefault(f"scheme.{table}", []).extend(
                    dict(zip(STORED[table], row, strict=True)) for row in rows
                )
    return found


def small_package() -> dict[str, list[dict[str, str]]]:
    """A scheme without a fault or a warning: two MDCs, three ADRGs, five DRGs; change it and see what is said."""

    def rows(columns: str, *texts: str) -> list[dict[str, str]]:
        names = columns.split()
        return [dict(zip(names, text.split("|"), strict=True)) for text in texts]

    return {
        "scheme": rows(
            "scheme_id name_zh edition diagnosis_edition procedure_edition owner licence effective_from effective_to",
            "T|虚构小方案|1.0|D1|P1|无|虚构|2022-01-01|",
        ),
        "mdc": rows(
            "mdc name_zh priority sex age_days_max age_years_max min_body_regions requires_valid_procedure",
            "F|循环系统|1|||||",
            "Z|多发创伤|2||||2|1",
        ),
        "mdc_diagnosis": rows("mdc code body_region", "F|I21.001|", "F|I10.x00|", "Z|S06.000|头", "Z|S27.000|胸"),
        "adrg": rows(
            "adrg mdc name_zh priority kind", "FM1|F|介入|1|procedure", "FR1|F|心梗|2|medical", "ZB1|Z|创伤|1|surgical"
        ),
        "adrg_condition": rows(
            "adrg alternative role list_id age_days_max weight_g_min weight_g_below",
            "FM1|1|any_procedure|P|||",
            "FR1|1|principal_diagnosis|D|||",
            "FR1|2|none||||2500",
            "ZB1|1|first_valid_procedure||||",
        ),
        "code_list": rows("list_id code", "P|36.0601", "D|I21.001"),
        "valid_procedure": rows("code", "36.0601", "54.1100"),
        "mcc": rows("code exclusion_table", "J96.900|T1"),
        "cc": rows("code exclusion_table", "E11.900|"),
        "exclusion": rows("principal_code exclusion_table", "I10.x00|T1"),
        "drg": rows(
            "drg adrg name_zh severity",
            "FM19|FM1|介入|any",
            "FR11|FR1|心梗，伴严重并发症|mcc",
            "FR13|FR1|心梗，伴并发症|cc",
            "FR15|FR1|心梗|none",
            "ZB19|ZB1|创伤|any",
        ),
    }
