"""Publishing: from a judged candidate to the release that readers use, all or nothing.

Belongs here: the steps of a publication, their order, what is refused, listing and verifying releases.
Does not belong here: judging. The stored verdict is read again for the hash of the very bytes that are
published, because a check in some other process guards nothing here.

Order of steps: check, stage beside, rename into place, diff, swap `current`, journal. A kill between any two
leaves `current` on the old or on the new release, each whole; the next publication removes leftovers and
finishes.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from expectations.content import DATA, content_files, content_hash, sha256_file
from expectations.decisions import NO_DECISIONS, Decisions
from expectations.verdict import Verdict, VerdictStore, judged_by, sync_folder, write_durably
from publishing.diff import release_diff
from publishing.export import exported_specs
from publishing.manifest import (
    DATA_DOCS,
    DATAPACKAGE,
    PAGE,
    PROVENANCE,
    README,
    VERDICT,
    canonical,
    digests,
    release_package,
)
from publishing.page import release_page

STAGING = ".staging"
JOURNAL = "journal.jsonl"
RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

README_TEXT = """\
专科指标发布版 {release_id}

data/*.parquet     各数据集市表，按主键排序；分析工具可直接读取整个文件夹
marts.duckdb       同样的表，DuckDB 只读库；请以只读方式打开
datapackage.json   每个文件的字段、主键、单位、大小与摘要（SHA-256、SM3）
verdict.json       质量门的裁决：逐项检查的结果，只有计数
index.html         首页：质量门结论、各文件与各表的入口，可离线打开
data_docs.html     数据文档：各表逐项验证的结果，只有计数
provenance.json    来源：代码版本、口径开关、目录与分组方案版本、每个输入文件的摘要
README.txt         本说明

本文件夹发布后不再改动。核对：zhuanke release verify {release_id}
"""


class GateClosed(RuntimeError):
    """The content may not be published: no verdict, or a verdict that keeps the gate closed."""


class ReleaseConflictError(RuntimeError):
    """A release of this id exists with other content, or what exists is damaged."""


class ReleaseNotFoundError(RuntimeError):
    """There is no release of this id."""


@dataclass(frozen=True)
class Release:
    """A release on disk."""

    release_id: str
    folder: Path
    content_hash: str
    gate: str
    is_current: bool
    published_at: str | None


@dataclass(frozen=True)
class Fault:
    """A file of a release and what is wrong with it."""

    file: str
    fault: str


def publish(
    candidate_dir: Path,
    *,
    releases: Path,
    current: Path,
    verdicts: VerdictStore,
    provenance: dict[str, Any],
    release_id: str,
    decisions: Decisions = NO_DECISIONS,
) -> Release:
    """Publish an exported candidate under this id, if the stored verdict for its bytes is open.

    `decisions` are those in force: a verdict under others opens nothing, and everything that is published says them.

    Publishing the same content again changes nothing but finishes what a killed run left undone; the release
    that stands keeps its provenance.
    """
    if not RELEASE_ID.fullmatch(release_id):
        raise ValueError(f"发布版编号不合规：{release_id}")
    judged_hash = content_hash(candidate_dir)
    verdict = _open_verdict(verdicts, judged_hash, decisions)
    from filelock import FileLock

    releases.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(releases.parent / ".publish.lock"):
        staging, folder = releases.parent / STAGING, releases / release_id
        _clear(staging)
        if folder.exists():
            _require_same(folder, judged_hash)
        else:
            _stage(candidate_dir, staging, verdict, verdicts.documents(verdict), provenance, release_id)
            _reveal(staging, folder)
        previous = _target(current)
        if previous != folder.resolve():
            _note_difference(previous, folder)
            _swap(current, folder)
        _record(folder)
    return _release(folder, current)


def finish(releases: Path, current: Path) -> None:
    """Complete the journal when a run was killed between pointing readers at its release and noting it."""
    from filelock import FileLock

    folder = _target(current)
    if folder is not None:
        with FileLock(releases.parent / ".publish.lock"):
            _record(folder)


def _open_verdict(verdicts: VerdictStore, judged_hash: str, decisions: Decisions) -> Verdict:
    verdict = verdicts.load(judged_hash, judged_by(decisions=decisions))
    if verdict is None:
        raise GateClosed(f"没有按现行规则对这份内容（{judged_hash[:12]}）作出的裁决，不发布")
    if not verdict.is_open:
        names = "、".join(result.title_zh for result in verdict.closing()) or "没有任何检查结果"
        raise GateClosed(f"质量门关闭，不发布：{names}")
    return verdict


def _stage(
    candidate_dir: Path,
    staging: Path,
    verdict: Verdict,
    documents: Path,
    provenance: dict[str, Any],
    release_id: str,
) -> None:
    """Build the whole folder beside the releases and make it durable; what was copied is hashed again."""
    (staging / DATA).mkdir(parents=True)
    for source in content_files(candidate_dir):
        shutil.copyfile(source, staging / source.relative_to(candidate_dir))
    if content_hash(staging) != verdict.judged_hash:
        raise GateClosed("待发布内容在裁决之后发生了变化，不发布")
    (staging / VERDICT).write_bytes(verdict.to_bytes())
    (staging / PROVENANCE).write_bytes(canonical(provenance))
    notices = verdict.decisions.sentences()
    text = README_TEXT.format(release_id=release_id) + "".join(f"\n注意 {notice}\n" for notice in notices)
    (staging / README).write_text(text, encoding="utf-8")
    if documents.exists():
        shutil.copyfile(documents, staging / DATA_DOCS)
    marts = exported_specs(candidate_dir)
    (staging / PAGE).write_bytes(release_page(staging, release_id, verdict, marts))
    package = release_package(staging, release_id, marts, notices)
    (staging / DATAPACKAGE).write_bytes(canonical(package))
    seal(staging)


def _reveal(staging: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(folder)
    sync_folder(folder.parent)


def _note_difference(previous: Path | None, folder: Path) -> None:
    write_durably(difference_file(folder), canonical(release_diff(previous, folder)))


def difference_file(folder: Path) -> Path:
    """Where the difference of a release to its predecessor lies: beside it."""
    return folder.with_name(f"{folder.name}.diff.json")


def _swap(current: Path, folder: Path) -> None:
    """Point `current` at the release in one rename; a reader of the old one keeps its open files."""
    link = current.with_name(f".{current.name}.new")
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(folder, current.parent))
    link.replace(current)
    sync_folder(current.parent)


def _record(folder: Path) -> None:
    """Note once who published what and when; time and person stay out of the release itself."""
    journal = folder.parent / JOURNAL
    entries = _journal(folder.parent)
    if entries and entries[-1]["release_id"] == folder.name:
        return
    entry = {
        "release_id": folder.name,
        "previous": _read(difference_file(folder))["from"],
        "datapackage_sha256": sha256_file(folder / DATAPACKAGE),
        "published_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "published_by": _user(),
    }
    written = journal.read_bytes() if journal.exists() else b""
    write_durably(journal, written + (json.dumps(entry, ensure_ascii=False) + "\n").encode())


def _journal(releases: Path) -> list[dict[str, Any]]:
    journal = releases / JOURNAL
    if not journal.exists():
        return []
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return str(os.getuid())


def _require_same(folder: Path, judged_hash: str) -> None:
    if faults := verify_release(folder):
        named = "；".join(f"{fault.file}：{fault.fault}" for fault in faults)
        raise ReleaseConflictError(f"已有的发布版 {folder.name} 已损坏，拒绝覆盖（{named}）")
    if content_hash(folder) != judged_hash:
        raise ReleaseConflictError(f"已有同号发布版 {folder.name} 而内容不同，拒绝覆盖")


def _clear(folder: Path) -> None:
    """Remove what a killed publication left; nobody else stages while the lock is held."""
    if folder.exists():
        shutil.rmtree(folder)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def seal(folder: Path) -> None:
    """Make the files of a folder read-only, and all of it durable."""
    for file in _files(folder):
        file.chmod(0o444)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    for each in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        sync_folder(each)


def _target(current: Path) -> Path | None:
    return current.resolve() if current.exists() else None


# --- reading releases


def release_folder(releases: Path, current: Path, release_id: str) -> Path:
    """The folder of a release; the id `current` means the one that readers use."""
    folder = _target(current) if release_id == "current" else releases / release_id
    known = folder and (release_id == "current" or RELEASE_ID.fullmatch(release_id))
    if not folder or not known or not (folder / DATAPACKAGE).exists():
        raise ReleaseNotFoundError(f"没有发布版 {release_id}")
    return folder


def list_releases(releases: Path, current: Path) -> list[Release]:
    """All releases, the latest published last."""
    folders = [path.parent for path in releases.glob(f"*/{DATAPACKAGE}")]
    order = {entry["release_id"]: place for place, entry in enumerate(_journal(releases))}
    folders.sort(key=lambda folder: (order.get(folder.name, len(order)), folder.name))
    return [_release(folder, current) for folder in folders]


def show_release(folder: Path) -> dict[str, Any]:
    """What a release says of itself: data package, verdict, provenance, difference and journal."""
    difference = difference_file(folder)
    entries = [entry for entry in _journal(folder.parent) if entry["release_id"] == folder.name]
    return {
        "release_id": folder.name,
        "datapackage": _read(folder / DATAPACKAGE),
        "verdict": _read(folder / VERDICT),
        "provenance": _read(folder / PROVENANCE),
        "diff": _read(difference) if difference.exists() else None,
        "journal": entries,
    }


def verify_release(folder: Path) -> list[Fault]:
    """Recompute every hash of a release. Empty means: exactly as published."""
    try:
        resources = _read(folder / DATAPACKAGE)["resources"]
    except (OSError, ValueError, KeyError):
        return [Fault(DATAPACKAGE, "缺失或无法读取")]
    faults = [Fault(resource["path"], fault) for resource in resources for fault in _file_faults(folder, resource)]
    listed = {DATAPACKAGE, *(resource["path"] for resource in resources)}
    present = {file.relative_to(folder).as_posix() for file in _files(folder)}
    faults += [Fault(name, "不属于该发布版") for name in sorted(present - listed)]
    entries = [entry for entry in _journal(folder.parent) if entry["release_id"] == folder.name]
    if any(entry["datapackage_sha256"] != sha256_file(folder / DATAPACKAGE) for entry in entries):
        faults.append(Fault(DATAPACKAGE, "与发布日志中登记的摘要不符"))
    return faults or _verdict_faults(folder)


def _file_faults(folder: Path, resource: dict[str, Any]) -> list[str]:
    path = folder / resource["path"]
    if not path.is_file():
        return ["缺失"]
    found = digests(path)
    words = {"bytes": "大小", "hash": "SHA-256", "sm3": "SM3"}
    return [f"{word}与清单不符" for field, word in words.items() if found[field] != resource[field]]


def _verdict_faults(folder: Path) -> list[Fault]:
    try:
        verdict = Verdict.model_validate_json((folder / VERDICT).read_bytes())
    except ValueError:
        return [Fault(VERDICT, "裁决前后矛盾或无法读取")]
    if verdict.judged_hash != content_hash(folder):
        return [Fault(VERDICT, "裁决的对象不是本发布版的内容")]
    return [] if verdict.is_open else [Fault(VERDICT, "裁决为关闭")]


def _release(folder: Path, current: Path) -> Release:
    verdict = _read(folder / VERDICT)
    times = [entry["published_at"] for entry in _journal(folder.parent) if entry["release_id"] == folder.name]
    return Release(
        release_id=folder.name,
        folder=folder,
        content_hash=verdict["judged_hash"],
        gate=verdict["gate"],
        is_current=_target(current) == folder.resolve(),
        published_at=times[-1] if times else None,
    )


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
