"""What was found and done: diagnoses, operations, and the items that depend on them.

Belongs here: diagnosis and operation slots, pathology, external causes, coma, ventilation. Does not belong here: the
tables from which they are drawn (casemix), fees and departments (front_page).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sources.synthetic import casemix
from sources.synthetic.casemix import PROFILE
from sources.synthetic.cells import (
    MISSING,
    OTHER_SLOTS,
    Bools,
    Cells,
    Ints,
    choose,
    clock,
    operation_columns,
    pick,
    texts,
    where,
)
from sources.synthetic.people import Hospital, staff_of


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


_CHOICES = [_operation_choices(group) for group in PROFILE.groups]
_PRINCIPALS = [[_DIAGNOSIS_INDEX[code] for code in group.diagnoses] for group in PROFILE.groups]
# morphology of the pathology report for tumours
_MORPHOLOGY = ["M80700/3", "M81400/3", "M85000/3", "M88900/0"]


def write_clinical(
    cells: Cells,
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
    stride = np.array([s for s in range(1, pool) if np.gcd(s, pool) == 1])[rng.integers(0, 1000, count) % 5][:, None]
    order = np.arange(slots)[None, :]
    other = minor_pool[(start + stride * order) % pool]
    other = np.where((child | newborn)[:, None], children[(start + order) % len(children)], other)
    other[:, 0] = np.where((severity == 2) & ~newborn & ~child, major[start[:, 0] % len(major)], other[:, 0])
    condition = np.where(rng.random((count, slots)) < 0.93, 1, 2)
    hospital_acquired = PROFILE.surgical[group] & (rng.random(count) < 0.02) & (many > 0) & ~child & ~newborn
    acquired = np.array([_DIAGNOSIS_INDEX[code] for code in casemix.COMPLICATIONS])
    last = np.maximum(many, 1) - 1
    rows = np.flatnonzero(hospital_acquired)
    other[rows, last[rows]] = acquired[start[rows, 0] % len(acquired)]
    condition[rows, last[rows]] = 4
    delivery = np.flatnonzero(PROFILE.delivery[group])
    many[delivery] = np.maximum(many[delivery], 1)
    other[delivery, 0] = _DIAGNOSIS_INDEX["Z37.000"]
    condition[delivery, 0] = 1
    empty = order >= many[:, None]
    other = np.where(empty, -1, other)
    condition_cells = _codes_to_cells(np.where(empty, -1, condition - 1), ["1", "2", "3", "4"])

    codes = pick(_DIAGNOSES, principal)
    cells["C03C"], cells["C04N"] = codes, pick(_DIAGNOSIS_TITLES, principal)
    cells["C05C"] = choose(rng, count, ["1", "2"], [0.97, 0.03])
    outcome = where(~died, choose(rng, count, ["1", "2", "3", "9"], [0.35, 0.6, 0.03, 0.02]), "4")
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
        cells[f"F06x{slot:02d}"] = [o if c != MISSING else c for o, c in zip(outcome, other_code, strict=True)]
    cells["C01C"], cells["C02N"] = codes[:], cells["C04N"][:]
    cells["F02C"], cells["F03N"] = codes[:], cells["C04N"][:]

    tumour = np.array([code[0] == "C" or code[:2] in ("D0", "D1", "D2", "D3", "D4") for code in codes])
    injury = np.array([code[0] in "ST" for code in codes])
    head = np.array([code[:2] == "S0" for code in codes])
    cells["C09C"] = where(tumour, choose(rng, count, _MORPHOLOGY, [1, 3, 1, 1]))
    cells["C10N"] = where(tumour, ["病理诊断"] * count)
    cells["C11"] = where(tumour, [f"BL{value:08d}" for value in rng.integers(0, 10**8, count).tolist()])
    cells["C12C"] = where(injury, choose(rng, count, ["W01.900", "V43.501", "W22.900", "X58.900"], [4, 2, 1, 1]))
    cells["C13N"] = where(injury, ["意外伤害"] * count)
    for code, top in (("C28", 2), ("C29", 24), ("C30", 60), ("C31", 3), ("C32", 24), ("C33", 60)):
        value = np.where(rng.random(count) < 0.3, rng.integers(0, top, count), 0)
        cells[code] = where(head, [str(number) for number in value.tolist()])

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
    cells: Cells,
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
    cells["C47"] = where(long_ | short, [str(value) for value in hours.tolist()])
    slots = max(int(has.sum(axis=1).max(initial=1)), 1)
    cut = _IS_CUT[operations] & has
    clean = ~injury & (rng.random(count) < 0.6)
    staff = staff_of(hospital)
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
            "date": where(present, texts(clock(when, np.full(count, 12 * 60)))),
            "level": _codes_to_cells(np.where(present, code, -1)[:, None], _OPERATION_LEVELS)[0],
            "surgeon": where(present, pick(staff, rng.integers(0, len(staff), count))),
            "first_assistant": where(cut[:, slot], pick(staff, rng.integers(0, len(staff), count))),
            "second_assistant": [MISSING] * count,
            "incision": where(present, [str(value) for value in incision.tolist()]),
            "anaesthesia": where(present, pick(["99", "01", "02", "03"], np.where(cut[:, slot], 1 + grade % 3, 0))),
            "anaesthetist": where(cut[:, slot], pick(staff, rng.integers(0, len(staff), count))),
        }
        for name, source in operation_columns(slot).items():
            cells[source] = columns[name]
    return operated
