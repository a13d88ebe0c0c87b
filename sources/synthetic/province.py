"""Writes the inbox of the demo province: which hospital sends which file in which carrier, and what is
wrong with it.

Belongs here: the plan of files, the distribution over worker processes, faults of whole files, and
truth.json. Does not belong here: contents of rows.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sources.synthetic import dirt as faults
from sources.synthetic import layouts, other_sources, people, single_disease
from sources.synthetic.cells import Cells
from sources.synthetic.front_page import Block, days_in, draw_block
from sources.synthetic.layouts import Layout
from sources.synthetic.other_sources import Counted
from sources.synthetic.people import Hospital

Progress = Callable[[int, int], None]
DIRT_STREAM, DISEASE_STREAM, GROUPER_STREAM = 1, 2, 3


_DOSSIER_HOSPITALS = 3
_DOSSIER_SPECIALTIES = ("0304", "0403")  # cardiology, orthopaedics


@dataclass
class ProvinceSummary:
    """What was written: files and rows, and the errors that were put in on purpose."""

    target: Path
    seed: int
    hospitals: list[str]
    months: list[str]
    discharges: int
    files: dict[str, int]  # path below inbox -> data rows
    faults: dict[str, dict[str, int]]  # rule or landing reason -> path -> rows
    refused: dict[str, str]  # path -> why landing must refuse the file
    regrouped: dict[str, int]  # path -> rows whose group is not the one that the case was drawn from
    superseded: dict[str, str]  # path -> path of the file that replaces it
    duplicates: dict[str, str]  # path -> path with the same bytes

    @property
    def fault_rows(self) -> dict[str, int]:
        """Rows per rule over all files."""
        return {rule: sum(files.values()) for rule, files in sorted(self.faults.items())}


@dataclass(frozen=True)
class _Task:
    hospital: Hospital
    month: str
    month_number: int
    count: int
    seed: int
    dirty: bool
    resubmit: bool
    target: Path


@dataclass
class _Done:
    hospital: int
    month: str
    files: dict[str, int] = field(default_factory=dict)
    faults: dict[str, dict[str, int]] = field(default_factory=dict)
    regrouped: dict[str, int] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    bed_days: dict[str, int] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counter)


def month_range(first_month: str, months: int) -> list[str]:
    """'YYYY-MM' texts from the first month on."""
    return [str(np.datetime64(first_month, "M") + number) for number in range(months)]


def layout_of(hospital: Hospital, month_number: int, seed: int) -> Layout:
    """The dialect in which a hospital reports a month."""
    if hospital.dialect == "pinyin":
        return layouts.pinyin_layout()
    if month_number < hospital.old_months:
        return layouts.p_layout()
    shuffle = seed * 1000 + hospital.index if hospital.shuffled else None
    return layouts.abcd_layout(extended=hospital.extended, shuffle_seed=shuffle)


def front_page_file(
    hospital: Hospital, month: str, layout: Layout, cells: Cells, ragged: list[int], suffix: str = ""
) -> tuple[str, bytes]:
    """File name and bytes of a month's front pages in the layout, encoding and container of the hospital."""
    year, number = month.split("-")
    if layout.name == "hqms_p":
        following = str(np.datetime64(month, "M") + 1).replace("-", "")
        first, second = layouts.dbf_tables(layout, cells)
        members = {f"{year}{number}_1.dbf": first, f"{year}{number}_2.dbf": second}
        return f"{year}{number}_{following}10093000_{hospital.organisation_id}.zip", layouts.zipped(members)
    lines = layouts.csv_lines(layout, cells)
    for position, row in enumerate(ragged):
        # the line lost its last field, or a stray separator gave it one more
        lines[row] = lines[row] + "," if position % 2 else lines[row].rpartition(",")[0]
    text = "\r\n".join([layouts.csv_header(layout), *lines, ""])
    data = text.encode(hospital.encoding).replace(faults.BAD_BYTES.encode(), b"\xff\xff")
    stem = f"hqmsts_{year}M{number}{suffix}"
    if layout.name == "hqms_pinyin":
        stem = f"TCMMS_{year}{number}-{number}_1{suffix}"
    if hospital.container == "csv.gz":
        return f"{stem}.csv.gz", layouts.gzipped(data)
    if hospital.container == "zip":
        return f"{stem}.zip", layouts.zipped({f"{stem}.csv": data})
    return f"{stem}.csv", data


def _write(target: Path, path: str, data: bytes) -> None:
    file = target / "inbox" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _stream(task: _Task, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([task.seed, task.hospital.index, task.month_number, number]))


def _draw(task: _Task, layout: Layout) -> Block:
    return draw_block(
        task.hospital,
        task.month,
        task.month_number,
        task.count,
        task.seed,
        ventilated="C47" in layout.carries,
        newborns="A16" in layout.carries,
        old_codes=layout.name == "hqms_p",
        whole_hours=layout.name == "hqms_pinyin",
    )


def draw_province(
    *, seed: int, hospitals: int, first_month: str, months: int, discharges: int
) -> Iterator[tuple[Block, frozenset[str]]]:
    """The discharges of the province as drawn, before errors and files, with the items that reach the file."""
    plan = _plan(Path(), seed, people.make_hospitals(hospitals), month_range(first_month, months), discharges, False)
    for task in plan:
        layout = layout_of(task.hospital, task.month_number, task.seed)
        yield _draw(task, layout), layout.carries


def _write_month(task: _Task) -> _Done:
    """All files of one hospital and month."""
    hospital = task.hospital
    layout = layout_of(hospital, task.month_number, task.seed)
    block = _draw(task, layout)
    done = _Done(hospital.index, task.month)
    stamp = task.month.replace("-", "M")

    def send(path: str, data: bytes, rows: int) -> None:
        _write(task.target, path, data)
        done.files[path] = rows

    drg, differing = other_sources.drg_rows(block, _stream(task, GROUPER_STREAM))
    path = f"drg/{hospital.organisation_id}/drg_{stamp}.csv"
    send(path, other_sources.csv_bytes(other_sources.DRG_HEADER, drg), len(drg))
    if differing:
        done.regrouped[path] = differing
    due = list(single_disease.due_cases(block))
    diseases = single_disease.report_rows(block, due, _stream(task, DISEASE_STREAM))
    if diseases:
        path = f"single_disease/{hospital.organisation_id}/single_disease_{stamp}"
        if hospital.index == 1:
            data = other_sources.xlsx_bytes("单病种", single_disease.HEADER, diseases)
            send(f"{path}.xlsx", data, len(diseases))
        else:
            send(f"{path}.csv", other_sources.csv_bytes(single_disease.HEADER, diseases), len(diseases))
    for department, days in zip(block.department, block.stay_days.tolist(), strict=True):
        done.bed_days[department] = done.bed_days.get(department, 0) + days

    done.counted = other_sources.count_year(block, ((row, disease.code) for row, disease in due))

    def send_front_pages(cells: Cells, stream: int, suffix: str = "") -> str:
        found: dict[str, int] = {}
        ragged: list[int] = []
        if task.dirty:
            version = copy.copy(block)
            version.cells = cells
            found, ragged = faults.soil(version, layout, _stream(task, stream))
        name, data = front_page_file(hospital, task.month, layout, cells, ragged, suffix)
        path = f"hqms/{hospital.organisation_id}/{name}"
        send(path, data, len(cells["A48"]))
        for rule, rows in found.items():
            done.faults.setdefault(rule, {})[path] = rows
        return path

    corrected = other_sources.recosted(block) if task.resubmit else None
    first = send_front_pages(block.cells, DIRT_STREAM)
    if corrected is not None:
        # the correction itself is clean: its rows no longer match the masks of the drawn block
        name, data = front_page_file(hospital, task.month, layout, corrected, [], "_R2")
        second = f"hqms/{hospital.organisation_id}/{name}"
        send(second, data, len(corrected["A48"]))
        done.superseded[first] = second
    return done


def _share_out(total: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers in proportion to the weights that add up to the total."""
    exact = total * weights / weights.sum()
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - counts).ravel(), kind="stable")
    counts.ravel()[order[: total - int(counts.sum())]] += 1
    return np.asarray(counts)


def _plan(
    target: Path, seed: int, hospitals: list[Hospital], months: list[str], discharges: int, dirty: bool
) -> list[_Task]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, 10**7]))
    weights = np.array([h.size for h in hospitals])[:, None] * rng.uniform(0.9, 1.1, (len(hospitals), len(months)))
    counts = _share_out(discharges, weights)
    # one hospital corrects its second month (or its only one)
    corrected = min(1, len(months) - 1)
    return [
        _Task(
            hospital,
            month,
            number,
            int(counts[row, number]),
            seed,
            dirty,
            row == 0 and number == corrected,
            target,
        )
        for row, hospital in enumerate(hospitals)
        for number, month in enumerate(months)
        if counts[row, number]
    ]


def _run(tasks: list[_Task], workers: int) -> Iterator[_Done]:
    if workers <= 1:
        yield from map(_write_month, tasks)
        return
    # spawn: the caller may already run threads (DuckDB, Arrow), which a fork would copy half
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_write_month, tasks, chunksize=max(1, len(tasks) // (workers * 8)))


def write_province(
    target: Path,
    *,
    seed: int = 20220101,
    hospitals: int = 16,
    first_month: str = "2022-01",
    months: int = 38,
    discharges: int = 120_000,
    workers: int = 2,
    progress: Progress | None = None,
    dirt: bool = True,
    broken_files: bool = True,
) -> ProvinceSummary:
    """Write `target/inbox/` and `target/truth.json`; equal arguments give equal bytes, whatever `workers` is.

    `dirt` puts errors into rows, `broken_files` adds files that landing must refuse. `progress` is called
    with the number of hospital-months written and their total.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", first_month):
        raise ValueError(f"首月应写作 2022-01 的形式，而不是 {first_month}。")
    if any(path.is_file() for path in (target / "inbox").rglob("*")):
        raise ValueError(f"{target / 'inbox'} 里已有文件；演示省只写入空的收件箱，以免与别的数据混在一起。")
    if hospitals < 1 or months < 1 or discharges < hospitals * months:
        raise ValueError("演示省至少需要一家机构、一个月，且每家机构每月至少一例出院。")
    province = people.make_hospitals(hospitals)
    calendar = month_range(first_month, months)
    tasks = _plan(target, seed, province, calendar, discharges, dirt)
    summary = ProvinceSummary(
        target, seed, [h.organisation_id for h in province], calendar, discharges, {}, {}, {}, {}, {}, {}
    )
    bed_days: dict[str, dict[int, dict[str, int]]] = {}
    counted: dict[int, dict[int, Counted]] = {}
    for number, done in enumerate(_run(tasks, workers), 1):
        summary.files.update(done.files)
        summary.regrouped.update(done.regrouped)
        summary.superseded.update(done.superseded)
        for rule, files in done.faults.items():
            summary.faults.setdefault(rule, {}).update(files)
        bed_days.setdefault(done.month, {})[done.hospital] = done.bed_days
        counted.setdefault(int(done.month[:4]), {}).setdefault(done.hospital, Counter()).update(done.counted)
        if progress is not None:
            progress(number, len(tasks))
    _write_registers(summary, province, calendar, bed_days, counted, seed)
    _write_dossiers(summary, province, seed)
    _write_duplicate(summary, province)
    if broken_files:
        _write_broken_files(summary, tasks[0], str(np.datetime64(calendar[-1], "M") + 1))
    _write_truth(summary)
    return summary


def _write_dossiers(summary: ProvinceSummary, province: list[Hospital], seed: int) -> None:
    """Filled workbooks of the specialties that the first hospitals put forward."""
    from sources.dossier import write_demo_dossiers

    folder = summary.target / "inbox" / "dossier"
    folder.mkdir(parents=True)
    organisations = [hospital.organisation_id for hospital in province[:_DOSSIER_HOSPITALS]]
    for path in write_demo_dossiers(folder, organisations, _DOSSIER_SPECIALTIES, seed):
        summary.files[path.relative_to(summary.target / "inbox").as_posix()] = 0


def _write_registers(
    summary: ProvinceSummary,
    province: list[Hospital],
    calendar: list[str],
    bed_days: dict[str, dict[int, dict[str, int]]],
    counted: dict[int, dict[int, Counted]],
    seed: int,
) -> None:
    first_year, last_year = int(calendar[0][:4]), int(calendar[-1][:4])

    def send(path: str, header: list[str], rows: list[other_sources.Row], sheet: str = "") -> None:
        xlsx = path.endswith(".xlsx")
        data = other_sources.xlsx_bytes(sheet, header, rows) if xlsx else other_sources.csv_bytes(header, rows)
        _write(summary.target, path, data)
        summary.files[path] = len(rows)

    send(
        "registry/hospital.xlsx",
        other_sources.HOSPITAL_HEADER,
        other_sources.hospital_rows(province),
        "医疗机构",
    )
    for month in calendar:
        rows = other_sources.bed_rows(province, month, days_in(month), bed_days.get(month, {}))
        send(f"registry/bed_report_{month}.csv", other_sources.BED_HEADER, rows)
    years = list(range(first_year, last_year + 1))
    send("registry/population.csv", other_sources.POPULATION_HEADER, other_sources.population_rows(years))
    projects = other_sources.project_rows(province, first_year)
    send("registry/project.xlsx", other_sources.PROJECT_HEADER, projects, "项目台账")
    targets = other_sources.project_target_rows(projects)
    send("registry/project_target.csv", other_sources.PROJECT_TARGET_HEADER, targets)
    send(
        "registry/accident.csv",
        other_sources.ACCIDENT_HEADER,
        other_sources.accident_rows(province, first_year),
    )
    for edition, rows in other_sources.catalogue_rows(first_year).items():
        send(f"catalogue/surgery_catalogue_{edition}.csv", other_sources.CATALOGUE_HEADER, rows)
    end = str(np.datetime64(calendar[-1], "M") + 1)
    for year in range(first_year - 2, last_year):
        if f"{year + 2}-01" < end:
            rng = np.random.default_rng(np.random.SeedSequence([seed, 10**8, year]))
            is_whole = f"{year}-01" in calendar and f"{year}-12" in calendar
            rows = other_sources.appraisal_rows(province, year, rng, counted[year] if is_whole else {})
            if rows:
                send(f"appraisal/appraisal_{year}.xlsx", other_sources.APPRAISAL_HEADER, rows, "绩效考核")


def _write_duplicate(summary: ProvinceSummary, province: list[Hospital]) -> None:
    """The last hospital uploads its first month twice under two names."""
    folder = f"hqms/{province[-1].organisation_id}/"
    original = next(path for path in summary.files if path.startswith(folder))
    stem, dot, suffix = original.removeprefix(folder).partition(".")
    again = f"{folder}{stem}_again{dot}{suffix}"
    _write(summary.target, again, (summary.target / "inbox" / original).read_bytes())
    summary.files[again] = summary.files[original]
    summary.duplicates[again] = original


def _write_broken_files(summary: ProvinceSummary, task: _Task, next_month: str) -> None:
    """Three files that cannot be used: broken archive, missing key column, month other than the name's."""
    hospital = task.hospital
    folder = f"hqms/{hospital.organisation_id}"
    layout = layouts.abcd_layout(extended=False, shuffle_seed=None)
    small = _Task(
        hospital, task.month, task.month_number, min(task.count, 20), task.seed + 1, False, False, task.target
    )
    cells = _draw(small, layout).cells
    stamp = task.month.replace("-", "M")
    lines = [layouts.csv_header(layout), *layouts.csv_lines(layout, cells), ""]
    archive = layouts.zipped({f"hqmsts_{stamp}.csv": "\r\n".join(lines).encode("gb18030")})
    keyless = Layout(layout.name, tuple(column for column in layout.columns if column.name != "A48"))
    without_key = "\r\n".join([layouts.csv_header(keyless), *layouts.csv_lines(keyless, cells), ""])
    broken = {
        f"{folder}/hqmsts_{stamp}_broken.zip": ("broken_archive", archive[: len(archive) // 2]),
        f"{folder}/hqmsts_{stamp}_nokey.csv": ("missing_columns", without_key.encode("gb18030")),
        f"{folder}/hqmsts_{next_month.replace('-', 'M')}.csv": (
            "outside_file_month",
            "\r\n".join(lines).encode("gb18030"),
        ),
    }
    for path, (reason, data) in broken.items():
        _write(summary.target, path, data)
        summary.refused[path] = reason


def _write_truth(summary: ProvinceSummary) -> None:
    truth = {
        "seed": summary.seed,
        "hospitals": summary.hospitals,
        "months": summary.months,
        "discharges": summary.discharges,
        "files": summary.files,
        "faults": {rule: {"rows": sum(files.values()), "files": files} for rule, files in summary.faults.items()},
        "regrouped": {"rows": sum(summary.regrouped.values()), "files": summary.regrouped},
        "refused": summary.refused,
        "superseded": summary.superseded,
        "duplicates": summary.duplicates,
    }
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    (summary.target / "truth.json").write_text(text + "\n", encoding="utf-8")
