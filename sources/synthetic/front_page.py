"""Draws the discharges of one hospital and month as cells of a front page.

Belongs here: what is written in each item of the front page and how the items agree with each other,
under the A/B/C/D collection codes, whatever the layout in which the hospital will report. Does not belong
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

from sources.synthetic import casemix, people
from sources.synthetic.people import Hospital

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MISSING = "-"
OTHER_SLOTS = 40

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
    cells: dict[str, list[str]]
    drg: list[str]  # empty = not grouped
    ungrouped_reason: list[str]
    group: Ints
    department: list[str]  # normalised discharge department
    stay_days: Ints
    admitted: NDArray[np.datetime64]
    discharged: NDArray[np.datetime64]
    masks: dict[str, Bools] = field(default_factory=dict)  # what a fault needs to know to pick its rows

    def __len__(self) -> int:
        return len(self.drg)


class _Profile:
    """Columns of the group table as arrays."""

    def __init__(self) -> None:
        table = casemix.groups()
        self.groups = table
        self.cost = np.array([g.cost_yuan for g in table])
        self.stay = np.array([g.stay_days for g in table])
        self.mortality = np.array([g.mortality for g in table])
        self.age = np.array([g.age for g in table])
        self.age_sd = np.array([g.age_sd for g in table])
        self.age_min = np.array([g.age_min for g in table])
        self.age_max = np.array([g.age_max for g in table])
        self.severity = np.array([g.severity for g in table])
        self.sex = np.array([{"B": 0, "M": 1, "F": 2}[g.sex] for g in table])
        self.surgical = np.array([g.is_surgical for g in table])
        self.heavy = np.array([g.is_heavy for g in table])
        self.newborn = np.array([g.is_newborn for g in table])
        self.delivery = np.array([g.is_delivery for g in table])
        self.child = np.array([g.age_max < 18 for g in table])
        self.mdc = np.array([g.code[0] for g in table])
        self.codes = np.array([g.code for g in table], dtype=object)
        self.departments = np.array([g.department for g in table], dtype=object)
        self.once = np.array([g.code[0] in "OP" for g in table])


_PROFILE = _Profile()


def group_weights(hospital: Hospital, month_number: int, calendar_month: int) -> NDArray[np.float64]:
    """How likely each group is in this hospital: level, focus, season and a slow shift to surgery."""
    weight = np.array([g.frequency for g in _PROFILE.groups])
    if hospital.focus:
        weight = weight * np.isin(_PROFILE.mdc, list(hospital.focus))
    if hospital.kind == "中医":
        weight = weight * np.where(np.isin(_PROFILE.mdc, list("IXBF")) & ~_PROFILE.surgical, 2.5, 1.0)
    weight = weight * np.where(_PROFILE.heavy, {"三级": 1.3, "二级": 0.18}.get(hospital.level, 0.0), 1.0)
    winter = 1 + 0.3 * np.cos(2 * np.pi * (calendar_month - 1) / 12)
    weight = weight * np.where(_PROFILE.mdc == "E", winter, 1.0)
    weight = weight * np.where(_PROFILE.surgical, 1 + 0.004 * month_number, 1.0)
    return np.asarray(weight / weight.sum())


def days_in(month: str) -> int:
    """Calendar days of a month 'YYYY-MM'."""
    return monthrange(int(month[:4]), int(month[5:7]))[1]


def _clock(days: NDArray[np.datetime64], minutes: Ints) -> NDArray[np.datetime64]:
    return np.asarray(days.astype("datetime64[m]") + minutes.astype("timedelta64[m]"))


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


def _texts(moments: NDArray[np.datetime64]) -> list[str]:
    """yyyy-MM-dd HH:mm:ss"""
    return [text.replace("T", " ") for text in np.datetime_as_string(moments, unit="s").tolist()]


def _pick(values: list[str], index: Ints) -> list[str]:
    return [values[i] for i in index.tolist()]


def _choose(rng: np.random.Generator, count: int, values: list[str], shares: list[float]) -> list[str]:
    edges = np.cumsum(np.array(shares) / sum(shares))[:-1]
    return _pick(values, np.searchsorted(edges, rng.random(count), side="right"))


def _where(mask: Bools, yes: list[str], no: str = MISSING) -> list[str]:
    return [text if keep else no for text, keep in zip(yes, mask.tolist(), strict=True)]


def money(fen: Ints) -> list[str]:
    """Integer fen as yuan with two decimals."""
    return [f"{value // 100}.{value % 100:02d}" for value in fen.tolist()]


def draw_block(
    hospital: Hospital,
    month: str,
    month_number: int,
    count: int,
    seed: int,
    *,
    ventilated: bool,
    whole_hours: bool,
) -> Block:
    """Draw `count` discharges of a hospital in a month ('YYYY-MM').

    Ventilation is coded only where the layout has a column for its hours; a layout that stores hours
    instead of minutes gets stays that begin and end on the hour, so that every source tells the same time.
    """
    profile = _PROFILE
    rng = np.random.default_rng(np.random.SeedSequence([seed, hospital.index, month_number]))
    habits = np.random.default_rng(np.random.SeedSequence([seed, hospital.index, 10**6]))
    cost_habit, stay_habit, death_habit = habits.uniform(0.85, 1.2, 3)
    first_day = np.datetime64(month, "D")
    month_days = days_in(month)

    # --- what is treated, and for how long
    group = rng.choice(
        len(profile.groups), count, p=group_weights(hospital, month_number, int(month[5:7]))
    ).astype(np.int64)
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
    admitted = _clock(admitted_day, rng.integers(0, 720 // step, count) * step)
    discharged = _clock(discharged_day, rng.integers(720 // step, 1080 // step, count) * step)

    # --- who
    sex = np.where(profile.sex[group] == 0, 1 + (rng.random(count) < 0.47), profile.sex[group]).astype(
        np.int64
    )
    sex[second] = sex[first]
    years = np.clip(
        np.rint(rng.normal(profile.age[group], profile.age_sd[group])),
        profile.age_min[group],
        profile.age_max[group],
    ).astype(np.int64)
    newborn = profile.newborn[group]
    extra = np.where(newborn, rng.integers(0, 11, count), rng.integers(0, 365, count))
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

    cells: dict[str, list[str]] = {}
    _write_people(cells, rng, hospital, month, count, first, second, sex, age, birth, newborn)
    cells["B12"], cells["B15"] = _texts(admitted), _texts(discharged)
    cells["B20"] = [str(value) for value in stay.tolist()]
    cells["A12C"] = [str(value) for value in sex.tolist()]
    cells["A13"] = np.datetime_as_string(birth, unit="D").tolist()
    cells["A14"] = [str(value) for value in age.tolist()]
    cells["A16"] = _where(age == 0, [str(value) for value in age_days.tolist()])
    cells["B34C"] = [str(value) for value in mode.tolist()]
    cells["C34C"] = _where(died, _choose(rng, count, ["1", "2"], [0.04, 0.96]))
    cells["B35"] = _where(np.isin(mode, [2, 3]), ["云岫省示例接收机构"] * count)
    cells["B36C"] = ["2" if value < 0.05 else "1" for value in rng.random(count).tolist()]
    cells["B37"] = ["继续治疗" if value == "2" else MISSING for value in cells["B36C"]]

    principal, operated = _write_clinical(
        cells,
        rng,
        hospital,
        group,
        severity=profile.severity[group],
        child=child,
        newborn=newborn,
        ventilated=ventilated,
        admitted=admitted,
        stay_nights=np.where(same_day, 0, stay),
        same_day=same_day,
        died=died,
    )
    weights = [str(value * 10) for value in rng.integers(180, 420, count).tolist()]
    delivery = profile.delivery[group]
    cells["A18x01"] = _where(newborn | delivery, weights)
    cells["A17"] = _where(newborn, [str(int(text) - 50) for text in weights])
    departments = _write_departments(cells, rng, hospital, group, count)
    total, blood = _write_fees(cells, rng, group, stay, operated, cost_habit, month_number, spread)
    known_abo = _choose(rng, count, ["1", "2", "3", "4"], [0.28, 0.25, 0.38, 0.09])
    known = blood | (rng.random(count) < 0.8)
    cells["C26C"] = _where(known, known_abo, "6")
    cells["C27C"] = _where(
        known, ["2" if value < 0.995 else "1" for value in rng.random(count).tolist()], "4"
    )
    _write_rest(cells, rng, hospital, count, age, newborn | child, same_day, operated, died)

    ungrouped = rng.random(count) < 0.03
    reasons = _choose(rng, count, ["主要诊断不在方案内", "诊断与操作不符", "住院天数异常"], [0.6, 0.3, 0.1])
    return Block(
        hospital,
        month,
        cells,
        drg=["" if out else code for code, out in zip(profile.codes[group], ungrouped.tolist(), strict=True)],
        ungrouped_reason=_where(ungrouped, reasons, ""),
        group=group,
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
            "tumour": np.array(
                [code[0] == "C" or code[:2] in ("D0", "D1", "D2", "D3", "D4") for code in principal]
            ),
            "injury": np.array([code[0] in "ST" for code in principal]),
            "head_injury": np.array([code[:2] == "S0" for code in principal]),
            "died": died,
            "referred": np.isin(mode, [2, 3]),
            "identified": np.array([text != MISSING for text in cells["A20"]]),
            "single": ~np.isin(np.arange(count), eligible),
            "not_allergic": np.array([text == "1" for text in cells["C24C"]]),
            "rich": total > 100_000,
            "ventilated_long": np.array([hours.isdigit() and int(hours) >= 96 for hours in cells["C47"]]),
            "has_other_diagnosis": np.array([code != MISSING for code in cells["C06x01C"]]),
            "plain": np.array([code[0] not in "STCDZ" for code in principal]) & ~newborn & ~delivery,
        },
    )


_PLACES = [
    ("云岫省", city + county, postcode, "-", code) for code, city, county, postcode in people.COUNTIES
] + [(province, rest, postcode, native, "") for province, rest, postcode, native in people.ELSEWHERE]
_SHORT = ["云岫"] * len(people.COUNTIES) + [
    *(
        "四川",
        "四川",
        "重庆",
        "贵州",
        "湖北",
        "湖北",
        "湖南",
        "河南",
        "广东",
        "广西",
        "内蒙古",
        "北京",
        "上海",
        "西藏",
        "新疆",
    )
]
# without the province these addresses would name only a district, which says nothing
_NEEDS_PROVINCE = [rest[-1] in "区县" and "市" not in rest and "州" not in rest for _, rest, *_ in _PLACES]


def _write_people(
    cells: dict[str, list[str]],
    rng: np.random.Generator,
    hospital: Hospital,
    month: str,
    count: int,
    first: Ints,
    second: Ints,
    sex: Ints,
    age: Ints,
    birth: NDArray[np.datetime64],
    newborn: Bools,
) -> None:
    """Names, numbers and addresses; the second stay of a person repeats the first one's."""
    local = len(people.COUNTIES)
    away = rng.random(count) < {"三级": 0.11, "二级": 0.03}.get(hospital.level, 0.01)
    own = [i for i, row in enumerate(people.COUNTIES) if row[0][:4] == hospital.division[:4]]
    near = np.where(rng.random(count) < 0.7, rng.choice(own, count), rng.integers(0, local, count))
    place = np.where(away, local + rng.integers(0, len(people.ELSEWHERE), count), near)
    form = np.searchsorted([0.80, 0.92, 0.97, 0.99], rng.random(count), side="right")
    street = people.streets(rng, count)
    address = []
    for p, f, text in zip(place.tolist(), form.tolist(), street, strict=True):
        province, rest = _PLACES[p][:2]
        if f >= 3:
            address.append(MISSING)
        elif f == 2:
            address.append(_SHORT[p] + rest + text)
        elif f == 1 and not _NEEDS_PROVINCE[p]:
            address.append(rest + text)
        else:
            address.append(province + rest + text)
    postcode = _where(
        (form != 4) & ((form == 3) | (rng.random(count) < 0.95)), _pick([p[2] for p in _PLACES], place)
    )
    registered = np.where(rng.random(count) < 0.85, place, rng.integers(0, len(_PLACES), count))
    whole = [province + rest for province, rest, *_ in _PLACES]
    registered_place = _pick(whole, registered)

    number = np.datetime_as_string(birth, unit="D").tolist()
    birth_number = np.array([int(text.replace("-", "")) for text in number], dtype=np.int64)
    division = np.array([int(row[0]) for row in people.COUNTIES])[rng.integers(0, local, count)]
    serial = rng.integers(0, 500, count) * 2 + (sex == 1)
    identity = people.identity_numbers(division, birth_number, serial)
    stays = rng.integers(1, 4, count)
    stays[second] = stays[first] + 1
    minor = age < 22
    person = {
        "A48": [f"ZY{hospital.index + 1:03d}{month[2:4]}{month[5:7]}{row:06d}" for row in range(count)],
        "A47": _where(
            rng.random(count) < 0.3, [f"JK{value:010d}" for value in rng.integers(0, 10**10, count).tolist()]
        ),
        "A46C": _choose(
            rng, count, ["1.1", "1.2", "2.1", "2.2", "7", "9"], [0.4, 0.04, 0.45, 0.03, 0.06, 0.02]
        ),
        "A11": people.names(rng, count, rare=hospital.encoding == "gb18030"),
        "A15C": ["CHN" if value < 0.998 else "USA" for value in rng.random(count).tolist()],
        "A21C": _where(~minor, _choose(rng, count, ["2", "3", "4", "1"], [0.82, 0.09, 0.05, 0.04]), "1"),
        "A38C": _where(
            ~minor, _choose(rng, count, ["27", "80", "24", "17", "54", "90"], [5, 3, 2, 1, 1, 1]), "31"
        ),
        "A19C": _choose(rng, count, ["1", "6", "3", "15"], [0.92, 0.04, 0.02, 0.02]),
        "A20": _where(~newborn & (rng.random(count) < 0.97), identity),
        "A22": registered_place,
        "A23C": _pick([p[3] for p in _PLACES], registered),
        "A24": [a + b for a, b in zip(registered_place, people.streets(rng, count), strict=True)],
        "A25C": _pick([p[2] for p in _PLACES], registered),
        "A26": address,
        "A27": people.phones(rng, count),
        "A28C": postcode,
        "A29": _where(
            rng.random(count) < 0.4, [_PLACES[p][1] + people.COMPANIES[p % 6] for p in place.tolist()]
        ),
        "A30": _where(rng.random(count) < 0.3, people.phones(rng, count)),
        "A31C": [MISSING] * count,
        "A32": people.names(rng, count, rare=False),
        "A33C": _choose(rng, count, ["1", "2", "3", "7"], [0.5, 0.2, 0.2, 0.1]),
        "A34": [whole[p] + text for p, text in zip(place.tolist(), street, strict=True)],
        "A35": people.phones(rng, count),
    }
    married = [state == "2" for state in person["A21C"]]
    person["A33C"] = [
        ("5" if young else relation if relation != "1" or wed else "2")
        for relation, wed, young in zip(person["A33C"], married, minor.tolist(), strict=True)
    ]
    for values in person.values():
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            values[two] = values[one]
    # the file of a patient keeps marital state and contact, even when a birthday lies between two stays
    cells.update(person)
    cells["A01"], cells["A02"] = [hospital.organisation_id] * count, [hospital.name] * count
    cells["A49"] = [str(value) for value in stays.tolist()]


def _codes_to_cells(matrix: Ints, values: list[str]) -> list[list[str]]:
    table = np.array([*values, MISSING], dtype=object)
    return [table[column].tolist() for column in matrix.T]


_DIAGNOSES = list(casemix.DIAGNOSIS_NAMES)
_DIAGNOSIS_TITLES = list(casemix.DIAGNOSIS_NAMES.values())
_DIAGNOSIS_INDEX = {code: i for i, code in enumerate(_DIAGNOSES)}
_OPERATIONS = list(casemix.OPERATIONS)
_OPERATION_INDEX = {code: i for i, code in enumerate(_OPERATIONS)}
_OPERATION_TITLES = [op.name for op in casemix.OPERATIONS.values()]
# a hospital writes a level for every operation, although the list grades only surgery and interventions
_OPERATION_LEVELS = [op.level or "1" for op in casemix.OPERATIONS.values()]
_IS_CUT = np.array([op.kind in (casemix.SURGERY, casemix.INTERVENTION) for op in casemix.OPERATIONS.values()])
_VENTILATION = np.array([code.startswith("96.7") for code in _OPERATIONS])
_VENTILATION_LONG = _OPERATION_INDEX["96.7201"]
# everything that a long and difficult stay may add
_EXTRA_OPERATIONS = [
    _OPERATION_INDEX[code]
    for code in (
        "38.9500",
        "39.9500",
        "33.2400x001",
        "34.0401",
        "54.9101",
        "86.2200",
        "88.4101",
        "45.1600x001",
        "93.3900",
    )
]
_BESIDE = [_OPERATION_INDEX[code] for code in ("33.2400x001", "45.1600x001", "93.3900", "38.9500")]


def _operation_choices(group: casemix.Group) -> list[list[int]]:
    """The sets of operations from which a case of the group gets one; an empty set where none is needed."""
    choices: list[list[int]] = []
    for text in group.operations or ("",):
        if text.startswith("?") or not text:
            choices.append([])
        if text:
            choices.append([_OPERATION_INDEX[code] for code in text.lstrip("?").split("+")])
    return choices


_CHOICES = [_operation_choices(group) for group in _PROFILE.groups]
_PRINCIPALS = [[_DIAGNOSIS_INDEX[code] for code in group.diagnoses] for group in _PROFILE.groups]
# morphology of the pathology report for tumours
_MORPHOLOGY = ["M80700/3", "M81400/3", "M85000/3", "M88900/0"]


def _write_clinical(
    cells: dict[str, list[str]],
    rng: np.random.Generator,
    hospital: Hospital,
    group: Ints,
    *,
    severity: Ints,
    child: Bools,
    newborn: Bools,
    ventilated: bool,
    admitted: NDArray[np.datetime64],
    stay_nights: Ints,
    same_day: Bools,
    died: Bools,
) -> tuple[list[str], Bools]:
    """Diagnoses, operations and what depends on them; returns principal diagnoses and who was operated."""
    count = len(group)
    width = max(len(row) for row in _PRINCIPALS)
    table = np.array([[row[i % len(row)] for i in range(width * 2)] for row in _PRINCIPALS])
    principal = table[group, rng.integers(0, width * 2, count)]

    # other diagnoses: distinct because a stride that shares no factor with the pool visits it once
    many = np.minimum(rng.poisson(3.2 + 1.6 * severity, count), 15)
    many = np.where(rng.random(count) < 1 / 3000, OTHER_SLOTS, many)
    many = np.maximum(many, (severity == 2).astype(np.int64))
    many = np.where(newborn, np.minimum(many, 1), np.where(child, np.minimum(many, 3), many))
    slots = max(int(many.max(initial=0)), 1)
    adults = np.array([_DIAGNOSIS_INDEX[code] for code in casemix.COMORBIDITIES])
    minor_pool, major = adults[casemix.MAJOR_COMORBIDITIES :], adults[: casemix.MAJOR_COMORBIDITIES]
    children = np.array([_DIAGNOSIS_INDEX[code] for code in casemix.CHILD_COMORBIDITIES])
    start, pool = rng.integers(0, 10**6, count)[:, None], len(minor_pool)
    stride = np.array([s for s in range(1, pool) if np.gcd(s, pool) == 1])[rng.integers(0, 1000, count) % 5][
        :, None
    ]
    order = np.arange(slots)[None, :]
    other = minor_pool[(start + stride * order) % pool]
    other = np.where((child | newborn)[:, None], children[(start + order) % len(children)], other)
    other[:, 0] = np.where((severity == 2) & ~newborn & ~child, major[start[:, 0] % len(major)], other[:, 0])
    condition = np.where(rng.random((count, slots)) < 0.93, 1, 2)
    hospital_acquired = _PROFILE.surgical[group] & (rng.random(count) < 0.02) & (many > 0) & ~child & ~newborn
    acquired = np.array([_DIAGNOSIS_INDEX[code] for code in casemix.COMPLICATIONS])
    last = np.maximum(many, 1) - 1
    rows = np.flatnonzero(hospital_acquired)
    other[rows, last[rows]] = acquired[start[rows, 0] % len(acquired)]
    condition[rows, last[rows]] = 4
    delivery = np.flatnonzero(_PROFILE.delivery[group])
    many[delivery] = np.maximum(many[delivery], 1)
    other[delivery, 0] = _DIAGNOSIS_INDEX["Z37.000"]
    condition[delivery, 0] = 1
    empty = order >= many[:, None]
    other = np.where(empty, -1, other)
    condition_cells = _codes_to_cells(np.where(empty, -1, condition - 1), ["1", "2", "3", "4"])

    codes = _pick(_DIAGNOSES, principal)
    cells["C03C"], cells["C04N"] = codes, _pick(_DIAGNOSIS_TITLES, principal)
    cells["C05C"] = _choose(rng, count, ["1", "2"], [0.97, 0.03])
    outcome = _where(~died, _choose(rng, count, ["1", "2", "3", "9"], [0.35, 0.6, 0.03, 0.02]), "4")
    cells["F05"] = outcome
    for slot, (other_code, title, state) in enumerate(
        zip(
            _codes_to_cells(other, _DIAGNOSES),
            _codes_to_cells(other, _DIAGNOSIS_TITLES),
            condition_cells,
            strict=True,
        ),
        1,
    ):
        cells[f"C06x{slot:02d}C"], cells[f"C07x{slot:02d}N"], cells[f"C08x{slot:02d}C"] = (
            other_code,
            title,
            state,
        )
        cells[f"F06x{slot:02d}"] = [
            o if c != MISSING else c for o, c in zip(outcome, other_code, strict=True)
        ]
    cells["C01C"], cells["C02N"] = codes[:], cells["C04N"][:]
    cells["F02C"], cells["F03N"] = codes[:], cells["C04N"][:]

    tumour = np.array([code[0] == "C" or code[:2] in ("D0", "D1", "D2", "D3", "D4") for code in codes])
    injury = np.array([code[0] in "ST" for code in codes])
    head = np.array([code[:2] == "S0" for code in codes])
    cells["C09C"] = _where(tumour, _choose(rng, count, _MORPHOLOGY, [1, 3, 1, 1]))
    cells["C10N"] = _where(tumour, ["病理诊断"] * count)
    cells["C11"] = _where(tumour, [f"BL{value:08d}" for value in rng.integers(0, 10**8, count).tolist()])
    cells["C12C"] = _where(
        injury, _choose(rng, count, ["W01.900", "V43.501", "W22.900", "X58.900"], [4, 2, 1, 1])
    )
    cells["C13N"] = _where(injury, ["意外伤害"] * count)
    for code, top in (("C28", 2), ("C29", 24), ("C30", 60), ("C31", 3), ("C32", 24), ("C33", 60)):
        value = np.where(rng.random(count) < 0.3, rng.integers(0, top, count), 0)
        cells[code] = _where(head, [str(number) for number in value.tolist()])

    return codes, _write_operations(
        cells,
        rng,
        hospital,
        group,
        count,
        ventilated,
        admitted,
        stay_nights,
        injury,
        (severity > 0) & ~child & ~newborn,
    )


def _write_operations(
    cells: dict[str, list[str]],
    rng: np.random.Generator,
    hospital: Hospital,
    group: Ints,
    count: int,
    ventilated: bool,
    admitted: NDArray[np.datetime64],
    stay_nights: Ints,
    injury: Bools,
    supported: Bools,
) -> Bools:
    """Operations with date, level, surgeon, incision and anaesthesia; returns who has any."""
    most = 3
    options = max(len(row) for row in _CHOICES)
    table = np.full((len(_CHOICES), options * 2, most), -1)
    for index, choices in enumerate(_CHOICES):
        for slot in range(options * 2):
            chosen = choices[slot % len(choices)]
            table[index, slot, : len(chosen)] = chosen
    operations = table[group, rng.integers(0, options * 2, count)]
    # an examination or a treatment beside the operation
    beside = (rng.random(count) < 0.3) & supported & (operations[:, 0] >= 0) & (operations[:, 2] < 0)
    rows = np.flatnonzero(beside)
    place = (operations[rows] >= 0).sum(axis=1)
    chosen_beside = np.array(_BESIDE)[rng.integers(0, len(_BESIDE), len(rows))]
    twice = (operations[rows] == chosen_beside[:, None]).any(axis=1)
    operations[rows[~twice], place[~twice]] = chosen_beside[~twice]
    difficult = np.flatnonzero((rng.random(count) < 1 / 1500) & (operations[:, 0] >= 0))
    if len(difficult):
        operations = np.hstack([operations, np.full((count, len(_EXTRA_OPERATIONS)), -1)])
        for row in difficult.tolist():
            used = operations[row][operations[row] >= 0].tolist()
            extra = [code for code in _EXTRA_OPERATIONS if code not in used]
            operations[row, : len(used) + len(extra)] = used + extra
    long_needed = (operations == _VENTILATION_LONG) & (stay_nights[:, None] < 5)
    dropped = long_needed if ventilated else (operations >= 0) & _VENTILATION[operations]
    for row in np.flatnonzero(dropped.any(axis=1)).tolist():
        kept = operations[row][(operations[row] >= 0) & ~dropped[row]].tolist()
        operations[row] = kept + [-1] * (operations.shape[1] - len(kept))
    has = operations >= 0
    operated = has[:, 0]
    long_ = (operations == _VENTILATION_LONG).any(axis=1)
    short = (has & _VENTILATION[operations]).any(axis=1) & ~long_
    hours = np.where(long_, rng.integers(96, 121, count), rng.integers(4, 96, count))
    cells["C47"] = _where(long_ | short, [str(value) for value in hours.tolist()])
    slots = max(int(has.sum(axis=1).max(initial=1)), 1)
    cut = _IS_CUT[operations] & has
    clean = ~injury & (rng.random(count) < 0.6)
    staff = _staff(hospital)
    waiting = np.where(stay_nights > 0, rng.integers(0, 3, count), 0)
    for slot in range(slots):
        code, present = operations[:, slot], has[:, slot]
        when = admitted.astype("datetime64[D]") + np.minimum(waiting + slot // 2, stay_nights)
        grade = rng.integers(0, 100, count)
        incision = np.where(
            ~cut[:, slot],
            0,
            np.where(clean, np.where(grade < 97, 1, 2), np.where(grade < 92, 4, np.where(grade < 98, 5, 10))),
        )
        columns = {
            "code": _codes_to_cells(np.where(present, code, -1)[:, None], _OPERATIONS)[0],
            "name": _codes_to_cells(np.where(present, code, -1)[:, None], _OPERATION_TITLES)[0],
            "date": _where(present, _texts(_clock(when, np.full(count, 12 * 60)))),
            "level": _codes_to_cells(np.where(present, code, -1)[:, None], _OPERATION_LEVELS)[0],
            "surgeon": _where(present, _pick(staff, rng.integers(0, len(staff), count))),
            "first_assistant": _where(cut[:, slot], _pick(staff, rng.integers(0, len(staff), count))),
            "second_assistant": [MISSING] * count,
            "incision": _where(present, [str(value) for value in incision.tolist()]),
            "anaesthesia": _where(
                present, _pick(["99", "01", "02", "03"], np.where(cut[:, slot], 1 + grade % 3, 0))
            ),
            "anaesthetist": _where(cut[:, slot], _pick(staff, rng.integers(0, len(staff), count))),
        }
        for name, source in operation_columns(slot).items():
            cells[source] = columns[name]
    return operated


def operation_columns(slot: int) -> dict[str, str]:
    """Collection codes of one operation slot (0 = main operation), in the order of the interface."""
    if slot == 0:
        codes = [
            "C14x01C",
            "C15x01N",
            "C16x01",
            "C17x01",
            "C18x01",
            "C19x01",
            "C20x01",
            "C21x01C",
            "C22x01C",
            "C23x01",
        ]
    else:
        codes = [
            *(
                f"C35x{slot:02d}C",
                f"C36x{slot:02d}N",
                f"C37x{slot:02d}",
                f"C38x{slot:02d}",
                f"C39x{slot:02d}",
            ),
            *(
                f"C40x{slot:02d}",
                f"C41x{slot:02d}",
                f"C42x{slot:02d}C",
                f"C43x{slot:02d}C",
                f"C44x{slot:02d}",
            ),
        ]
    names = (
        *("code", "name", "date", "level", "surgeon", "first_assistant", "second_assistant", "incision"),
        *("anaesthesia", "anaesthetist"),
    )
    return dict(zip(names, codes, strict=True))


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
    cells: dict[str, list[str]], rng: np.random.Generator, hospital: Hospital, group: Ints, count: int
) -> list[str]:
    usual = _PROFILE.departments[group].tolist()
    if hospital.kind == "中医":
        usual = ["5010" if code == "0403" else _TCM.get(code[:2], "5001") for code in usual]
    alternative = _pick(_ALTERNATIVES, rng.integers(0, len(_ALTERNATIVES), count))
    elsewhere = rng.random(count) < 0.05
    final = [a if there else u for u, a, there in zip(usual, alternative, elsewhere.tolist(), strict=True)]
    final = [code[:2] if code.endswith("00") else code for code in final]
    moved = rng.random(count) < 0.06
    style = hospital.department_style
    spelled = {code: department_code(style, code) for code in {*final, "20", "28"}}
    cells["B16C"] = [spelled[code] for code in final]
    cells["B13C"] = [
        spelled["20"] if away else text for text, away in zip(cells["B16C"], moved.tolist(), strict=True)
    ]
    via = rng.random(count) < 0.3
    cells["B21C"] = [
        MISSING if not away else f"{spelled['28']},{text}" if icu else text
        for text, away, icu in zip(cells["B16C"], moved.tolist(), via.tolist(), strict=True)
    ]
    return final


def _write_fees(
    cells: dict[str, list[str]],
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
        _PROFILE.cost[group]
        * habit
        * np.sqrt(spread)
        * (1 + 0.002 * month_number)
        * rng.lognormal(-0.04, 0.28, count)
    )
    total = (np.maximum(yuan, 400) * 100).astype(np.int64)
    items: dict[str, Ints] = {}
    for code, (without, with_operation) in _FEE_SHARES.items():
        share = np.where(operated, with_operation, without) * rng.uniform(0.7, 1.3, count)
        items[code] = (total * share).astype(np.int64)
    tumour = _PROFILE.mdc[group] == "R"
    items["D15"] = np.where(operated | tumour, (total * 0.01).astype(np.int64), 0)
    blood = rng.random(count) < np.where(_PROFILE.severity[group] == 2, 0.12, 0.02)
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


def _staff(hospital: Hospital) -> list[str]:
    return people.names(np.random.default_rng(np.random.SeedSequence([7, hospital.index])), 60, rare=False)


def _write_rest(
    cells: dict[str, list[str]],
    rng: np.random.Generator,
    hospital: Hospital,
    count: int,
    age: Ints,
    young: Bools,
    same_day: Bools,
    operated: Bools,
    died: Bools,
) -> None:
    staff = _staff(hospital)
    for code in ("B22", "B23", "B24", "B25", "B26", "B29", "B31", "B32"):
        cells[code] = _pick(staff, rng.integers(0, len(staff), count))
    cells["B11C"] = _choose(
        rng, count, ["1", "2", "3", "9"], [0.3, 0.62, 0.06 if hospital.level == "三级" else 0.02, 0.02]
    )
    cells["B30C"] = _choose(rng, count, ["1", "2"], [0.97, 0.03])
    cells["B33"] = cells["B15"][:]
    allergic = rng.random(count) < 0.06
    cells["C24C"] = ["2" if value else "1" for value in allergic.tolist()]
    cells["C25"] = _where(allergic, _choose(rng, count, ["青霉素", "头孢菌素", "磺胺"], [5, 3, 2]))
    cells["B38"] = ["1" if value else "2" for value in (same_day & operated).tolist()]
    rescued = died | (rng.random(count) < 0.02)
    cells["P421"] = _where(rescued, ["1"] * count, "0")
    cells["P422"] = _where(rescued & ~died, ["1"] * count, "0")
    cells["F01"] = _choose(rng, count, ["1", "2", "3"], [0.06, 0.3, 0.64])
    cells["F04"] = [text[:10] for text in cells["B12"]]
