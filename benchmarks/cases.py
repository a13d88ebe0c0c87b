"""Invented front pages for :mod:`benchmarks.wide_scheme`, as landing leaves them: one Parquet file a hospital month.

Belongs here: drawing the columns that grouping reads; the others are empty.  Does not belong here: a plausible
hospital; the demo's province has that.

A hospital has 100,000 discharges in three years, so more records are more hospitals and the first hospital's are the
same at every size.  Five diagnoses and one and a half procedures a record on average.  The popularity of codes
falls with their rank as in real life (half of all records have one of a few hundred codes), or is equal
(``skew=False``), which is the worst case for caches and dictionaries.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.wide_scheme import (
    BLOCKS,
    DIAGNOSES,
    DIAGNOSES_PER_BLOCK,
    FEMALE,
    MALE,
    NEWBORN,
    OUTDATED,
    PROCEDURES,
    PROCEDURES_PER_BLOCK,
    diagnosis_codes,
    outdated_codes,
    procedure_codes,
)
from sources.expressions import landed_types

HOSPITAL = 100_000
_MONTHS = 36
_FIRST_MONTH = np.datetime64("2022-01", "M")
_MOST = 40  # places for other diagnoses and for procedures on a front page
_ARROW = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}

Numbers = npt.NDArray[np.int64]


def write(folder: Path, records: int, *, skew: bool = True, workers: int = 2) -> None:
    """Fill ``folder/month=…/<hospital>.parquet`` with so many records."""
    for month in range(_MONTHS):
        (folder / f"month={_FIRST_MONTH + month}").mkdir(parents=True, exist_ok=True)
    sizes = [min(HOSPITAL, records - done) for done in range(0, records, HOSPITAL)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_write_hospital, repeat(folder), range(len(sizes)), sizes, repeat(skew)))


def _write_hospital(folder: Path, number: int, records: int, skew: bool) -> None:
    page = _draw(np.random.default_rng([2024, number]), number, records, skew)
    for month in range(_MONTHS):
        first, last = (records * n // _MONTHS for n in (month, month + 1))
        if last > first:
            target = folder / f"month={_FIRST_MONTH + month}" / f"{number:012x}.parquet"
            pq.write_table(page.slice(first, last - first), target, compression="zstd")


def _draw(rng: np.random.Generator, number: int, records: int, skew: bool) -> pa.Table:
    block = _rank(rng, np.full(records, len(BLOCKS)), skew)
    is_newborn = (block == BLOCKS.index(NEWBORN)) & (rng.random(records) < 0.95)
    age_years = np.where(is_newborn, 0, rng.integers(0, 95, records))
    age_days = np.where(is_newborn, rng.integers(0, 29, records), rng.integers(0, 365, records))
    fits = rng.random(records) < 0.98
    male = np.where(
        block == BLOCKS.index(MALE), fits, np.where(block == BLOCKS.index(FEMALE), ~fits, rng.random(records) < 0.5)
    )
    day = np.arange(records) * _MONTHS * 28 // max(records, 1)  # four weeks of every month, in order
    discharged = (_FIRST_MONTH + day // 28).astype("datetime64[us]") + (day % 28).astype("timedelta64[D]")
    drawn = {
        "source_id": pa.array([f"{number:012x}"] * records),
        "source_row": pa.array(np.arange(records) + 2, pa.int32()),
        "organisation_id": pa.array([f"{number:09d}"] * records),
        "discharge_time": pa.array(discharged),
        "sex": pa.array(np.where(male, "1", "2")),
        "age_years": pa.array(age_years, pa.int32()),
        "age_days": pa.array(age_days, pa.int32(), mask=age_years > 0),
        "admission_weight_g": pa.array(rng.integers(500, 4_500, records), pa.int32(), mask=~is_newborn),
        "diagnoses": _diagnoses(rng, block, skew),
        "operations": _operations(rng, block, skew),
    }
    types = landed_types("hqms_front_page")
    return pa.table({name: drawn.get(name, pa.nulls(records, _arrow(kind))) for name, kind in types.items()})


def _diagnoses(rng: np.random.Generator, block: Numbers, skew: bool) -> pa.Array:
    """The principal one from the record's category, the others from anywhere."""
    counts = 1 + np.minimum(rng.poisson(4, len(block)), _MOST)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total = int(offsets[-1])
    index = _rank(rng, np.full(total, DIAGNOSES), skew) * 7_919 % DIAGNOSES
    rank = _rank(rng, np.full(len(block), DIAGNOSES_PER_BLOCK), skew)
    index[offsets[:-1]] = block * DIAGNOSES_PER_BLOCK + rank * 613 % DIAGNOSES_PER_BLOCK
    index = np.where((index < OUTDATED) & (rng.random(total) < 0.2), index + DIAGNOSES, index)
    return _lists(offsets, index, _code_tables()[0])


def _operations(rng: np.random.Generator, block: Numbers, skew: bool) -> pa.Array:
    """None in two records of five; four of five procedures are of the record's category."""
    counts = np.where(rng.random(len(block)) < 0.4, 0, 1 + np.minimum(rng.poisson(1.5, len(block)), _MOST))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total = int(offsets[-1])
    own = _rank(rng, np.full(total, PROCEDURES_PER_BLOCK), skew) * 239 % PROCEDURES_PER_BLOCK
    other = _rank(rng, np.full(total, PROCEDURES), skew) * 7_919 % PROCEDURES
    index = np.where(rng.random(total) < 0.8, np.repeat(block, counts) * PROCEDURES_PER_BLOCK + own, other)
    return _lists(offsets, index, _code_tables()[1])


def _rank(rng: np.random.Generator, size: Numbers, skew: bool) -> Numbers:
    """Ranks from 0 below ``size``: log-uniform, which is Zipf's law with exponent 1, or uniform."""
    drawn = rng.random(len(size))
    rank = size**drawn - 1 if skew else size * drawn
    return np.minimum(rank.astype(np.int64), size - 1)


def _lists(offsets: Numbers, index: Numbers, codes: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), codes.take(pa.array(index)))


@cache
def _code_tables() -> tuple[pa.Array, pa.Array]:
    return pa.array(diagnosis_codes() + outdated_codes()), pa.array(procedure_codes())


def _arrow(kind: str) -> pa.DataType:
    return pa.list_(_ARROW[kind[:-2]]) if kind.endswith("[]") else _ARROW[kind]
