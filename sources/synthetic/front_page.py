"""Draws the discharges of one hospital and month as cells of a front page.

Belongs here: what is written in each item of the front page and how the items agree with each other,
under the A/B/C/D collection codes, whatever the layout. Does not belong
here: column order, encodings and containers (layouts), deliberate errors (dirt), tables of cases
(casemix) and people.

A block is drawn with numpy from a seed of its own (province seed, hospital, month), so blocks are
independent of each other and of the number of workers. Without dirt no row violates any validation rule.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sources.synthetic.casemix import PROFILE
from sources.synthetic.cells import MISSING, Bools, Cells, Ints, choose, clock, money, pick, texts, where
from sources.synthetic.clinical import write_clinical
from sources.synthetic.patients import write_people
from sources.synthetic.people import Hospital, staff_of

FEE_ITEMS = [
    *(
        "D11",
        "D12",
        "D13",
        "D14",
        "D15",
        "D16",
        "D17",
        "D18",
        "D19",
        "D20",
        "D21",
        "D22",
        "D23",
        "D24",
        "D25",
    ),
    *("D26", "D27", "D28", "D29", "D30", "D31", "D32", "D33", "D34"),
]
# parts that are already inside their parent and therefore not added to the total
FEE_PARTS = {"D19x01": "D19", "D20x01": "D20", "D20x02": "D20", "D23x01": "D23"}

# share of the total for stays without and with an operation; what is left goes to western medicine (D23)
_FEE_SHARES = {
    "D11": (0.06, 0.03),
    "D12": (0.05, 0.03),
    "D13": (0.04, 0.02),
    "D14": (0.01, 0.005),
    "D16": (0.16, 0.09),
    "D17": (0.12, 0.07),
    "D18": (0.06, 0.03),
    "D19": (0.06, 0.01),
    "D20": (0.0, 0.2),
    "D21": (0.01, 0.005),
    "D22": (0.01, 0.005),
    "D24": (0.03, 0.01),
    "D25": (0.01, 0.0),
    "D31": (0.02, 0.01),
    "D32": (0.04, 0.03),
    "D33": (0.0, 0.22),
    "D34": (0.01, 0.005),
}


@dataclass
class Block:
    """The discharges of one hospital and month: cells by item, and facts that other sources build on."""

    hospital: Hospital
    month: str
    cells: Cells
    drg: list[str]  # the group that each case was drawn from; empty = it belongs to none
    ungrouped_reason: list[str]
    department: list[str]  # normalised discharge department
    stay_days: Ints
    admitted: NDArray[np.datetime64]
    discharged: NDArray[np.datetime64]
    masks: dict[str, Bools] = field(default_factory=dict)  # what a fault needs to know to pick its rows

    def __len__(self) -> int:
        return len(self.drg)


def group_weights(hospital: Hospital, month_number: int, calendar_month: int, *, newborns: bool) -> NDArray[np.float64]:
    """How likely each group is in this hospital: level, focus, season and a slow shift to surgery."""
    weight = np.array([g.frequency for g in PROFILE.groups])
    if not newborns:
        weight = weight * ~PROFILE.newborn
    if hospital.focus:
        weight = weight * np.isin(PROFILE.mdc, list(hospital.focus))
    if hospital.kind == "中医":
        weight = weight * np.where(np.isin(PROFILE.mdc, list("IXBF")) & ~PROFILE.surgical, 2.5, 1.0)
    weight = weight * np.where(PROFILE.heavy, {"三级": 1.3, "二级": 0.18}.get(hospital.level, 0.0), 1.0)
    winter = 1 + 0.3 * np.cos(2 * np.pi * (calendar_month - 1) / 12)
    weight = weight * np.where(PROFILE.mdc == "E", winter, 1.0)
    weight = weight * np.where(PROFILE.surgical, 1 + 0.004 * month_number, 1.0)
    return np.asarray(weight / weight.sum())


def days_in(month: str) -> int:
    """Calendar days of a month 'YYYY-MM'."""
    return monthrange(int(month[:4]), int(month[5:7]))[1]


def _full_years(birth: NDArray[np.datetime64], at: NDArray[np.datetime64]) -> Ints:
    """Completed years from birth to a day."""
    months = (at.astype("datetime64[M]") - birth.astype("datetime64[M]")).astype(np.int64)
    birth_day = (birth - birth.astype("datetime64[M]")).astype(np.int64)
    at_day = (at - at.astype("datetime64[M]")).astype(np.int64)
    return np.asarray((months - (at_day < birth_day)) // 12)


def _births(at: NDArray[np.datetime64], years: Ints, extra_days: Ints) -> NDArray[np.datetime64]:
    month = at.astype("datetime64[M]") - 12 * years
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    day = np.minimum((at - at.astype("datetime64[M]")).astype(np.int64), length - 1)
    return np.asarray(month.astype("datetime64[D]") + day - extra_days)


def draw_block(
    hospital: Hospital,
    month: str,
    month_number: int,
    count: int,
    seed: int,
    *,
    ventilated: bool,
    newborns: bool,
    old_codes: bool,
    whole_hours: bool,
) -> Block:
    """Draw `count` discharges of a hospital in a month ('YYYY-MM').

    Ventilation is coded only where the layout has a column for its hours, and newborns come only where it has one
    for the age in days, without which nobody can group them; a layout that stores hours instead of minutes gets
    stays that begin and end on the hour, so that every source tells the same time. `old_codes`: codes of the
    edition before.
    """
    profile = PROFILE
    rng = np.random.default_rng(np.random.SeedSequence([seed, hospital.index, month_number]))
    habits = np.random.default_rng(np.random.SeedSequence([seed, hospital.index, 10**6]))
    cost_habit, stay_habit, death_habit = habits.uniform(0.85, 1.2, 3)
    first_day = np.datetime64(month, "D")
    month_days = days_in(month)

    # --- what is treated, and for how long
    chances = group_weights(hospital, month_number, int(month[5:7]), newborns=newborns)
    group = rng.choice(len(profile.groups), count, p=chances).astype(np.int64)
    repeats = int(count * 0.04)
    eligible = rng.permutation(np.flatnonzero(~profile.once[group]))[: 2 * repeats]
    first, second = eligible[: len(eligible) // 2], eligible[len(eligible) // 2 :][: len(eligible) // 2]
    group[second] = group[first]
    spread = rng.lognormal(-0.08, 0.4, count)
    stay = np.clip(np.rint(profile.stay[group] * stay_habit * spread), 1, 120).astype(np.int64)
    # short stays and day cases are more than the tail of the distribution
    stay[(rng.random(count) < 0.15) & (profile.stay[group] < 9)] = 1
    day = rng.integers(0, month_days, count)
    day[first] = rng.integers(0, 7, len(first))
    day[second] = rng.integers(21, 28, len(second))
    stay[second] = np.minimum(stay[second], 13)
    same_day = (stay == 1) & (rng.random(count) < 0.5)
    discharged_day = first_day + day
    admitted_day = discharged_day - np.where(same_day, 0, stay)
    step = 60 if whole_hours else 1
    admitted = clock(admitted_day, rng.integers(0, 720 // step, count) * step)
    discharged = clock(discharged_day, rng.integers(720 // step, 1080 // step, count) * step)

    # --- who
    sex = np.where(profile.sex[group] == 0, 1 + (rng.random(count) < 0.47), profile.sex[group]).astype(np.int64)
    sex[second] = sex[first]
    years = np.clip(
        np.rint(rng.normal(profile.age[group], profile.age_sd[group])),
        profile.age_min[group],
        profile.age_max[group],
    ).astype(np.int64)
    newborn = profile.newborn[group]
    extra = rng.integers(profile.age_days[group, 0], profile.age_days[group, 1] + 1)
    birth = _births(admitted_day, years, extra)
    birth[second] = birth[first]
    age = _full_years(birth, admitted_day)
    age_days = (admitted_day - birth).astype(np.int64)
    child = profile.child[group]

    # --- how it ended
    risk = profile.mortality[group] * death_habit * np.clip((age + 10) / 70, 0.3, 1.8)
    died = rng.random(count) < risk
    died[first] = False
    draw = rng.random(count)
    mode = np.select([died, draw < 0.02, draw < 0.03, draw < 0.06, draw < 0.063], [5, 2, 3, 4, 9], 1)

    cells: Cells = {}
    write_people(cells, rng, hospital, month, count, first, second, sex, age, birth, newborn)
    cells["B12"], cells["B15"] = texts(admitted), texts(discharged)
    cells["B20"] = [str(value) for value in stay.tolist()]
    cells["A12C"] = [str(value) for value in sex.tolist()]
    cells["A13"] = np.datetime_as_string(birth, unit="D").tolist()
    cells["A14"] = [str(value) for value in age.tolist()]
    cells["A16"] = where(age == 0, [str(value) for value in age_days.tolist()])
    cells["B34C"] = [str(value) for value in mode.tolist()]
    cells["C34C"] = where(died, choose(rng, count, ["1", "2"], [0.04, 0.96]))
    cells["B35"] = where(np.isin(mode, [2, 3]), ["云岫省示例接收机构"] * count)
    cells["B36C"] = ["2" if value < 0.05 else "1" for value in rng.random(count).tolist()]
    cells["B37"] = ["继续治疗" if value == "2" else MISSING for value in cells["B36C"]]

    principal, operated = write_clinical(
        cells,
        rng,
        hospital,
        group,
        child=child,
        newborn=newborn,
        ventilated=ventilated,
        old_codes=old_codes,
        admitted=admitted,
        stay_nights=np.where(same_day, 0, stay),
        died=died,
    )
    lightest, heaviest = (profile.admission_weight_g[group] // 10).T
    weight = rng.integers(lightest, heaviest + 1) * 10
    cells["A17"] = where(newborn, [str(value) for value in weight.tolist()])
    cells["A18x01"] = where(newborn | profile.delivery[group], [str(value + 50) for value in weight.tolist()])
    departments = _write_departments(cells, rng, hospital, group, count)
    total, blood = _write_fees(cells, rng, group, stay, operated, cost_habit, month_number, spread)
    known_abo = choose(rng, count, ["1", "2", "3", "4"], [0.28, 0.25, 0.38, 0.09])
    known = blood | (rng.random(count) < 0.8)
    cells["C26C"] = where(known, known_abo, "6")
    cells["C27C"] = where(known, ["2" if value < 0.995 else "1" for value in rng.random(count).tolist()], "4")
    _write_rest(cells, rng, hospital, count, age, newborn | child, same_day, operated, died)

    return Block(
        hospital,
        month,
        cells,
        drg=profile.codes[group].tolist(),
        ungrouped_reason=profile.reasons[group].tolist(),
        department=departments,
        stay_days=stay,
        admitted=admitted,
        discharged=discharged,
        masks={
            "same_day": same_day & ~operated,
            "one_day": (stay == 1) & ~operated & ~blood,
            "longer": stay > 1,
            "adult": age >= 20,
            "teen": age >= 13,
            "girl": (age <= 12) & (sex == 2) & ~newborn,
            "male": sex == 1,
            "newborn": newborn,
            "operated": operated,
            "blood": blood,
            "tumour": np.array([code[0] == "C" or code[:2] in ("D0", "D1", "D2", "D3", "D4") for code in principal]),
            "injury": np.array([code[0] in "ST" for code in principal]),
            "head_injury": np.array([code[:2] == "S0" for code in principal]),
            "died": died,
            "referred": np.isin(mode, [2, 3]),
            "identified": np.array([text != MISSING for text in cells["A20"]]),
            "single": ~np.isin(np.arange(count), eligible),
            "not_allergic": np.array([text == "1" for text in cells["C24C"]]),
            "rich": total > 100_000,
            "ventilated_long": np.array([hours.isdigit() and int(hours) >= 96 for hours in cells["C47"]]),
            "delivery": profile.delivery[group],
            "walked_in": np.array([text in ("1", "2") for text in cells["B11C"]]),
            "beside": np.array([text != MISSING for text in cells["C06x01C"]]),
            "operated_twice": np.array([text != MISSING for text in cells.get("C35x01C", [MISSING] * count)]),
            "plain": np.array([code[0] not in "STCDZ" for code in principal]) & ~newborn & ~profile.delivery[group],
        },
    )


_TCM = {
    "03": "5001",
    "04": "5002",
    "05": "5003",
    "07": "5004",
    "13": "5005",
    "10": "5006",
    "11": "5007",
    "19": "5009",
}
# where a case is sometimes treated instead: the elderly ward, general surgery, emergency, intensive care
_ALTERNATIVES = ["0310", "0401", "20", "28"]


def department_code(style: str, normalised: str) -> str:
    """The spelling of a department in a hospital's system."""
    code = normalised[:2] if normalised.endswith("00") else normalised
    if style == "dotted" and len(code) == 4:
        return f"{code[:2]}.{code[2:]}"
    if style == "prefixed":
        return f"A{code[:2]}.{code[2:]}" if len(code) == 4 else f"A{code}"
    if style == "short" and len(code) == 4:
        return code.lstrip("0")
    return code


def _write_departments(
    cells: Cells, rng: np.random.Generator, hospital: Hospital, group: Ints, count: int
) -> list[str]:
    usual = PROFILE.departments[group].tolist()
    if hospital.kind == "中医":
        usual = ["5010" if code == "0403" else _TCM.get(code[:2], "5001") for code in usual]
    alternative = pick(_ALTERNATIVES, rng.integers(0, len(_ALTERNATIVES), count))
    elsewhere = rng.random(count) < 0.05
    final = [a if there else u for u, a, there in zip(usual, alternative, elsewhere.tolist(), strict=True)]
    final = [code[:2] if code.endswith("00") else code for code in final]
    moved = rng.random(count) < 0.06
    style = hospital.department_style
    spelled = {code: department_code(style, code) for code in {*final, "20", "28"}}
    cells["B16C"] = [spelled[code] for code in final]
    cells["B13C"] = [spelled["20"] if away else text for text, away in zip(cells["B16C"], moved.tolist(), strict=True)]
    via = rng.random(count) < 0.3
    cells["B21C"] = [
        MISSING if not away else f"{spelled['28']},{text}" if icu else text
        for text, away, icu in zip(cells["B16C"], moved.tolist(), via.tolist(), strict=True)
    ]
    return final


def _write_fees(
    cells: Cells,
    rng: np.random.Generator,
    group: Ints,
    stay: Ints,
    operated: Bools,
    habit: float,
    month_number: int,
    spread: NDArray[np.float64],
) -> tuple[Ints, Bools]:
    """Items in fen that add up to the total exactly; returns totals and who received blood."""
    count = len(group)
    yuan = (
        PROFILE.cost[group] * habit * np.sqrt(spread) * (1 + 0.002 * month_number) * rng.lognormal(-0.04, 0.28, count)
    )
    total = (np.maximum(yuan, 400) * 100).astype(np.int64)
    items: dict[str, Ints] = {}
    for code, (without, with_operation) in _FEE_SHARES.items():
        share = np.where(operated, with_operation, without) * rng.uniform(0.7, 1.3, count)
        items[code] = (total * share).astype(np.int64)
    tumour = PROFILE.mdc[group] == "R"
    items["D15"] = np.where(operated | tumour, (total * 0.01).astype(np.int64), 0)
    blood = rng.random(count) < np.where(PROFILE.severity[group] == 2, 0.12, 0.02)
    items["D26"] = np.where(blood, (total * 0.03).astype(np.int64), 0)
    for code, chance in (("D27", 0.04), ("D28", 0.01), ("D29", 0.005), ("D30", 0.005)):
        items[code] = np.where(rng.random(count) < chance, (total * 0.02).astype(np.int64), 0)
    items["D23"] = total - sum(items.values(), np.zeros(count, dtype=np.int64))
    parts = {
        "D19x01": items["D19"] * 3 // 10,
        "D20x01": items["D20"] // 4,
        "D20x02": items["D20"] * 13 // 20,
        "D23x01": items["D23"] // 5,
    }
    for code in FEE_ITEMS:
        cells[code] = money(items[code])
    for code, values in parts.items():
        cells[code] = money(values)
    cells["D01"] = money(total)
    cells["D09"] = money((total * rng.uniform(0.1, 0.6, count)).astype(np.int64))
    return total, blood


def _write_rest(
    cells: Cells,
    rng: np.random.Generator,
    hospital: Hospital,
    count: int,
    age: Ints,
    young: Bools,
    same_day: Bools,
    operated: Bools,
    died: Bools,
) -> None:
    staff = staff_of(hospital)
    for code in ("B22", "B23", "B24", "B25", "B26", "B29", "B31", "B32"):
        cells[code] = pick(staff, rng.integers(0, len(staff), count))
    cells["B11C"] = choose(
        rng, count, ["1", "2", "3", "9"], [0.3, 0.62, 0.06 if hospital.level == "三级" else 0.02, 0.02]
    )
    cells["B30C"] = choose(rng, count, ["1", "2"], [0.97, 0.03])
    cells["B33"] = cells["B15"][:]
    allergic = rng.random(count) < 0.06
    cells["C24C"] = ["2" if value else "1" for value in allergic.tolist()]
    cells["C25"] = where(allergic, choose(rng, count, ["青霉素", "头孢菌素", "磺胺"], [5, 3, 2]))
    cells["B38"] = ["1" if value else "2" for value in (same_day & operated).tolist()]
    rescued = died | (rng.random(count) < 0.02)
    cells["P421"] = where(rescued, ["1"] * count, "0")
    cells["P422"] = where(rescued & ~died, ["1"] * count, "0")
    cells["F01"] = choose(rng, count, ["1", "2", "3"], [0.06, 0.3, 0.64])
    cells["F04"] = [text[:10] for text in cells["B12"]]
