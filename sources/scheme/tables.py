"""The two shapes of a scheme: the CSV files of a package, and the tables that the warehouse reads.

Belongs here: names, columns and types of both.  Does not belong here: reading (:mod:`sources.scheme.package`) and
judging (:mod:`sources.scheme.checks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "name", "code", "whole", "decimal", "date", "flag"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "name": "VARCHAR",  # part of the edition's id, and so of a folder's name
    "code": "VARCHAR",  # of a diagnosis or a procedure
    "whole": "INTEGER",
    "decimal": "DECIMAL(18,8)",
    "date": "DATE",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True)
class Column:
    """One column of a package file; ``choices`` are the only texts allowed, where there are any."""

    name: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0  # of a whole number
    most: int | None = None


@dataclass(frozen=True)
class File:
    """One CSV file of a package.  No two rows may agree in ``key``; without one, rows may repeat."""

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    optional: bool = False

    @property
    def name(self) -> str:
        return f"{self.table}.csv"


def _must(name: str, kind: Kind = "text", *choices: str, least: int = 0) -> Column:
    return Column(name, kind, required=True, choices=choices, least=least)


def _may(name: str, kind: Kind = "text", *choices: str, most: int | None = None) -> Column:
    return Column(name, kind, choices=choices, most=most)


DIAGNOSIS_ROLES = ("principal_diagnosis", "any_diagnosis")
PROCEDURE_ROLES = ("principal_procedure", "any_procedure")
LIST_ROLES = DIAGNOSIS_ROLES + PROCEDURE_ROLES
OTHER_ROLES = ("any_valid_procedure", "first_valid_procedure", "no_valid_procedure", "none")
CODE_KINDS = ("diagnosis", "procedure")

PACKAGE: tuple[File, ...] = (
    File(
        "scheme",
        (
            _must("scheme_id", "name"),
            _must("name_zh"),
            _must("edition", "name"),
            _must("diagnosis_edition"),
            _must("procedure_edition"),
            _must("owner"),
            _must("licence"),
            _must("effective_from", "date"),
            _may("effective_to", "date"),
        ),
    ),
    File(
        "mdc",
        (
            _must("mdc"),
            _must("name_zh"),
            _must("priority", "whole"),
            _may("sex", "text", "1", "2"),
            _may("age_days_max", "whole", most=366),
            _may("age_years_max", "whole", most=150),
            _may("min_body_regions", "whole"),
            _may("requires_valid_procedure", "flag"),
        ),
        key=("mdc",),
    ),
    File("mdc_diagnosis", (_must("mdc"), _must("code", "code"), _may("body_region"))),
    File(
        "adrg",
        (
            _must("adrg"),
            _must("mdc"),
            _must("name_zh"),
            _must("priority", "whole"),
            _must("kind", "text", "surgical", "procedure", "medical"),
        ),
        key=("adrg",),
    ),
    File(
        "adrg_condition",
        (
            _must("adrg"),
            _must("alternative", "whole", least=1),
            _must("role", "text", *LIST_ROLES, *OTHER_ROLES),
            _may("list_id"),
            _may("age_days_max", "whole", most=366),
            _may("weight_g_min", "whole", most=100_000),
            _may("weight_g_below", "whole", most=100_000),
        ),
    ),
    # a row without a code says that the list is meant to be empty
    File("code_list", (_must("list_id"), _may("code", "code"))),
    File("valid_procedure", (_must("code", "code"),)),
    File("mcc", (_must("code", "code"), _may("exclusion_table")), key=("code",)),
    File("cc", (_must("code", "code"), _may("exclusion_table")), key=("code",)),
    File("exclusion", (_must("principal_code", "code"), _must("exclusion_table"))),
    File(
        "drg",
        (_must("drg"), _must("adrg"), _must("name_zh"), _must("severity", "text", "mcc", "cc", "none", "any")),
        key=("drg",),
    ),
    File(
        "weight",
        (_must("drg"), _must("weight", "decimal"), _may("reference"), _may("year", "whole")),
        key=("drg",),
        optional=True,
    ),
    File(
        "code_map",
        (
            _must("kind", "text", *CODE_KINDS),
            _must("from_edition"),
            _must("from_code", "code"),
            _must("to_edition"),
            _must("to_code", "code"),
        ),
        optional=True,
    ),
    File(
        "edition_code",
        (_must("kind", "text", *CODE_KINDS), _must("code", "code"), _may("name_zh")),
        key=("kind", "code"),
        optional=True,
    ),
)

# What the warehouse reads.  Every table begins with edition_id: editions lie side by side.
STORED: dict[str, dict[str, str]] = {
    table: {"edition_id": "VARCHAR", **columns}
    for table, columns in {
        "scheme": {
            "scheme_id": "VARCHAR",
            "name_zh": "VARCHAR",
            "edition": "VARCHAR",
            "diagnosis_edition": "VARCHAR",
            "procedure_edition": "VARCHAR",
            "owner": "VARCHAR",
            "licence": "VARCHAR",
            "effective_from": "DATE",
            "effective_to": "DATE",
            "content_sha256": "VARCHAR",
            "content_sm3": "VARCHAR",
        },
        "mdc": {
            "mdc": "VARCHAR",
            "name_zh": "VARCHAR",
            "priority": "INTEGER",
            "sex": "VARCHAR",
            "age_days_max": "INTEGER",
            "age_years_max": "INTEGER",
            "min_body_regions": "INTEGER",
            "requires_valid_procedure": "BOOLEAN",
        },
        "mdc_diagnosis": {"mdc": "VARCHAR", "code": "VARCHAR", "body_region": "VARCHAR"},
        "adrg": {
            "adrg": "VARCHAR",
            "mdc": "VARCHAR",
            "name_zh": "VARCHAR",
            "priority": "INTEGER",
            "kind": "VARCHAR",
        },
        "adrg_condition": {
            "adrg": "VARCHAR",
            "alternative": "INTEGER",
            "role": "VARCHAR",
            "list_id": "VARCHAR",
            "age_days_max": "INTEGER",
            "weight_g_min": "INTEGER",
            "weight_g_below": "INTEGER",
        },
        "code_list": {"list_id": "VARCHAR", "code": "VARCHAR"},
        "valid_procedure": {"code": "VARCHAR"},
        "complication": {"code": "VARCHAR", "level": "VARCHAR", "exclusion_table": "VARCHAR"},
        "exclusion": {"principal_code": "VARCHAR", "exclusion_table": "VARCHAR"},
        "drg": {"drg": "VARCHAR", "adrg": "VARCHAR", "name_zh": "VARCHAR", "severity": "VARCHAR"},
        "weight": {"drg": "VARCHAR", "weight": "DECIMAL(18,8)", "reference": "VARCHAR", "year": "INTEGER"},
        "code_map": {
            "kind": "VARCHAR",
            "from_edition": "VARCHAR",
            "from_code": "VARCHAR",
            "to_edition": "VARCHAR",
            "to_code": "VARCHAR",
        },
        "edition_code": {"kind": "VARCHAR", "code": "VARCHAR", "name_zh": "VARCHAR"},
    }.items()
}
