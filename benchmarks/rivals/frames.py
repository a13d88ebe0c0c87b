"""Polars, lazily and streaming, and pandas: whole numbers of the twelfth decimal in the place of exact decimals.

Belongs here: both rivals, and the few groups of the reference that both grade in Python.  Does not belong here: SQL.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.rivals.tables import COUNTS, KEYS, MEASURES

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_UNIT = 10**12
_GROUP = ["window_id", "scheme_edition", "drg_code"]
_CELL = ["hospital_id", "specialty_code", *_GROUP]
_RESULT_KEY = ["patient_id", "discharge_time", "admission_count", "organisation_id"]
_NO_GROUP = ("0000", "QY")


def _reference(groups: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Weight and risk of each group: window, edition, DRG, cases, cost, stay, deaths."""
    editions: dict[tuple[Any, Any], list[tuple[Any, ...]]] = defaultdict(list)
    for group in groups:
        editions[group[0], group[1]].append(group)
    graded = []
    for members in editions.values():
        all_cases, all_cost = sum(group[3] for group in members), sum(group[4] for group in members)
        sizes = {group[2]: round(-_UNIT * math.log(group[6] / group[3])) for group in members if group[6]}
        count, total = len(sizes), sum(sizes.values())
        spread = count * sum(size * size for size in sizes.values()) - total * total
        mean = (2 * total + count) // (2 * count) if count else 0
        deviation = round(math.sqrt(float(spread) / float(count * (count - 1)))) if count > 1 else 0
        for window, edition, code, cases, cost, stay, _ in members:
            graded.append(
                {
                    **dict(zip(_GROUP, (window, edition, code), strict=True)),
                    "cases": cases,
                    "cost_fen": cost,
                    "stay_days": stay,
                    "weight": _rounded(Fraction(cost * all_cases * _UNIT, cases * all_cost)),
                    "is_low_risk": code not in sizes or sizes[code] > mean + deviation,
                }
            )
    return graded


def _rounded(exact: Fraction) -> int:
    """Half up."""
    return math.floor(exact + Fraction(1, 2))


def run_polars(long: Path, output: Path) -> None:
    """Two passes of the streaming engine: over the long tables, and over their cells."""
    import polars as pl

    cell = _polars_cells({path.stem: pl.scan_parquet(path) for path in long.glob("*.parquet")})
    cell = cell.collect(engine="streaming").lazy()
    grouped = cell.filter(pl.col("grouped_count") > 0)
    parts = ["grouped_count", "grouped_cost_fen", "grouped_stay_days", "grouped_death_count"]
    by_group = grouped.group_by(_GROUP).agg(pl.col(parts).sum()).select(*_GROUP, *parts).collect()
    types = {"weight": pl.Int64, "cases": pl.Int64, "cost_fen": pl.Int64, "stay_days": pl.Int64}
    reference = pl.LazyFrame(
        _reference(by_group.iter_rows()),
        schema={**dict.fromkeys(_GROUP, pl.String), **types, "is_low_risk": pl.Boolean},
    )

    def ratio(own: str, whole: str) -> pl.Expr:
        dividend, divisor = pl.col(own).cast(pl.Int128) * pl.col("cases"), pl.col(whole).cast(pl.Int128)
        exact = (dividend * (2 * _UNIT) + divisor) // (2 * divisor)
        return pl.when(divisor > 0).then(exact).otherwise(0).sum()

    def published(units: pl.Expr) -> pl.Expr:
        return (units + 5_000) // 10_000

    low = pl.col("is_low_risk")
    weighed = (
        grouped.join(reference, on=_GROUP)
        .group_by(KEYS)
        .agg(
            drg_group_count=pl.len(),
            weight_sum=published((pl.col("grouped_count").cast(pl.Int128) * pl.col("weight")).sum()),
            weight_2_count=pl.col("grouped_count").filter(pl.col("weight") >= 2 * _UNIT).sum(),
            cost_ratio_sum=published(ratio("grouped_cost_fen", "cost_fen")),
            time_ratio_sum=published(ratio("grouped_stay_days", "stay_days")),
            low_risk_count=pl.col("grouped_count").filter(low).sum(),
            low_risk_death_count=pl.col("grouped_death_count").filter(low).sum(),
        )
    )
    counted = cell.group_by(KEYS).agg(pl.col(COUNTS).sum())
    measures = counted.join(weighed, on=KEYS, how="left")
    measures.select(*KEYS, pl.col(MEASURES).fill_null(0).cast(pl.Int64)).sink_parquet(output)


def _polars_cells(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    import polars as pl

    valid = (pl.col("discharge_date") >= pl.col("valid_from")) & (pl.col("discharge_date") < pl.col("valid_until"))
    operated = (
        tables["operation"]
        .join(tables["surgery_catalogue"], on="operation_code")
        .filter(valid)
        .group_by("case_id")
        .agg(pl.col("is_level4", "is_minimally_invasive").any())
        .with_columns(has_surgery=pl.lit(True))
    )
    complicated = (
        tables["diagnosis"]
        .filter(pl.col("admission_condition") == "4")
        .with_columns(start=pl.col("diagnosis_code").str.slice(0, 3))
        .join(tables["complication"].with_columns(start=pl.col("code_prefix").str.slice(0, 3)), on="start")
        .filter(pl.col("diagnosis_code").str.starts_with(pl.col("code_prefix")) & valid)
        .select("case_id", has_complication=pl.lit(True))
        .unique()
    )
    listed = tables["specialty"].with_columns(found=pl.col("specialty_code"))
    second = listed.select(discharge_department="specialty_code", second_level="found")
    first = listed.select(start="specialty_code", first_level="found")
    department, code = pl.col("discharge_department"), pl.col("drg_code")
    stay, fee = pl.col("length_of_stay_days"), pl.col("total_fee_fen")
    short = (stay <= 2) & pl.col("principal_diagnosis").fill_null("").str.starts_with("Z53")
    elective = pl.col("has_surgery") & pl.col("admission_route").ne_missing("1")
    discharge = (
        tables["header"]
        .join(second, on="discharge_department", how="left")
        .with_columns(start=pl.when(department.str.len_chars() <= 4).then(department.str.slice(0, 2)))
        .join(first, on="start", how="left")
        .join(tables["drg_result"], on=_RESULT_KEY, how="left")
        .join(operated, on="case_id", how="left")
        .join(complicated, on="case_id", how="left")
        .with_columns(
            pl.when((code != _NO_GROUP[0]) & ~code.str.ends_with(_NO_GROUP[1])).then(code).alias("drg_code"),
            hospital_id="organisation_id",
            specialty_code=pl.coalesce("second_level", "first_level", pl.lit("UNMAPPED")),
            window_id=pl.col("discharge_date").dt.year().cast(pl.String),
            is_analysed=(stay <= 60) & (fee >= 500) & ~short,
            has_died=pl.col("discharge_mode") == "5",
            is_residence_known=pl.col("residence_basis").is_in(["address", "postcode"])
            & pl.col("residence_division").is_not_null(),
            is_elective=elective,
        )
        .with_columns(
            pl.when(pl.col("drg_code").is_not_null()).then("scheme_edition").alias("scheme_edition"),
            is_grouped=pl.col("is_analysed") & pl.col("drg_code").is_not_null(),
        )
    )
    return discharge.group_by(_CELL).agg(
        discharge_count=pl.len().cast(pl.Int64),
        stay_days_sum=stay.cast(pl.Int64).sum(),
        stay_known_count=stay.count().cast(pl.Int64),
        grouped_cost_fen=fee.filter(pl.col("is_grouped")).sum(),
        grouped_stay_days=stay.cast(pl.Int64).filter(pl.col("is_grouped")).sum(),
        **{
            name: condition.sum().cast(pl.Int64)
            for name, condition in {
                "death_count": pl.col("has_died"),
                "transfer_in_count": pl.col("admission_route") == "3",
                "known_residence_count": pl.col("is_residence_known"),
                "out_of_province_count": pl.col("is_residence_known")
                & (pl.col("residence_division").str.slice(0, 2) != "99"),
                "surgical_discharge_count": pl.col("has_surgery"),
                "surgery_count": pl.col("has_surgery"),
                "level4_surgery_count": pl.col("is_level4"),
                "minimally_invasive_count": pl.col("is_minimally_invasive"),
                "elective_surgery_count": pl.col("is_elective"),
                "complication_count": pl.col("is_elective") & pl.col("has_complication"),
                "analysed_count": pl.col("is_analysed"),
                "grouped_count": pl.col("is_grouped"),
                "grouped_death_count": pl.col("is_grouped") & pl.col("has_died"),
            }.items()
        },
    )


def run_pandas(long: Path, output: Path) -> None:
    """Merges and one aggregate of the pages; the groups, whose products pass 64 bits, as Python's whole numbers."""
    import pandas as pd

    cell = _pandas_cells({path.stem: pd.read_parquet(path) for path in long.glob("*.parquet")})
    grouped = cell[cell["grouped_count"] > 0]
    parts = ["grouped_count", "grouped_cost_fen", "grouped_stay_days", "grouped_death_count"]
    by_group = grouped.groupby(_GROUP, as_index=False)[parts].sum().astype(dict.fromkeys(parts, object))
    by_drg = grouped.merge(pd.DataFrame(_reference(by_group.itertuples(index=False, name=None))), on=_GROUP)
    cases = by_drg["grouped_count"]

    def ratio(own: str, whole: str) -> list[int]:
        triples = zip(by_drg[own].tolist(), by_drg["cases"].tolist(), by_drg[whole].tolist(), strict=True)
        return [
            (value * all_cases * 2 * _UNIT + all_) // (2 * all_) if all_ else 0 for value, all_cases, all_ in triples
        ]

    low = by_drg["is_low_risk"]
    weighed = (
        by_drg.assign(
            drg_group_count=1,
            weight_sum=cases * by_drg["weight"],
            weight_2_count=cases.where(by_drg["weight"] >= 2 * _UNIT, 0),
            cost_ratio_sum=ratio("grouped_cost_fen", "cost_fen"),
            time_ratio_sum=ratio("grouped_stay_days", "stay_days"),
            low_risk_count=cases.where(low, 0),
            low_risk_death_count=by_drg["grouped_death_count"].where(low, 0),
        )
        .groupby(list(KEYS))[[name for name in MEASURES if name not in COUNTS]]
        .sum()
    )
    fractions = ["weight_sum", "cost_ratio_sum", "time_ratio_sum"]
    weighed[fractions] = (weighed[fractions] + 5_000) // 10_000
    counted = cell.groupby(list(KEYS))[list(COUNTS)].sum()
    counted.join(weighed).fillna(0).astype("int64").reset_index().to_parquet(output)


def _pandas_cells(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    def valid(frame: pd.DataFrame) -> pd.DataFrame:
        day = frame["discharge_date"]
        return frame[(day >= frame["valid_from"]) & (day < frame["valid_until"])]

    flags = ["is_level4", "is_minimally_invasive"]
    operated = valid(tables["operation"].merge(tables["surgery_catalogue"], on="operation_code"))
    operated = operated.groupby("case_id")[flags].any().assign(has_surgery=True).reset_index()
    acquired = tables["diagnosis"]
    acquired = acquired[acquired["admission_condition"] == "4"]
    acquired = acquired.assign(start=acquired["diagnosis_code"].str[:3])
    listed = tables["complication"].assign(start=tables["complication"]["code_prefix"].str[:3])
    acquired = valid(acquired.merge(listed, on="start"))
    begins = [
        code.startswith(prefix)
        for code, prefix in zip(acquired["diagnosis_code"], acquired["code_prefix"], strict=True)
    ]
    complicated = acquired[begins][["case_id"]].drop_duplicates().assign(has_complication=True)

    frame = tables["header"].merge(tables["drg_result"], on=_RESULT_KEY, how="left")
    frame = frame.merge(operated, on="case_id", how="left").merge(complicated, on="case_id", how="left")
    for name in (*flags, "has_surgery", "has_complication"):
        frame[name] = frame[name].eq(True)
    specialties = tables["specialty"]["specialty_code"]
    department = frame["discharge_department"]
    start = department.str[:2].where(department.str.len() <= 4)
    second, first = department.where(department.isin(specialties)), start.where(start.isin(specialties))
    code, stay, fee = frame["drg_code"], frame["length_of_stay_days"], frame["total_fee_fen"]
    code = code.where((code != _NO_GROUP[0]) & ~code.str.endswith(_NO_GROUP[1], na=False))
    short = (stay <= 2) & frame["principal_diagnosis"].str.startswith("Z53", na=False)
    analysed = (stay <= 60) & (fee >= 500) & ~short
    grouped, died = analysed & code.notna(), frame["discharge_mode"].eq("5")
    known = frame["residence_basis"].isin(["address", "postcode"]) & frame["residence_division"].notna()
    elective = frame["has_surgery"] & ~frame["admission_route"].eq("1")
    cells = frame.assign(
        hospital_id=frame["organisation_id"],
        specialty_code=second.fillna(first).fillna("UNMAPPED"),
        window_id=frame["discharge_time"].dt.year.astype(str),
        drg_code=code,
        scheme_edition=frame["scheme_edition"].where(code.notna()),
        discharge_count=1,
        death_count=died,
        stay_known_count=stay.notna(),
        stay_days_sum=stay.fillna(0).astype("int64"),
        transfer_in_count=frame["admission_route"].eq("3"),
        known_residence_count=known,
        out_of_province_count=known & (frame["residence_division"].str[:2] != "99"),
        surgical_discharge_count=frame["has_surgery"],
        surgery_count=frame["has_surgery"],
        level4_surgery_count=frame["is_level4"],
        minimally_invasive_count=frame["is_minimally_invasive"],
        elective_surgery_count=elective,
        complication_count=elective & frame["has_complication"],
        analysed_count=analysed,
        grouped_count=grouped,
        grouped_cost_fen=fee.where(grouped, 0).fillna(0).astype("int64"),
        grouped_stay_days=stay.where(grouped, 0).fillna(0).astype("int64"),
        grouped_death_count=grouped & died,
    )
    return cells.groupby(_CELL, dropna=False, as_index=False)[list(COUNTS)].sum()
