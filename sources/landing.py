"""Landing: one pass from a received file to typed, de-identified Parquet, a quarantine file and a receipt.

Belongs here: which files are due, in which batches they are worked, and what is said about them.  Does not belong
here: how a batch is landed (:mod:`sources.batch`), what replaces what (:mod:`sources.candidate`), and judging values
that can be counted (``expectations/``).

A file is landed once.  Its output is a pure function of its bytes, its name's month, the contracts and the key:
Parquet files named by the source's hash, and last the receipt, which makes the file count.  A run that dies before
the receipt leaves files that the next run writes again with the same bytes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sources.batch import Batch, land_batch, method_of
from sources.contract import datasets
from sources.intake import InboxFile, is_unchanged, read_journal
from sources.outputs import receipt_path

DATASETS: tuple[str, ...] = datasets()

_BATCH_FILES = 40
_BATCH_BYTES = 256 << 20
_MEMORY = "512MB"  # of DuckDB in one process: beyond it, it spills, and the process stays below 1 GiB
_PARALLEL_BYTES = 16 << 20  # below it, starting worker processes costs more than they save


@dataclass
class LandingReport:
    """Counts of one landing step; ``messages`` (Chinese) name refused files and what to do."""

    dataset: str
    files_read: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_quarantined: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    messages: list[str] = field(default_factory=list)


def read_receipts(home: Path) -> list[dict[str, Any]]:
    """All receipts of files that are in the journal, in order of arrival."""
    receipts = []
    for item in read_journal(home):
        path = receipt_path(home, item.sha256)
        if item.dataset and path.exists():
            receipts.append(json.loads(path.read_text("utf-8")))
    return receipts


def pending(home: Path, key: bytes, dataset: str | None = None) -> list[InboxFile]:
    """Recognised files whose receipt is missing or was made by another method (contracts, code or key).

    A file that is no longer in the inbox with the content that was recorded cannot be landed again: what was landed
    of it stays.
    """
    method = method_of(key)
    journal = read_journal(home)
    latest = {item.path: item for item in journal}
    result = []
    for item in journal:
        if item.dataset is None or item.problem or (dataset is not None and item.dataset != dataset):
            continue
        path = receipt_path(home, item.sha256)
        done = path.exists() and json.loads(path.read_text("utf-8"))["method"] == method
        if not done and latest[item.path] is item and is_unchanged(home, item):
            result.append(item)
    return result


def land(
    home: Path,
    dataset: str,
    *,
    key: bytes,
    workers: int = 1,
    threads: int = 1,
    memory_limit: str = "2GB",
) -> LandingReport:
    """Land every pending file of one dataset; a file that cannot be landed does not stop the others."""
    started = time.monotonic()
    report = LandingReport(dataset)
    within = min(memory_limit, _MEMORY, key=_bytes)
    batches = [Batch(home, files, key, threads, within) for files in _batches(pending(home, key, dataset), workers)]
    for batch, receipts in zip(batches, _run(batches, workers), strict=True):
        for item, receipt in zip(batch.files, receipts, strict=True):
            _count(report, item, receipt)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _bytes(size: str) -> float:
    """A size as the settings write it, in bytes."""
    number, unit = re.fullmatch(r"([\d.]+)\s?(MB|GB|MiB|GiB)", size).groups()  # type: ignore[union-attr]
    return float(number) * {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}[unit]


def _batches(files: list[InboxFile], workers: int) -> Iterator[list[InboxFile]]:
    """Split into runs of one layout that are small enough to share the work and to bound memory."""
    share = -(-len(files) // workers)
    most_files = min(_BATCH_FILES, share) if sum(f.bytes for f in files) >= _PARALLEL_BYTES else _BATCH_FILES
    batch: list[InboxFile] = []
    for item in files:
        too_big = sum(f.bytes for f in batch) + item.bytes > _BATCH_BYTES or len(batch) >= most_files
        if batch and (too_big or batch[0].layout != item.layout):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _run(batches: list[Batch], workers: int) -> Iterable[list[dict[str, Any]]]:
    size = sum(item.bytes for batch in batches for item in batch.files)
    if workers < 2 or len(batches) < 2 or size < _PARALLEL_BYTES:
        yield from map(land_batch, batches)
        return
    # spawn: the caller may be a Dagster process with threads, which must not be forked
    with ProcessPoolExecutor(min(workers, len(batches)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(land_batch, batches)


def _count(report: LandingReport, item: InboxFile, receipt: dict[str, Any]) -> None:
    report.bytes_read += item.bytes
    if refused := receipt["refused"]:
        report.files_refused += 1
        report.messages.append(f"{item.path}：{refused['message']}")
        return
    rows = receipt["rows"]
    report.files_read += 1
    report.rows_read += rows["read"]
    report.rows_landed += rows["landed"]
    report.rows_quarantined += rows["quarantined"]
    if receipt["columns_missing"]:
        report.messages.append(f"{item.path}：{describe_missing(receipt)}")
    if rows["quarantined"]:
        report.messages.append(f"{item.path}：{describe_quarantine(receipt)}")


def describe_missing(receipt: dict[str, Any], most: int = 5) -> str:
    """One Chinese sentence: which columns of the interface the file does not have."""
    names = receipt["columns_missing"]
    more = f" 等 {len(names)} 列" if len(names) > most else ""
    return f"表头缺少 {'、'.join(names[:most])}{more}，已按空值处理。请按接口补齐后重新报送整月。"


def describe_quarantine(receipt: dict[str, Any], most: int = 3) -> str:
    """One Chinese sentence: how many rows were held back, the commonest faults, and what to do."""
    faults = sorted(receipt["quarantine"], key=lambda f: (-f["rows"], f["field"], f["reason"]))
    parts = [
        f"{f['field'] or '整行'} {REASONS_ZH[f['reason']]} {f['rows']} 行（首见第 {f['first_row']} 行）"
        for f in faults[:most]
    ]
    more = f"，另有 {len(faults) - most} 类" if len(faults) > most else ""
    return f"{receipt['rows']['quarantined']} 行隔离：{'；'.join(parts)}{more}。请按隔离清单修正后重新报送整月。"


REASONS_ZH = {
    "required_missing": "必填项为空",
    "not_integer": "不是整数",
    "not_decimal": "不是数值",
    "not_amount": "不是金额（元，至多两位小数）",
    "not_datetime": "不是日期时间",
    "not_date": "不是日期",
    "not_year": "不是年度",
    "not_month": "不是月份",
    "not_flag": "不是“是/否”",
    "not_in_code_list": "不在值域内",
    "too_long": "超长",
    "duplicate_key": "主键重复",
    "outside_file_month": "出院月份与文件名不符",
    "ragged_row": "列数与表头不符",
    "bad_encoding": "含无法解码的字符",
}
