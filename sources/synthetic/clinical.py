"""What was found and done: diagnoses, operations, and the items that depend on them.

Belongs here: diagnosis and operation slots, pathology, external causes, coma, ventilation. Does not belong here: the
tables from which they are drawn (casemix, comorbidity), fees and departments (front_page).

A case is written so that it comes to the group it was drawn from: principal diagnosis and operations are the group's,
and among the other diagnoses the highest that counts beside this principal diagnosis is of the group's level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sources.synthetic import casemix, comorbidity
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


_NAMES = casemix.DIAGNOSIS_NAMES | comorbidity.NAMES
_NAMES |= {old: _NAMES[new] for old, new in casemix.OLD_DIAGNOSES.items()}
_DIAGNOSES, _DIAGNOSIS_TITLES = list(_NAMES), list(_NAMES.values())
_DIAGNOSIS_INDEX = {code: i for i, code in enumerate(_DIAGNOSES)}
_BY_OPERATION = casemix.OPERATIONS | {old: casemix.OPERATIONS[new] for old, new in casemix.OLD_OPERATIONS.items()}
_OPERATIONS = list(_BY_OPERATION)
_OPERATION_INDEX = {code: i for i, code in enumerate(_OPERATIONS)}
_OPERATION_TITLES = [op.name for op in _BY_OPERATION.values()]
# a hospital writes a level for every operation, although the list grades only surgery and interventions
_OPERATION_LEVELS = [op.level or "1" for op in _BY_OPERATION.values()]
_IS_CUT = np.array([op.kind in (casemix.SURGERY, casemix.INTERVENTION) for op in _BY_OPERATION.values()])
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


class _Lists:
    """Lists of codes from which cases draw, one list per row of a table."""

    def __init__(self, lists: list[list[int]]) -> None:
        self._length = np.array([len(row) for row in lists])
        self._codes = np.full((len(lists), self._length.max()), -1)
        for index, row in enumerate(lists):
            self._codes[index, : len(row)] = row

    def draw(self, row: Ints, number: Ints) -> Ints:
        """One code of each named list by an arbitrary number; -1 where the list is empty."""
        return np.asarray(self._codes[row, number % np.maximum(self._length[row], 1)])


_PRINCIPALS = _Lists([[_DIAGNOSIS_INDEX[code] for code in group.diagnoses] for group in PROFILE.groups])
_ASKED = _Lists([[_DIAGNOSIS_INDEX[code] for code in group.needs.other_diagnoses] for group in PROFILE.groups])
# what decides the level: 0 nothing that counts, 1 a CC, 2 an MCC
_LEVELS = np.array([{"mcc": 2, "cc": 1}.get(group.drg_severity, 0) for group in PROFILE.groups])
_LEAVES_CC_OPEN = np.array([group.drg_severity == "any" for group in PROFILE.groups])
_TAKES_MCC_AS_CC = np.array([group.drg_severity == "cc" and group.split == "35" for group in PROFILE.groups])


def _beside(ages: int, level: str, *, excluded: bool) -> _Lists:
    """Per diagnosis as the principal one: the other diagnoses of this level that (do not) count beside it."""
    entries = [entry for entry in comorbidity.COMORBIDITIES if ages in entry.ages and entry.level in level.split()]
    return _Lists(
        [
            [_DIAGNOSIS_INDEX[entry.code] for entry in entries if comorbidity.is_excluded(entry, code) == excluded]
            for code in _DIAGNOSES
        ]
    )


_AGES = (comorbidity.ADULT, comorbidity.CHILD, comorbidity.NEWBORN)
_COUNTING = {
    (ages, level): _beside(ages, word, excluded=False) for ages in _AGES for level, word in ((1, "cc"), (2, "mcc"))
}
_EXCLUDED = {ages: _beside(ages, "mcc cc", excluded=True) for ages in _AGES}
_SILENT = {
    ages: np.array([_DIAGNOSIS_INDEX[e.code] for e in comorbidity.COMORBIDITIES if ages in e.ages and not e.level])
    for ages in _AGES
}
_ACQUIRED = np.array([_DIAGNOSIS_INDEX[entry.code] for entry in comorbidity.ACQUIRED])
_MOST_OTHERS = (OTHER_SLOTS, 3, 2)  # by age, as in _AGES
# morphology of the pathology report for tumours
_MORPHOLOGY = ["M80700/3", "M81400/3", "M85000/3", "M88900/0"]


def _draw_others(rng: np.random.Generator, group: Ints, principal: Ints, ages: Ints) -> tuple[Ints, Ints]:
    """Other diagnoses (one row per case, -1 where there is none) and their admission conditions."""
    count = len(group)
    level = _LEVELS[group]
    level = np.where(_LEAVES_CC_OPEN[group] & (rng.random(count) < 0.4), 1, level)
    level = np.where(_TAKES_MCC_AS_CC[group] & (rng.random(count) < 0.1), 2, level)
    many = np.minimum(rng.poisson(3.2 + 1.6 * PROFILE.severity[group], count), 15)
    many = np.where(rng.random(count) < 1 / 3000, OTHER_SLOTS, many)
    many = np.minimum(many, np.array(_MOST_OTHERS)[ages])

    # first what the group asks for and the result of a delivery, then what decides the level, among what does not count
    fixed = np.where(PROFILE.delivery[group], _DIAGNOSIS_INDEX["Z37.000"], -1)
    asked = _ASKED.draw(group, rng.integers(0, 1000, count))
    fixed = np.where(asked >= 0, asked, fixed)
    first = (fixed >= 0).astype(np.int64)
    many = np.maximum(many, first + (level > 0))
    slots = max(int(many.max(initial=0)), 1)
    order = np.arange(slots)[None, :]
    start, turn = rng.integers(0, 10**6, count), rng.integers(0, 1000, count)
    other = np.full((count, slots), -1)
    for kind in _AGES:
        rows = np.flatnonzero(ages == kind)
        pool = _SILENT[kind]
        # distinct because a stride that shares no factor with the pool visits it once
        strides = np.array([s for s in range(1, len(pool)) if np.gcd(s, len(pool)) == 1][:5])
        other[rows] = pool[(start[rows, None] + strides[turn[rows] % len(strides)][:, None] * order) % len(pool)]
    decisive = first + np.minimum(turn % 3, np.maximum(many - first - 1, 0))
    beside = np.where(decisive > first, decisive - 1, decisive + 1)
    has_excluded = rng.random(count) < 0.3
    for kind in _AGES:
        excluded = _EXCLUDED[kind].draw(principal, start)
        rows = np.flatnonzero((ages == kind) & has_excluded & (excluded >= 0) & (beside < many))
        other[rows, beside[rows]] = excluded[rows]
        for wanted in (1, 2):
            rows = np.flatnonzero((ages == kind) & (level == wanted))
            other[rows, decisive[rows]] = _COUNTING[kind, wanted].draw(principal[rows], start[rows])
    rows = np.flatnonzero(first)
    other[rows, 0] = fixed[rows]

    condition = np.where(rng.random((count, slots)) < 0.93, 1, 2)
    # a complication of the stay counts by itself, so only where the level has room for it
    acquired = PROFILE.surgical[group] & (rng.random(count) < 0.04) & (ages == comorbidity.ADULT)
    last = np.maximum(many, 1) - 1
    rows = np.flatnonzero(acquired & (level > 0) & (last > np.maximum(decisive, beside)))
    other[rows, last[rows]] = _ACQUIRED[start[rows] % len(_ACQUIRED)]
    condition[rows, last[rows]] = 4
    condition[np.flatnonzero(PROFILE.delivery[group]), 0] = 1
    return np.where(order < many[:, None], other, -1), condition


def _in_old_codes(index: Ints, table: dict[str, str], index_of: dict[str, int]) -> Ints:
    """The codes of the edition before, wherever it had others; several old ones take turns."""
    older = index.copy()
    for new in dict.fromkeys(table.values()):
        choices = np.array([index_of[old] for old, code in table.items() if code == new])
        rows = np.flatnonzero(index.ravel() == index_of[new])
        older.ravel()[rows] = choices[np.arange(len(rows)) % len(choices)]
    return older


def write_clinical(
    cells: Cells,
    rng: np.random.Generator,
    hospital: Hospital,
    group: Ints,
    *,
    child: Bools,
    newborn: Bools,
    ventilated: bool,
    old_codes: bool,
    admitted: NDArray[np.datetime64],
    stay_nights: Ints,
    died: Bools,
) -> tuple[list[str], Bools]:
    """Diagnoses, operations and what depends on them; returns principal diagnoses and who was operated."""
    count = len(group)
    principal = _PRINCIPALS.draw(group, rng.integers(0, 1000, count))
    ages = np.select([newborn, child], [comorbidity.NEWBORN, comorbidity.CHILD], comorbidity.ADULT)
    other, condition = _draw_others(rng, group, principal, ages)
    if old_codes:
        principal = _in_old_codes(principal, casemix.OLD_DIAGNOSES, _DIAGNOSIS_INDEX)
    condition_cells = _codes_to_cells(np.where(other < 0, -1, condition - 1), ["1", "2", "3", "4"])

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
        old_codes,
        admitted,
        stay_nights,
        injury,
        (PROFILE.severity[group] > 0) & ~child & ~newborn,
    )


def _write_operations(
    cells: Cells,
    rng: np.random.Generator,
    hospital: Hospital,
    group: Ints,
    count: int,
    ventilated: bool,
    old_codes: bool,
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
    if old_codes:
        operations = _in_old_codes(operations, casemix.OLD_OPERATIONS, _OPERATION_INDEX)
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
