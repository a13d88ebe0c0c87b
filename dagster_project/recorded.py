"""What a release or a certificate was computed from, and the same set up again in a side candidate.

Belongs here: finding a release or certificate and its recorded inputs, noticing inputs that are no longer what they
were, a home that holds nothing else, the dbt project that computed it. Does not belong here: what is asked of such a
candidate (`explain`, `rebuild`, `causes`), recording (`publishing.provenance`).

A recorded home is a folder of links: the journal of intake as far as it had come, the receipts and schemes of that
day. The nightly's own code then sees what it saw, and nothing that arrived later.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.dbt_command import run_dbt
from dagster_project.settings import PROJECT_ROOT, Settings
from expectations.content import sha256_file
from publishing.manifest import DATAPACKAGE, PROVENANCE
from publishing.provenance import NOT_SOURCE, SUFFIXES, folder_hash

if TYPE_CHECKING:
    from sources.candidate import HeldBack

# what dbt reads: its own folder, and the lists beside it that are seeds
METHOD = ("dbt", "sources/reference", "expectations/rules")
# a bundle keeps both in a folder of its own
_EVIDENCE, _METHOD = "evidence", "method"


class RecordProblem(RuntimeError):
    """A release cannot be computed again: the text says in Chinese what is missing, and the remedy."""


@dataclass(frozen=True)
class Record:
    """A release or certificate on disk with what it says of its origin."""

    name: str
    folder: Path
    provenance: Mapping[str, Any]

    @property
    def data(self) -> Path:
        """Its marts as Parquet."""
        return self.folder / "data"

    @cached_property
    def inputs(self) -> dict[str, Mapping[str, Any]]:
        """SHA-256 -> what is recorded of each input file that supplied a slice."""
        return {f"{item['dataset']}/{item['source_sha256']}": item for item in self.provenance["inputs"]}

    @property
    def variables(self) -> dict[str, str]:
        """dbt's variables, as they were."""
        return {"province_division": self.provenance["province_division"], **self.provenance["grouping"]}

    @property
    def method_name(self) -> str:
        """The name under which the dbt project of these numbers is kept."""
        return method_name(self.provenance["code"]["folders"])


def open_record(settings: Settings, name: str) -> Record:
    """A release or certificate by its id, `current`, or the path of its folder; raises RecordProblem."""
    from publishing.certificates.lifecycle import Office

    places = [Office(settings.home).bundle(name), settings.releases / name, Path(name)]
    if name == "current":
        places = [settings.current]
    for folder in places:
        if (folder / DATAPACKAGE).exists():
            return _record(folder.resolve())
    raise RecordProblem(f"没有编号为 {name} 的发布版或证书，也没有这样的文件夹。可用的编号见 zhuanke release list。")


def _record(folder: Path) -> Record:
    for path in (folder / PROVENANCE, folder / _EVIDENCE / PROVENANCE):
        if path.exists():
            return Record(folder.name, folder, json.loads(path.read_text(encoding="utf-8")))
    raise RecordProblem(f"{folder.name} 没有来源记录（{PROVENANCE}），不能追溯。")


# --- the dbt project


def method_name(folders: Mapping[str, str]) -> str:
    """A name for the dbt project and lists of these hashes."""
    return hashlib.sha256("".join(folders[name] for name in sorted(folders)).encode()).hexdigest()[:16]


def keep_method(settings: Settings, folders: Mapping[str, str]) -> None:
    """Keep the dbt project of a release, once per state: later code computes other numbers."""
    target = settings.home / "methods" / method_name(folders)
    if target.exists():
        return
    coming = target.with_name(f".{target.name}")
    shutil.rmtree(coming, ignore_errors=True)
    copy_method(PROJECT_ROOT, coming)
    coming.rename(target)


def copy_method(root: Path, target: Path) -> None:
    """Copy what dbt reads, and nothing that tools left there."""
    for name in METHOD:
        for path in sorted((root / name).rglob("*")):
            inside = path.relative_to(root / name)
            if path.suffix in SUFFIXES and not NOT_SOURCE.intersection(inside.parts):
                file = target / name / inside
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, file)


def method_of(settings: Settings, record: Record) -> tuple[Path, str]:
    """The dbt project that computed a record, and in Chinese where it was found."""
    for project in sorted((record.folder / _METHOD).rglob("dbt_project.yml")):
        return project.parent.parent, "随证书保存的算法"
    kept = settings.home / "methods" / record.method_name
    if kept.exists():
        return kept, "发布时留存的算法"
    if is_present_method(record):
        return PROJECT_ROOT, "现行算法（与发布时相同）"
    return PROJECT_ROOT, "现行算法（发布时的算法未留存，两者不同）"


def is_present_method(record: Record) -> bool:
    """Whether the code of today is the code of this record, as far as dbt reads it."""
    folders = record.provenance["code"]["folders"]
    return all(folders[name] == folder_hash(PROJECT_ROOT / name) for name in ("dbt", "sources/reference"))


# --- the inputs


def faults_of_inputs(settings: Settings, record: Record) -> list[str]:
    """What of the recorded inputs is missing or no longer what it was, one Chinese sentence each."""
    from sources.outputs import receipt_path
    from sources.scheme.store import installed

    if any("slices" not in item for item in record.inputs.values()):
        return [f"{record.name} 的来源记录没有逐月登记输入文件（由较早的版本发布），不能重建。"]
    faults = []
    for item in record.inputs.values():
        told = f"{item['dataset']} 的输入文件 {item['source_sha256'][:12]}"
        receipt = receipt_path(settings.home, item["source_sha256"])
        if not receipt.exists():
            faults.append(f"{told}：收据缺失，请从备份恢复 {receipt.relative_to(settings.home)}。")
        elif json.loads(receipt.read_text("utf-8"))["method"] != item["method"]:
            faults.append(f"{told}：此后已按另一版接口规范、程序或密钥重新落地，请恢复当时的落地区。")
        for landed in item["landed"]:
            path = settings.home / landed["path"]
            if not path.exists():
                faults.append(f"{told}：落地文件 {landed['path']} 缺失，请从备份恢复。")
            elif sha256_file(path) != landed["sha256"]:
                faults.append(f"{told}：落地文件 {landed['path']} 已被改动，请从备份恢复。")
    stored = {scheme["edition_id"]: scheme["content"]["sha256"] for scheme in installed(settings.home)}
    for scheme in record.provenance["schemes"]:
        if stored.get(scheme["edition_id"]) != scheme["content_sha256"]:
            faults.append(f"分组方案 {scheme['edition_id']}：未导入，或内容与当时不同。")
    return faults


def write_recorded_home(settings: Settings, record: Record, home: Path) -> None:
    """A home of links in which nothing is but what the record was computed from; raises RecordProblem."""
    if faults := faults_of_inputs(settings, record):
        shown = "\n  ".join(faults[:20])
        more = f"\n  另有 {len(faults) - 20} 处" if len(faults) > 20 else ""
        raise RecordProblem(f"{record.name} 的输入已不完整，不能重算：\n  {shown}{more}")
    shutil.rmtree(home, ignore_errors=True)
    (home / "receipts").mkdir(parents=True)
    (home / "schemes").mkdir()
    (home / "landing").symlink_to(settings.home / "landing")
    for scheme in record.provenance["schemes"]:
        (home / "schemes" / scheme["edition_id"]).symlink_to(settings.home / "schemes" / scheme["edition_id"])
    counted = {item["source_sha256"] for item in [*record.inputs.values(), *record.provenance["inputs_not_used"]]}
    for sha256 in counted:
        (home / "receipts" / f"{sha256}.json").symlink_to(settings.home / "receipts" / f"{sha256}.json")
    _write_journal(settings, record, home, counted)


def _write_journal(settings: Settings, record: Record, home: Path, counted: set[str]) -> None:
    """The journal as far as it had come: a file that arrived before may have arrived once more since."""
    from sources.candidate import slices_in_force
    from sources.intake import journal_path

    arrived = [(line, _sha256_of(line)) for line in journal_path(settings.home).read_text("utf-8").splitlines()]
    mine = [(line, sha256) for line, sha256 in arrived if sha256 in counted]
    wanted = {
        (item["dataset"], tuple(key)): item["source_sha256"]
        for item in record.inputs.values()
        for key in item["slices"]
    }
    seen: set[str] = set()
    for number, (_, sha256) in enumerate(mine, 1):
        seen.add(sha256)
        if seen != counted:
            continue
        journal_path(home).write_text("".join(f"{line}\n" for line, _ in mine[:number]), encoding="utf-8")
        force = slices_in_force(home, passed_over(record))
        if {(dataset, key): sha for dataset, keys in force.items() for key, sha in keys.items()} == wanted:
            return
    raise RecordProblem(f"{record.name}：收件登记与来源记录不符，不能重算。请从备份恢复 receipts/intake.jsonl。")


def _sha256_of(line: str) -> str | None:
    try:
        return str(json.loads(line)["sha256"])
    except (json.JSONDecodeError, KeyError):  # torn by a killed run
        return None


def passed_over(record: Record) -> list[HeldBack]:
    """The versions of months that were not used, as they were judged then."""
    from sources.candidate import HeldBack

    return [
        HeldBack(
            dataset=one["dataset"],
            slice=tuple(one["slice"]),
            sha256=one["source_sha256"],
            rule_id=one["rule_id"],
            checked=one["checked"],
            violated=one["violated"],
            threshold=Decimal(one["threshold"]),
        )
        for one in record.provenance["passed_over"]
    ]


# --- the candidate


def build_recorded(
    settings: Settings,
    record: Record,
    database: Path,
    selection: Sequence[str] = (),
    *,
    home: Path | None = None,
    method: Path | None = None,
    variables: Mapping[str, object] | None = None,
) -> None:
    """Compute the selected models (else all) of a record anew in `database`; its home of links lies at `home`."""
    from sources.candidate import prepare

    home = home or database.parent / "home"
    write_recorded_home(settings, record, home)
    database.unlink(missing_ok=True)
    thresholds = {one["rule_id"]: Decimal(one["threshold"]) for one in record.provenance["thresholds"]}
    prepare(home, database, held_back=passed_over(record), thresholds=thresholds, as_landed=True)
    # a copy at one place: what travels may be read-only, and dbt parses anew when its project lies elsewhere
    project = database.parent / "project"
    shutil.rmtree(project, ignore_errors=True)
    copy_method(method or method_of(settings, record)[0], project)
    arguments = ["build", "--exclude-resource-type", "test", "unit_test"]
    if selection:
        arguments += ["--select", *selection]
    given = {**record.variables, **(variables or {})}
    target = database.parent / "target"
    run_dbt(settings, database, target, [*arguments, "--vars", json.dumps(given)], project=project / "dbt")
