"""Schemes and cases drawn from a seed to be as awkward as the format allows.

Every scheme has the same few codes, MDCs, ADRGs and lists and gives them another meaning, so that a rule that is read
from the wrong edition is noticed. Every case draws from the same codes, so that most rules match often and priority
decides. What the format forbids is not drawn: the schemes pass the checks of an import.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from support.grouper import Case

Row = dict[str, str]
Tables = dict[str, list[Row]]

# known to the scheme: listed by every kind of MDC, by MDCs with conditions alone, by no MDC
OPEN = [f"I{number:02}.x0{number % 7}" for number in range(10, 32)]
CONDITIONAL = [f"P{number:02}.900" for number in range(12)]
UNLISTED = [f"E{number}.100" for number in range(5)]
DIAGNOSES = [*OPEN, *CONDITIONAL, *UNLISTED]
PROCEDURES = [f"{number:02}.0{number}00" for number in range(30, 54)]
# known by way of the crosswalk, and not at all; some of the old codes are both a diagnosis and a procedure
OLD = [f"{number:02}.9x{number}" for number in range(60, 72)]
UNKNOWN = ["Z99.999", "i10.x03", "00"]

# (MDC, conditions); the list-less ones come first in most schemes
MDCS: list[tuple[str, dict[str, str | int]]] = [
    ("A", {}),
    ("B", {"requires_valid_procedure": "1"}),
    ("P", {"age_days_max": 28}),
    ("Q", {"age_years_max": 14}),
    ("Z", {"min_body_regions": 2}),
    ("M", {"sex": "1"}),
    ("N", {"sex": "2", "age_years_max": 60}),
    ("S", {"requires_valid_procedure": "1"}),
    ("F", {}),
    ("G", {}),
]
LISTLESS = ("A", "B")
REGIONS = ["", "头", "胸", "腹"]
LIST_ROLES = ["principal_diagnosis", "any_diagnosis", "principal_procedure", "any_procedure"]
ROLES = [*LIST_ROLES, *LIST_ROLES, "any_valid_procedure", "first_valid_procedure", "no_valid_procedure", "none"]
SEVERITIES = [
    *[("any",)] * 4,
    *[("mcc", "cc", "none")] * 4,
    *(("mcc", "none"), ("cc", "none"), ("mcc", "any"), ("cc", "any"), ("none", "any")),
    *(("mcc", "cc"), ("mcc",), ("cc",), ("none",)),
]
# the tables whose rows the format lets stand once only
KEYED = ("scheme", "mdc", "adrg", "mcc", "cc", "drg", "weight", "edition_code")


def _some(draw: random.Random, population: Sequence[str], least: int, most: int) -> list[str]:
    return draw.sample(population, draw.randint(least, min(most, len(population))))


def _lists(kind: str, width: int) -> list[str]:
    return [f"{kind}{number}" for number in range(10 * width)]


def _priorities(draw: random.Random, count: int) -> list[str]:
    """Ascending as numbers, not as text."""
    return [str(number) for number in sorted(draw.sample(range(1, 130), count))]


def random_scheme(seed: int, *, width: int = 1) -> Tables:
    """The rows of a package: every feature of the format, many of them at once, and `width` times the usual groups."""
    draw = random.Random(seed)
    mdcs = list(MDCS)
    if seed % 3 == 0:
        draw.shuffle(mdcs)
    tables: Tables = {
        "scheme": [
            {
                **{"scheme_id": "random", "name_zh": "随机方案", "edition": f"{seed}"},
                **{"diagnosis_edition": "2", "procedure_edition": "2", "owner": "测试", "licence": "CC0"},
                **{"effective_from": "2020-01-01", "effective_to": ""},
            }
        ],
        **{name: [] for name in ("mdc", "mdc_diagnosis", "adrg", "adrg_condition", "drg", "weight")},
        "code_list": [
            {"list_id": name, "code": code}
            for kind, codes in (("diagnosis", DIAGNOSES), ("procedure", PROCEDURES))
            for number, name in enumerate(_lists(kind, width))
            # a list is empty when its one row has no code
            for code in (_some(draw, codes, 1, 3 + number % 10) if number != seed % 5 else [""])
        ],
        "valid_procedure": [{"code": code} for code in _some(draw, PROCEDURES, 8, 18)],
        **{
            level: [
                {"code": code, "exclusion_table": draw.choice(["", "X1", "X2", "X3"])}
                for code in _some(draw, DIAGNOSES, least, most)
            ]
            for level, least, most in (("mcc", 3, 8), ("cc", 6, 14))
        },
        "exclusion": [
            {"principal_code": code, "exclusion_table": table}
            for code in DIAGNOSES
            for table in ("X1", "X2", "X3")
            if draw.random() < 0.3
        ],
        "code_map": _code_map(draw),
        "edition_code": _edition_codes(draw) if seed % 2 else [],
    }
    for (mdc, conditions), priority in zip(mdcs, _priorities(draw, len(mdcs)), strict=True):
        _add_mdc(draw, tables, width, mdc, conditions, priority)
    repeated = {name: [] if name in KEYED else draw.sample(rows, len(rows) // 5) for name, rows in tables.items()}
    return {
        name: draw.sample([*rows, *repeated[name]], len(rows) + len(repeated[name])) for name, rows in tables.items()
    }


def _add_mdc(
    draw: random.Random, tables: Tables, width: int, mdc: str, conditions: dict[str, str | int], priority: str
) -> None:
    columns = ("sex", "age_days_max", "age_years_max", "min_body_regions", "requires_valid_procedure")
    given = {column: str(conditions.get(column, "")) for column in columns}
    tables["mdc"].append({"mdc": mdc, "name_zh": f"大类{mdc}", "priority": priority, **given})
    if mdc not in LISTLESS:
        for code in _some(draw, [*OPEN, *CONDITIONAL] if conditions else OPEN, 8, 18):
            for region in _some(draw, REGIONS, 1, 2) if "min_body_regions" in conditions else [""]:
                tables["mdc_diagnosis"].append({"mdc": mdc, "code": code, "body_region": region})
    count = draw.randint(2, 5) * width
    for number, adrg_priority in zip(draw.sample(range(10 * width), count), _priorities(draw, count), strict=True):
        _add_adrg(draw, tables, width, mdc, f"{mdc}{draw.choice('BJR')}{number}", adrg_priority)


def _add_adrg(draw: random.Random, tables: Tables, width: int, mdc: str, adrg: str, priority: str) -> None:
    kind = draw.choice(["surgical", "procedure", "medical"])
    tables["adrg"].append({"adrg": adrg, "mdc": mdc, "name_zh": f"核心组{adrg}", "priority": priority, "kind": kind})
    for alternative in draw.sample(range(1, 13), draw.randint(1, 3)):
        # a list-less MDC opens on everybody, and many groups leave little to the later ones: one role more for each
        for role in draw.choices(ROLES, k=draw.choice([1, 1, 2, 2, 3]) + (mdc in LISTLESS) + (width > 1)):
            listed = draw.choice(_lists(role.partition("_")[2], width)) if role in LIST_ROLES else ""
            bounds = draw.choice([("", "", ""), ("", "", ""), ("", "", ""), *BOUNDS])
            names = ("age_days_max", "weight_g_min", "weight_g_below")
            tables["adrg_condition"].append(
                {"adrg": adrg, "alternative": str(alternative), "role": role, "list_id": listed}
                | dict(zip(names, bounds, strict=True))
            )
    for number, severity in enumerate(draw.choice(SEVERITIES)):
        drg = f"{adrg}{number}"
        tables["drg"].append({"drg": drg, "adrg": adrg, "name_zh": f"组{drg}", "severity": severity})
        tables["weight"].append({"drg": drg, "weight": f"0.{draw.randint(1, 9999)}", "reference": "", "year": ""})


# (age_days_max, weight_g_min, weight_g_below)
BOUNDS = [
    *(("0", "", ""), ("28", "", ""), ("364", "", "")),
    *(("", "1500", ""), ("", "", "2500"), ("", "1500", "2500"), ("28", "", "1500"), ("28", "2500", "")),
]


def _code_map(draw: random.Random) -> list[Row]:
    """Old codes and codes that the edition knows, each into this edition, into another, or into both."""
    rows = []
    for kind, codes in (("diagnosis", DIAGNOSES), ("procedure", PROCEDURES)):
        for old in [*draw.sample(OLD, 10), *draw.sample(codes, 4)]:
            for edition in draw.choice([("2",), ("2",), ("1",), ("1", "2")]):
                rows.append(
                    {
                        **{"kind": kind, "from_edition": "0", "from_code": old},
                        **{"to_edition": edition, "to_code": draw.choice(codes)},
                    }
                )
    return rows


def _edition_codes(draw: random.Random) -> list[Row]:
    """The code tables of the edition, which lack a few codes that the scheme names."""
    return [
        {"kind": kind, "code": code, "name_zh": f"名称{code}"}
        for kind, codes in (("diagnosis", DIAGNOSES), ("procedure", PROCEDURES))
        for code in codes
        if draw.random() < 0.9
    ]


# ------------------------------------------------------------------------------------------------ cases

AGES: list[tuple[int | None, int | None]] = [
    *((None, None), (None, 0), (None, 28), (None, 29), (0, None), (0, 0), (0, 1), (0, 28), (0, 29), (0, 364)),
    *((1, None), (1, 28), (14, None), (15, None), (60, None), (61, None), (104, None)),
]
WEIGHTS = [None, 0, 900, 1499, 1500, 1501, 2499, 2500, 2501, 4000]
SEXES = ["1", "1", "1", "2", "2", "2", "0", "9", "", None]


def random_cases(seed: int, count: int) -> list[Case]:
    draw = random.Random(seed)
    return [_case(draw) for _ in range(count)]


def _case(draw: random.Random) -> Case:
    age_years, age_days = draw.choice(AGES)
    return Case(
        diagnoses=_codes(draw, DIAGNOSES),
        operations=_codes(draw, PROCEDURES),
        sex=draw.choice(SEXES),
        age_years=age_years,
        age_days=age_days,
        weight_g=draw.choice(WEIGHTS),
    )


def _codes(draw: random.Random, known: Sequence[str]) -> list[str | None] | None:
    """A list of 0 to 41 codes as a hospital might send it, or no list at all."""
    if draw.random() < 0.005:
        return None
    length = draw.choice([0, 1, 1, 1, 2, 2, 3, 4, 6, 12, 41]) if draw.random() < 0.9 else draw.randint(0, 41)
    # a case of few different codes repeats them
    choice = known if draw.random() < 0.8 else draw.sample(known, 3)
    return [_code(draw, choice) for _ in range(length)]


def _code(draw: random.Random, known: Sequence[str]) -> str | None:
    kind = draw.random()
    if kind < 0.90:
        return known[int(draw.random() * len(known))]
    if kind < 0.96:
        return draw.choice(OLD)
    return draw.choice([*UNKNOWN, "", None])
