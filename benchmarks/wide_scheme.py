"""An invented grouping scheme as wide as the national ones: what a scheme weighs, not what it means.

Belongs here: the package folder in the format of ``docs/drg-scheme.md`` and the layout of its codes, which
:mod:`benchmarks.cases` draws from.  Does not belong here: clinical sense; the demo's scheme has that.

33,000 diagnoses and 13,000 procedures stand in 24 equal blocks, one per major category; a multiple-trauma category
and a pre-category reach across them.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

DIAGNOSES, PROCEDURES, ADRGS, DRGS = 33_000, 13_000, 376, 628
BLOCKS = "BCDEFGHIJKLMNOPQRSTUVWXY"  # categories with diagnoses and procedures of their own
DIAGNOSES_PER_BLOCK = DIAGNOSES // len(BLOCKS)
PROCEDURES_PER_BLOCK = PROCEDURES // len(BLOCKS)
MALE, FEMALE, NEWBORN, TRAUMA = "M", "N", "P", "V"
OUTDATED = 2_000  # diagnoses that the cases also carry under the code of an earlier edition

SCHEME_ID, EDITION = "KUAN", "1.0"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTVWXYZ"
_DIAGNOSIS_EDITION, _PROCEDURE_EDITION = "DX-1", "OP-1"
_EXCLUSION_TABLES, _PRINCIPALS_PER_TABLE = 300, 100
_DIAGNOSES_PER_TABLE = DIAGNOSES // _EXCLUSION_TABLES
_SURGICAL, _PROCEDURAL, _MEDICAL = "BCDEFGH", "JK", "RSTUVW"  # second letters of the groups of one category
_NEWBORN_WEIGHTS_G = (0, 1000, 1500, 2000, 2500, 9999)

Row = Sequence[object]


def diagnosis_codes() -> list[str]:
    return [f"{_LETTERS[i // 1320]}{i % 1320 // 14:02d}.{i % 14:03d}" for i in range(DIAGNOSES)]


def outdated_codes() -> list[str]:
    return [f"{code}x001" for code in diagnosis_codes()[:OUTDATED]]


def procedure_codes() -> list[str]:
    return [f"{i // 140:02d}.{i % 140 * 7:04d}" for i in range(PROCEDURES)]


def write(folder: Path) -> None:
    """Write the package; equal bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, rows) in _tables().items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header.split())
            writer.writerows(rows)


def _tables() -> dict[str, tuple[str, Iterable[Row]]]:
    diagnoses, procedures = diagnosis_codes(), procedure_codes()
    groups = list(_groups())
    lists: dict[str, list[str]] = {}
    conditions = list(_conditions(groups, diagnoses, procedures, lists))
    drgs = list(_drgs([group for group, *_ in groups]))
    return {
        "scheme": (
            "scheme_id name_zh edition diagnosis_edition procedure_edition owner licence effective_from effective_to",
            [
                [
                    SCHEME_ID,
                    "虚构的宽方案",
                    EDITION,
                    _DIAGNOSIS_EDITION,
                    _PROCEDURE_EDITION,
                    "虚构",
                    "自由使用",
                    "2020-01-01",
                    "",
                ]
            ],
        ),
        "mdc": (
            "mdc name_zh priority sex age_days_max age_years_max min_body_regions requires_valid_procedure",
            list(_categories()),
        ),
        "mdc_diagnosis": ("mdc code body_region", list(_category_diagnoses(diagnoses))),
        "adrg": ("adrg mdc name_zh priority kind", [[g, mdc, f"组 {g}", p, kind] for g, mdc, p, kind in groups]),
        "adrg_condition": (
            "adrg alternative role list_id age_days_max weight_g_min weight_g_below",
            conditions,
        ),
        "code_list": ("list_id code", [[name, code] for name, codes in lists.items() for code in codes]),
        "valid_procedure": ("code", [[code] for i, code in enumerate(procedures) if _is_valid(i)]),
        "mcc": ("code exclusion_table", _complications(diagnoses, every=11, offset=0)),
        "cc": ("code exclusion_table", _complications(diagnoses, every=5, offset=1)),
        "exclusion": (
            "principal_code exclusion_table",
            [
                [diagnoses[table * _DIAGNOSES_PER_TABLE + n], f"T{table:03d}"]
                for table in range(_EXCLUSION_TABLES)
                for n in range(_PRINCIPALS_PER_TABLE)
            ],
        ),
        "drg": ("drg adrg name_zh severity", drgs),
        "weight": (
            "drg weight reference year",
            [[drg, f"{0.3 + n * 0.01:.4f}", "虚构", 2023] for n, (drg, *_) in enumerate(drgs)],
        ),
        "code_map": (
            "kind from_edition from_code to_edition to_code",
            [
                ["diagnosis", "DX-0", old, _DIAGNOSIS_EDITION, new]
                for old, new in zip(outdated_codes(), diagnoses, strict=False)
            ],
        ),
        "edition_code": (
            "kind code name_zh",
            [["diagnosis", code, f"诊断 {code}"] for code in diagnoses]
            + [["procedure", code, f"操作 {code}"] for code in procedures],
        ),
    }


def _categories() -> Iterator[Row]:
    conditions = {
        "A": ["", "", "", "", 1],
        "Z": ["", "", "", 2, 0],
        NEWBORN: ["", 28, "", "", 0],
        MALE: ["1", "", "", "", 0],
        FEMALE: ["2", "", "", "", 0],
    }
    early = ["A", NEWBORN, "Y", "Z"]
    for priority, mdc in enumerate([*early, *(letter for letter in BLOCKS if letter not in early)], start=1):
        yield [mdc, f"大类 {mdc}", priority, *conditions.get(mdc, ["", "", "", "", 0])]


def _category_diagnoses(diagnoses: list[str]) -> Iterator[Row]:
    for n, code in enumerate(diagnoses):
        mdc = BLOCKS[n // DIAGNOSES_PER_BLOCK]
        yield [mdc, code, ""]
        if mdc == TRAUMA:
            yield ["Z", code, f"R{n % 8}"]
        elif mdc != NEWBORN and n % 20 == 0:  # newborns also have the diagnoses of others
            yield [NEWBORN, code, ""]


def _groups() -> Iterator[tuple[str, str, int, str]]:
    """(group, category, priority, kind): 12 before the categories, 8 of multiple trauma, 14 or 15 in each other."""
    for priority in range(1, 13):
        yield f"A{chr(ord('A') + priority)}1", "A", priority, "surgical"
    for priority in range(1, 9):
        yield f"Z{chr(ord('A') + priority)}1", "Z", priority, "surgical" if priority < 8 else "medical"
    left = ADRGS - 20
    for n, mdc in enumerate(BLOCKS):
        letters = _SURGICAL + _PROCEDURAL + _MEDICAL
        if n >= left - 14 * len(BLOCKS):
            letters = letters.replace("G", "", 1)
        for priority, letter in enumerate(letters, start=1):
            kind = "surgical" if letter in _SURGICAL else "procedure" if letter in _PROCEDURAL else "medical"
            yield f"{mdc}{letter}1", mdc, priority, kind


def _conditions(
    groups: list[tuple[str, str, int, str]], diagnoses: list[str], procedures: list[str], lists: dict[str, list[str]]
) -> Iterator[Row]:
    """Rows of adrg_condition; fills ``lists``."""

    def row(group: str, alternative: int, role: str, codes: list[str] | None = None, **bounds: int) -> Row:
        name = ""
        if codes is not None:
            name = f"{group}.{alternative}.{sum(key.startswith(f'{group}.{alternative}.') for key in lists) + 1}"
            lists[name] = codes
        numbers = [bounds.get(bound, "") for bound in ("age_days_max", "weight_g_min", "weight_g_below")]
        return [group, alternative, role, name, *numbers]

    for group, mdc, priority, kind in groups:
        if mdc in "AZ":
            if kind == "medical":
                yield row(group, 1, "none")
            else:
                yield row(group, 1, "any_procedure", procedures[priority * 23 :: 650])
            continue
        block = BLOCKS.index(mdc)
        mine = diagnoses[block * DIAGNOSES_PER_BLOCK : (block + 1) * DIAGNOSES_PER_BLOCK]
        start = block * PROCEDURES_PER_BLOCK
        operations = procedures[start : start + PROCEDURES_PER_BLOCK]
        letter = group[1]
        if letter == "H":
            yield row(group, 1, "any_valid_procedure")
        elif kind == "surgical":
            n = _SURGICAL.index(letter)
            chosen = operations[n * 60 : n * 60 + 90]
            if n % 3 == 1:
                yield row(group, 1, "principal_diagnosis", mine[n :: len(_SURGICAL)])
                yield row(group, 1, "any_procedure", chosen)
                yield row(group, 2, "principal_procedure", chosen[:20])
            elif n % 3 == 2:
                yield row(group, 1, "any_procedure", chosen)
            else:
                yield row(group, 1, "any_procedure", chosen[:60])
                yield row(group, 2, "any_procedure", chosen[60:])
                yield row(group, 2, "any_procedure", operations[420:520])
        elif kind == "procedure":
            invalid = [code for i, code in enumerate(operations, start=start) if not _is_valid(i)]
            yield row(group, 1, "any_procedure", invalid[_PROCEDURAL.index(letter) :: 3])
            yield row(group, 1, "no_valid_procedure")
        else:
            n = _MEDICAL.index(letter)
            if mdc == NEWBORN and n < len(_MEDICAL) - 1:
                bounds = {"weight_g_min": _NEWBORN_WEIGHTS_G[n], "weight_g_below": _NEWBORN_WEIGHTS_G[n + 1]}
                yield row(group, 1, "principal_diagnosis", mine[: DIAGNOSES_PER_BLOCK * 3 // 4], **bounds)
            elif n == len(_MEDICAL) - 1:
                yield row(group, 1, "principal_diagnosis", mine)
            else:
                yield row(group, 1, "principal_diagnosis", mine[n :: len(_MEDICAL)])
                yield row(group, 2, "any_diagnosis", mine[n * 3 : n * 3 + 3])


def _is_valid(procedure: int) -> bool:
    return procedure % 3 != 2


def _complications(diagnoses: list[str], every: int, offset: int) -> list[Row]:
    return [[diagnoses[n], f"T{n // _DIAGNOSES_PER_TABLE:03d}"] for n in range(offset, DIAGNOSES, every)]


def _drgs(adrgs: list[str]) -> Iterator[Row]:
    """Three-way, two-way and undivided groups, as many as make up the number of DRGs."""
    three = 70
    two = DRGS - ADRGS - 2 * three
    splits = [("mcc", "cc", "none")] * three + [("cc", "none")] * two + [("any",)] * (ADRGS - three - two)
    random.Random(1).shuffle(splits)
    digit = {"mcc": 1, "cc": 3, "none": 5, "any": 9}
    for adrg, severities in zip(adrgs, splits, strict=True):
        for severity in severities:
            yield [f"{adrg}{digit[severity]}", adrg, f"组 {adrg}（{severity}）", severity]
