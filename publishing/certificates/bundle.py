"""The bundle: the folder that is signed, checked and carried away.

Belongs here: what a bundle holds, filtered from one release, and how it is laid out. Does not belong here: who signs
and when (`lifecycle`), the words of forms and reports (their own rooms), checking a bundle (`verification`).

A bundle is a function of the release, the name of the certificate, the code, the revision before it and, for its public
edition, the public editions issued before: equal ones have equal bytes, but for `attest/` and the copy of the register,
which are added later and are bound by signatures instead of the data package.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.content import DATA
from publishing.certificates.corrections import TITLES as CORRECTIONS
from publishing.certificates.corrections import write_corrections
from publishing.certificates.history import History
from publishing.certificates.names import ALL, CertificateName
from publishing.export import ROW_GROUP, MartSpec
from publishing.manifest import (
    DATA_DOCS,
    DATAPACKAGE,
    PROVENANCE,
    README,
    VERDICT,
    canonical,
    data_package,
    described_marts,
)
from publishing.provenance import folder_hash, source_files

if TYPE_CHECKING:
    import duckdb

METHOD, EVIDENCE, PROJECT, PUBLIC = "method", "evidence", "method/project", "public"
# the rules that made the numbers travel with them: what dbt reads; of the first two the release names the hash
RULES = ("dbt", "sources/reference", "expectations/rules")
HASHED_RULES = RULES[:2]
# what of a data mart a reader of the method asks for first, as a table that opens everywhere
METHOD_TABLES = {
    "indicators": ("dim_indicator", "指标登记表：定义、分子、分母、版本"),
    "programmes": ("dim_programme", "评选方案：规则、口径、依据与确定单位"),
    "programme_items": ("dim_programme_item", "评选方案各条目：权重、计分方式、依据与确定单位"),
}
TITLES = {
    README: "阅读说明",
    f"{METHOD}/switches.json": "口径开关：取值与是否已经确认",
    f"{METHOD}/editions.json": "目录与分组方案的版本",
    f"{EVIDENCE}/{VERDICT}": "质量门裁决",
    f"{EVIDENCE}/{PROVENANCE}": "来源与版本",
    f"{EVIDENCE}/release.json": "所据发布版的清单",
    f"{EVIDENCE}/inputs.csv": "输入：每个切片出自哪个文件，落地成什么，及其摘要",
    f"{EVIDENCE}/decisions.json": "质量门的阈值调整与放行",
    f"{EVIDENCE}/{DATA_DOCS}": "数据文档：逐表逐项的验证结果",
    **CORRECTIONS,
    **{f"{METHOD}/{name}.csv": title for name, (_, title) in METHOD_TABLES.items()},
}
ROOMS = {PROJECT: "计算规则源文件", "form": "官方附件表", "report": "报告", PUBLIC: "公开版"}

README_TEXT = """\
专科评价证书 {name}

方案 {programme_id}，专科 {scope}，窗口 {window_id}，第 {revision} 版；所据发布版 {release_id}

form/              官方附件表
report/index.html  报告，可离线打开
public/            公开版：小单元已隐去，自带清单，可单独取出公布
data/*.parquet     全部数值，精确值，按主键排序
method/            口径：指标、方案、权重及其确定单位、开关、目录版本；project/ 为当时的全部计算规则
evidence/          依据：质量门裁决、来源、每个输入切片的摘要
attest/            签名（DSSE），签署后才有
register.jsonl     登记册副本，签发后才有
datapackage.json   每个文件的大小与摘要（SHA-256、SM3）

本文件夹签发后不再改动；更正以下一版代替。
核对（离线，只需公钥册）：zhuanke verify 本文件夹 --keyring 公钥册.json
"""


class BundleRefused(RuntimeError):
    """A certificate cannot be drafted of this release; the text says in Chinese why and what to do."""


# what is made of the data for people: gets the bundle, the certificate, and what readers must know
Exhibits = Callable[[Path, CertificateName, Sequence[str]], None]


def write_exhibits(folder: Path, name: CertificateName, notices: Sequence[str]) -> None:
    """The official forms, the report, and the public edition, which must not fill a gap of those already issued."""
    from publishing.disclosure import write_public_edition
    from publishing.forms import write_forms
    from publishing.report import write_report

    chosen: dict[str, Any] = {
        "programme_id": name.programme_id,
        "window_id": name.window_id,
        "specialty_code": None if name.scope == ALL else name.scope,
    }
    write_forms(folder / DATA, folder / "form", **chosen, notices=notices)
    write_report(folder / DATA, folder / "report", **chosen, notices=notices)
    issued = public_editions(folder.parent)
    write_public_edition(folder / DATA, folder / PUBLIC, **chosen, earlier=issued, notices=notices)


def public_editions(certified: Path) -> list[Path]:
    """The public editions of all certificates that were issued, whatever became of them."""
    return [package.parent for package in sorted(certified.glob(f"CERT-*/{PUBLIC}/{DATAPACKAGE}"))]


def write_bundle(
    release: Path,
    target: Path,
    name: CertificateName,
    *,
    project: Path,
    exhibits: Exhibits = write_exhibits,
    before: tuple[Path, History] | None = None,
) -> None:
    """Lay out the bundle of a certificate in an empty folder; `project`: where the rules of the release lie; `before`:
    the revision before, with what became of it.
    """
    package = _read(release / DATAPACKAGE)
    provenance = _read(release / PROVENANCE)
    marts = described_marts(package)
    notices = _write_data(release, target, name, marts) + list(package["notices"])
    _write_method(target, provenance, project)
    _write_evidence(release, target, provenance)
    if before is not None:
        write_corrections(before[0], target, before[1])
    exhibits(target, name, notices)
    facts = {"programme_id": name.programme_id, "scope": "全部" if name.scope == ALL else name.scope}
    text = README_TEXT.format(
        name=name, window_id=name.window_id, revision=name.revision, release_id=release.name, **facts
    )
    (target / README).write_text(text + "".join(f"\n注意 {notice}\n" for notice in notices), encoding="utf-8")
    described = {
        "title": f"专科评价证书 {name}",
        "description": f"由发布版 {release.name} 按方案、专科与窗口取出，供评审使用；来源见 {EVIDENCE}/{PROVENANCE}。",
        "version": f"r{name.revision}",
        "release": release.name,
        "programme_id": name.programme_id,
        "scope": name.scope,
        "window_id": name.window_id,
        "notices": notices,
    }
    others = sorted(file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file())
    companions = {path: _title(path) for path in others if not path.startswith(f"{DATA}/")}
    (target / DATAPACKAGE).write_bytes(canonical(data_package(target, str(name), marts, companions, described)))


def _title(path: str) -> str:
    room = next((title for room, title in ROOMS.items() if path.startswith(f"{room}/")), None)
    return TITLES.get(path) or (f"{room}：{Path(path).name}" if room else path)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


# --- data


def _write_data(release: Path, target: Path, name: CertificateName, marts: list[MartSpec]) -> list[str]:
    """The marts of programme, scope and window; returns what a reader must know of them."""
    import duckdb

    (target / DATA).mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        windows = _windows(connection, release, name)
        for mart in marts:
            _write_mart(connection, release, target, name, mart, windows)
        if not connection.execute(
            f"select 1 from '{target / DATA / 'dim_programme.parquet'}' where programme_id = $1", [name.programme_id]
        ).fetchall():
            raise BundleRefused(f"发布版 {release.name} 中没有方案 {name.programme_id}。")
        return list(_notices(connection, target))


def _windows(connection: duckdb.DuckDBPyConnection, release: Path, name: CertificateName) -> list[str]:
    """The window and the single years in it, which show where the window comes from."""
    found = connection.execute(
        f"""
        from '{release / DATA / "dim_window.parquet"}' as each
        inner join '{release / DATA / "dim_window.parquet"}' as whole
            on whole.window_id = $1
            and (each.window_id = whole.window_id
                 or (each.years = 1 and each.first_year between whole.first_year and whole.last_year))
        select each.window_id order by 1
        """,
        [name.window_id],
    ).fetchall()
    if not found:
        raise BundleRefused(f"发布版 {release.name} 中没有窗口 {name.window_id}。")
    return [window_id for (window_id,) in found]


def _write_mart(
    connection: duckdb.DuckDBPyConnection,
    release: Path,
    target: Path,
    name: CertificateName,
    mart: MartSpec,
    windows: list[str],
) -> None:
    columns = {column.name for column in mart.columns}
    kept = ["true"]
    if "programme_id" in columns:
        kept.append(f"programme_id = '{name.programme_id}'")
    # elsewhere a window is a property of the row (which one a programme prescribes), not what the row is about
    if "window_id" in mart.key:
        kept.append(f"window_id in ({', '.join(map(repr, windows))})")
    if "specialty_code" in columns and name.scope != ALL:
        kept.append(f"specialty_code = '{name.scope}'")
    source, copy = release / DATA / f"{mart.name}.parquet", target / DATA / f"{mart.name}.parquet"
    connection.execute(
        f"copy (select * from '{source}' where {' and '.join(kept)} order by {', '.join(mart.key)}) to '{copy}' "
        f"(format parquet, compression zstd, row_group_size {ROW_GROUP})"
    )


def _notices(connection: duckdb.DuckDBPyConnection, target: Path) -> Iterator[str]:
    """Hospitals whose data are not beyond doubt, and months that were not used."""
    graded = connection.execute(
        f"""
        select grade, years, string_agg(hospital_id, '、' order by hospital_id)
        from (
            select grade, hospital_id, string_agg(distinct data_year, '、' order by data_year) as years
            from '{target / DATA / "fct_fitness.parquet"}'
            where mart = 'fct_indicator' and grade <> 'A' and hospital_id <> 'REGION'
                and data_year between (select min(first_year) from '{target / DATA / "dim_window.parquet"}')
                and (select max(last_year) from '{target / DATA / "dim_window.parquet"}')
            group by all
        )
        group by grade, years order by grade, years
        """
    ).fetchall()
    for grade, years, hospitals in graded:
        yield f"数据质量 {grade} 级（{years} 年）：{hospitals}"
    held = connection.execute(
        f"""
        select distinct organisation_id, month, consequence
        from '{target / DATA / "fct_held_back.parquet"}' order by all
        """
    ).fetchall()
    for organisation_id, month, consequence in held:
        yield f"未采用 {organisation_id} {month} 的报送（{'采用上一版' if consequence != 'missing' else '该月缺失'}）"


# --- method and evidence


def _write_method(target: Path, provenance: dict[str, Any], project: Path) -> None:
    """The rules as they were; refused when they are no longer those of the release."""
    recorded = provenance["code"]["folders"]
    if changed := [folder for folder in HASHED_RULES if folder_hash(project / folder) != recorded[folder]]:
        raise BundleRefused(
            f"计算规则在此发布版之后有改动（{'、'.join(changed)}），且当时的规则没有留存，证书无法附上。"
            "请先运行 zhuanke run 以现行规则发布，再拟制。"
        )
    for folder in RULES:
        for file in source_files(project / folder):
            _copy(file, target / PROJECT / file.relative_to(project))
    (target / METHOD / "switches.json").write_bytes(canonical(provenance["switches"]))
    editions = {"editions": provenance["editions"], "schemes": provenance["schemes"]}
    (target / METHOD / "editions.json").write_bytes(canonical(editions))
    import duckdb

    with duckdb.connect() as connection:
        for table, (mart, _) in METHOD_TABLES.items():
            source, copy = target / DATA / f"{mart}.parquet", target / METHOD / f"{table}.csv"
            connection.execute(f"copy (from '{source}') to '{copy}' (format csv, header)")


def _write_evidence(release: Path, target: Path, provenance: dict[str, Any]) -> None:
    for name in (VERDICT, PROVENANCE, DATA_DOCS):
        if (release / name).exists():
            _copy(release / name, target / EVIDENCE / name)
    _copy(release / DATAPACKAGE, target / EVIDENCE / "release.json")
    decisions = _read(release / VERDICT)["decisions"]
    (target / EVIDENCE / "decisions.json").write_bytes(canonical(decisions))
    with (target / EVIDENCE / "inputs.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("dataset", "slice", "landed", "landed_sha256", "source_sha256", "source_sm3"))
        table.writerows(_inputs(provenance["inputs"]))


def _inputs(files: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Slice by slice: which file supplied it and into which files it was landed."""
    for file in files:
        for key in file["slices"]:
            for landed in file["landed"]:
                sources = (file["source_sha256"], file["source_sm3"])
                yield file["dataset"], "/".join(key), landed["path"], landed["sha256"], *sources


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
