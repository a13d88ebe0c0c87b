"""Deliberate errors: every validation rule and every landing reason is broken in a known number of rows.

Belongs here: one table of faults with its rates, and how a fault changes the cells of a row so that it
breaks its own rule and no other. Does not belong here: faults of whole files (province). A row gets at
most one fault, so the counts in truth.json are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sources.synthetic.cells import MISSING, Bools, Cells
from sources.synthetic.front_page import FEE_ITEMS, Block
from sources.synthetic.layouts import Layout
from sources.synthetic.people import identity_number

Change = Callable[[Cells, int], None]

BAD_BYTES = "\x1a\x1a"  # stands for two bytes that no GB18030 reader accepts; replaced after encoding


@dataclass(frozen=True)
class Fault:
    """One kind of error: which rows may have it, how many of them do, and what it does to a row."""

    rule: str
    rate: float
    masks: tuple[str, ...]  # names of Block.masks that must all hold
    items: tuple[str, ...]  # items that the layout must carry
    change: Change
    text_only: bool = False  # a typed DBF column cannot hold it


def _put(item: str, text: str) -> Change:
    def change(cells: Cells, row: int) -> None:
        cells[item][row] = text

    return change


def _clear(*items: str) -> Change:
    def change(cells: Cells, row: int) -> None:
        for item in items:
            cells[item][row] = MISSING

    return change


def _add(item: str, amount: int) -> Change:
    def change(cells: Cells, row: int) -> None:
        cells[item][row] = str(int(cells[item][row]) + amount)

    return change


def _fen(text: str) -> int:
    return int(text.replace(".", ""))


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _move_fee(source: str, target: str) -> Change:
    """Empty one fee item into another, so that the sum of the items stays."""

    def change(cells: Cells, row: int) -> None:
        cells[target][row] = _yuan(_fen(cells[target][row]) + _fen(cells[source][row]))
        cells[source][row] = "0.00"

    return change


def _total_positive(cells: Cells, row: int) -> None:
    for item in ("D01", "D09", *FEE_ITEMS, "D19x01", "D20x01", "D20x02", "D23x01"):
        cells[item][row] = "0.00"


def _total_below_items(cells: Cells, row: int) -> None:
    cells["D01"][row] = _yuan(_fen(cells["D01"][row]) - 100)


def _self_paid(cells: Cells, row: int) -> None:
    cells["D09"][row] = _yuan(_fen(cells["D01"][row]) + 10_000)


def _surgery_fee(cells: Cells, row: int) -> None:
    anaesthesia = _fen(cells["D20x01"][row])
    rest = _fen(cells["D20"][row]) - anaesthesia
    cells["D20"][row], cells["D20x02"][row] = _yuan(anaesthesia), "0.00"
    cells["D14"][row] = _yuan(_fen(cells["D14"][row]) + rest)


def _time_order(cells: Cells, row: int) -> None:
    cells["B12"][row] = cells["B15"][row][:10] + " 23:00:00"


def _id_birth(cells: Cells, row: int) -> None:
    number = cells["A20"][row]
    cells["A20"][row] = identity_number(f"{number[:6]}{int(number[6:10]) - 3}{number[10:17]}")


def _id_sex(cells: Cells, row: int) -> None:
    number = cells["A20"][row]
    cells["A20"][row] = identity_number(f"{number[:16]}{(int(number[16]) + 1) % 10}")


def _icd_form(item: str) -> Change:
    def change(cells: Cells, row: int) -> None:
        cells[item][row] = cells[item][row].replace(".", "") + "X"

    return change


def _fee_not_negative(cells: Cells, row: int) -> None:
    """A refund of one yuan stands in an item of its own; the sum of the items stays."""
    cells["D14"][row] = _yuan(_fen(cells["D14"][row]) + _fen(cells["D22"][row]) + 100)
    cells["D22"][row] = "-1.00"


def _parts_within(cells: Cells, row: int) -> None:
    cells["D19x01"][row] = _yuan(_fen(cells["D19"][row]) + 100)


def _operation_date(cells: Cells, row: int) -> None:
    """The day before admission, and not of the main operation, which has a rule of its own."""
    day = np.datetime64(cells["B12"][row][:10]) - np.timedelta64(1, "D")
    cells["C37x01"][row] = f"{day} 12:00:00"


def _spouse_unmarried(cells: Cells, row: int) -> None:
    cells["A33C"][row], cells["A21C"][row] = "1", "1"


def _shorten_organisation(cells: Cells, row: int) -> None:
    cells["A01"][row] = cells["A01"][row][:-1]


def _next_month(cells: Cells, row: int) -> None:
    for item in ("B12", "B15"):
        moment = np.datetime64(cells[item][row].replace(" ", "T"))
        cells[item][row] = str(moment + np.timedelta64(31, "D")).replace("T", " ")


def _append_copy(cells: Cells, row: int) -> None:
    """The very same stay a second time."""
    for values in cells.values():
        values.append(values[row])


def _append_later(cells: Cells, row: int) -> None:
    """The same admission once more, with a discharge an hour later."""
    _append_copy(cells, row)
    moment = np.datetime64(cells["B15"][row].replace(" ", "T")) + np.timedelta64(1, "h")
    cells["B15"][-1] = str(moment).replace("T", " ")


def _append_identical(cells: Cells, row: int) -> None:
    """The same page under another record number."""
    _append_copy(cells, row)
    cells["A48"][-1] += "C"


def _append_overlap(cells: Cells, row: int) -> None:
    """Another stay of the same person at the same time."""
    _append_later(cells, row)
    cells["A48"][-1] += "O"
    cells["A49"][-1] = "9"


def _append_reset(cells: Cells, row: int) -> None:
    """Another stay of the same person right after this one, again as the first."""
    _append_later(cells, row)
    cells["A48"][-1] += "R"
    cells["A49"][-1] = "1"
    cells["B12"][-1] = cells["B15"][row]


_NONE = ()
FAULTS = [
    # landing
    Fault("required_missing", 0.0006, _NONE, ("A48",), _clear("A48")),
    Fault("not_datetime", 0.0004, _NONE, ("B15",), _put("B15", "2022-13-45 99:00:00"), text_only=True),
    Fault("not_integer", 0.0004, _NONE, ("B20",), _put("B20", "三天"), text_only=True),
    Fault("not_amount", 0.0004, _NONE, ("D01",), _put("D01", "12O0.00"), text_only=True),
    Fault("not_in_code_list", 0.0005, _NONE, ("B34C",), _put("B34C", "7")),
    Fault("too_long", 0.0003, _NONE, ("A48",), _put("A48", "ZY" + "0" * 60), text_only=True),
    Fault("duplicate_key", 0.0006, _NONE, ("A48",), _append_copy),
    Fault("outside_file_month", 0.0005, ("single",), ("B15",), _next_month),
    # rules
    Fault("hqms_01_time_order", 0.006, ("same_day",), ("B12",), _time_order),
    Fault("hqms_02_stay_days", 0.001, ("longer",), ("B20",), _add("B20", 1)),
    Fault("hqms_03_age_birth", 0.001, ("adult",), ("A14",), _add("A14", 2)),
    Fault("hqms_03_id_birth", 0.001, ("identified", "adult", "single"), ("A20",), _id_birth),
    Fault("hqms_03_id_sex", 0.001, ("identified", "single"), ("A20",), _id_sex),
    Fault("hqms_04_newborn_weight", 0.004, ("newborn",), ("A17",), _put("A17", "3255")),
    Fault("hqms_05_total_positive", 0.004, ("one_day",), ("D01",), _total_positive),
    Fault("hqms_05_total_below_items", 0.001, ("rich",), ("D01",), _total_below_items),
    Fault("hqms_05_self_paid", 0.001, _NONE, ("D09",), _self_paid),
    Fault("hqms_06_stay_fees", 0.001, ("longer",), ("D13",), _move_fee("D13", "D14")),
    Fault("hqms_06_anaesthesia_fee", 0.002, ("operated",), ("D20x01",), _put("D20x01", "0.00")),
    Fault("hqms_06_surgery_fee", 0.002, ("operated",), ("D20x02",), _surgery_fee),
    Fault("hqms_06_blood_type", 0.004, ("blood",), ("C26C",), _put("C26C", "6")),
    Fault("hqms_07_pathology", 0.003, ("tumour",), ("C09C",), _clear("C09C", "C10N", "C11")),
    Fault("hqms_08_external_cause", 0.004, ("injury",), ("C12C",), _clear("C12C", "C13N")),
    Fault("hqms_09_main_diagnosis", 0.001, ("plain",), ("C03C",), _put("C03C", "R65.100")),
    Fault("hqms_09_main_diagnosis", 0.0005, ("plain",), ("C03C",), _clear("C03C", "C04N")),
    Fault("hqms_10_sex_diagnosis", 0.001, ("plain", "male", "teen"), ("C03C",), _put("C03C", "N80.900")),
    Fault("hqms_11_age_diagnosis", 0.004, ("plain", "girl"), ("C03C",), _put("C03C", "O03.900")),
    Fault("hqms_12_death_autopsy", 0.004, ("died",), ("C34C",), _clear("C34C")),
    Fault("hqms_12_receiving", 0.004, ("referred",), ("B35",), _clear("B35")),
    Fault("hqms_13_ventilator", 0.04, ("ventilated_long",), ("C47",), _put("C47", "50")),
    Fault("hqms_13_coma", 0.004, ("head_injury",), ("C29",), _put("C29", "30")),
    Fault("hqms_14_operation_fields", 0.002, ("operated",), ("C17x01",), _clear("C17x01")),
    Fault("hqms_14_incision", 0.002, ("operated",), ("C21x01C",), _put("C21x01C", "3")),
    Fault("hqms_15_allergy_drug", 0.001, ("not_allergic",), ("C24C", "C25"), _put("C24C", "2")),
    Fault("hqms_15_spouse_marital", 0.001, ("adult", "single"), ("A33C",), _spouse_unmarried),
    Fault("hqms_16_organisation_code", 0.0001, ("single",), ("A01",), _shorten_organisation),
    Fault("hqms_17_icd_form", 0.001, ("plain",), ("C03C",), _icd_form("C03C")),
    Fault("hqms_department_mapped", 0.001, _NONE, ("B16C",), _put("B16C", "13040503")),
    Fault("hqms_18_repeat_admission", 0.0006, ("single",), ("B15",), _append_later),
    Fault("hqms_03_infant_days", 0.004, ("newborn",), ("A16",), _clear("A16")),
    Fault("hqms_04_mother_birth_weight", 0.004, ("delivery",), ("A18x01",), _clear("A18x01")),
    Fault("hqms_05_fee_not_negative", 0.001, _NONE, ("D22",), _fee_not_negative),
    Fault("hqms_05_parts_within", 0.001, _NONE, ("D19x01",), _parts_within),
    Fault("hqms_05_self_paid_zero", 0.001, _NONE, ("D09",), _put("D09", "0.00")),
    Fault("hqms_09_dagger", 0.001, ("plain", "beside"), ("C06x01C",), _put("C06x01C", "G01.x00*")),
    Fault("hqms_14_operation_dates", 0.002, ("operated_twice",), ("C37x01",), _operation_date),
    Fault("hqms_15_outpatient_diagnosis", 0.001, ("walked_in",), ("C01C",), _clear("C01C", "C02N")),
    Fault(
        "hqms_15_allergy_diagnosis",
        0.001,
        ("plain", "beside", "not_allergic"),
        ("C06x01C", "C24C"),
        _put("C06x01C", "T88.600"),
    ),
    Fault("hqms_17_person_codes", 0.001, _NONE, ("A38C",), _put("A38C", "99")),
    Fault("hqms_17_clinical_codes", 0.001, _NONE, ("B30C",), _put("B30C", "4")),
    Fault("hqms_17_operation_codes", 0.001, ("operated",), ("C22x01C",), _put("C22x01C", "77")),
    Fault("hqms_17_other_icd_form", 0.001, ("plain", "beside"), ("C06x01C",), _icd_form("C06x01C")),
    Fault("hqms_18_identical_page", 0.0006, ("single",), ("A48",), _append_identical),
    Fault("hqms_18_overlapping_stay", 0.0006, ("single", "identified"), ("B15",), _append_overlap),
    Fault("hqms_18_count_reset", 0.03, ("single", "identified", "same_day"), ("B15",), _append_reset),
]
# faults of the line rather than of a cell; CSV only
RAGGED, RAGGED_RATE = "ragged_row", 0.0004
BAD_ENCODING, BAD_ENCODING_RATE = "bad_encoding", 0.0003


def _mask(block: Block, names: tuple[str, ...]) -> Bools:
    mask = np.ones(len(block), dtype=np.bool_)
    for name in names:
        mask &= block.masks[name]
    return mask


def soil(block: Block, layout: Layout, rng: np.random.Generator) -> tuple[dict[str, int], list[int]]:
    """Break rules in the cells of a block; returns rows per rule, and the rows whose line gets ragged."""
    cells = block.cells
    free = np.ones(len(block), dtype=np.bool_)
    done: dict[str, int] = {}

    def hit(rate: float, mask: Bools) -> list[int]:
        rows = np.flatnonzero((rng.random(len(block)) < rate) & mask & free)
        free[rows] = False
        return rows.tolist()

    is_dbf = layout.name == "hqms_p"
    for fault in FAULTS:
        rows = hit(fault.rate, _mask(block, fault.masks))
        if not set(fault.items) <= layout.carries or (is_dbf and fault.text_only):
            continue
        for row in rows:
            fault.change(cells, row)
        if rows:
            done[fault.rule] = done.get(fault.rule, 0) + len(rows)
    ragged: list[int] = []
    if not is_dbf:
        ragged = hit(RAGGED_RATE, np.ones(len(block), dtype=np.bool_))
        if ragged:
            done[RAGGED] = len(ragged)
        if block.hospital.encoding in ("gbk", "gb18030"):
            broken = hit(BAD_ENCODING_RATE, np.ones(len(block), dtype=np.bool_))
            for row in broken:
                cells["A11"][row] += BAD_BYTES
            if broken:
                done[BAD_ENCODING] = len(broken)
    return done, ragged
