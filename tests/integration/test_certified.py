"""A certificate by the command line alone: from a release of real models to an evaluator's folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import same_numbers as same
from support.job import Finished, Job
from support.network import offline_environment, offline_wrapper
from support.postgres import Postgres

WINDOW = "2020-2022"
NAME = f"CERT-national_2021-all-{WINDOW}-r1"
SECRET = {"ZHUANKE_KEY_PASSPHRASE": "correct horse battery"}


@pytest.mark.slow
def test_from_release_to_evaluator(small_home: Path, job: Job, postgres: Postgres, tmp_path: Path) -> None:
    home = Path(shutil.copytree(small_home, tmp_path / "home", symlinks=True))
    keys = tmp_path / "keys"

    def zhuanke(*arguments: object) -> Finished:
        return job.run(home, *map(str, arguments), environment=SECRET)

    for name, algorithm, role in (("甲", "ed25519", "signer"), ("乙", "sm2", "signer"), ("丙", "sm2", "registrar")):
        given = ("--name", name, "--organisation", "某省卫生健康委", "--algorithm", algorithm)
        zhuanke("key", "new", keys / name, *given).must_succeed()
        terms = ("--role", role, "--until", "2099-12-31", "--by", "管理员", "--reason", "任命")
        zhuanke("key", "add", keys / f"{name}.pub", *terms).must_succeed()

    told = ("--by", "拟制人", "--reason", "年度评价")
    zhuanke("cert", "draft", "national_2021", WINDOW, *told).must_succeed()
    zhuanke("cert", "preview", NAME, *told).must_succeed()
    packets = sorted(path.name for path in (home / "certified" / "packets" / NAME).iterdir())
    zhuanke("cert", "query", NAME, "--hospital", packets[0], "--by", "医务处", "--reason", "数值不符").must_succeed()
    for name in ("甲", "乙"):
        zhuanke("cert", "sign", NAME, "--key", keys / name, "--reason", "核对无误").must_succeed()
    issue = ("cert", "issue", NAME, "--key", keys / "丙", "--reason", "同意签发")
    refused = zhuanke(*issue)
    assert refused.code == 1
    assert "异议 Q1 未裁定" in refused.output
    zhuanke("cert", "rule", NAME, "Q1", "--reject", "--by", "评审", "--reason", "经核无误").must_succeed()
    zhuanke(*issue, "--override", "演示").must_succeed()

    assert_the_same_numbers(home, postgres.database())

    pulled = tmp_path / "usb"
    zhuanke("pull", NAME, pulled).must_succeed()
    shutil.rmtree(home)
    attempts = tmp_path / "attempts"
    checked = job.run(
        home,
        "verify",
        str(pulled),
        "--keyring",
        str(pulled / "keyring.json"),
        environment=offline_environment(attempts),
        wrapper=offline_wrapper(),
    ).must_succeed()
    assert f"✓ {NAME}：全部文件与签署时一致" in checked.output
    assert "提前签发，理由：演示" in checked.output
    assert not attempts.exists()
    assert not home.exists(), "checking needs no home and makes none"

    package = json.loads((pulled / NAME / "datapackage.json").read_text(encoding="utf-8"))
    listed = {resource["path"] for resource in package["resources"]}
    assert {"report/index.html", "public/datapackage.json", "method/project/dbt/dbt_project.yml"} <= listed
    page = pulled / NAME / "report" / "index.html"
    page.chmod(0o644)
    page.write_bytes(page.read_bytes() + b" ")
    assert "report/index.html：内容被改动过" in job.run(home, "verify", str(pulled)).output


def assert_the_same_numbers(home: Path, database: str) -> None:
    """Parquet, database, service, workbook and page agree in every value and every score of a list."""
    bundle = home / "certified" / NAME
    certified = same.of_parquet(bundle)
    hospitals, items = {hospital for _, hospital in certified}, sorted({item for item, _ in certified})
    assert len(certified) == len(hospitals) * len(items) > 100
    assert same.of_postgres(database, (home / "current").resolve()) == certified
    assert same.of_service(home, NAME, hospitals) == certified
    assert same.of_workbook(bundle, items) == certified
    assert same.of_page(bundle, same.names(bundle)) == {key: certified[key] for key in same.shown(certified)}
