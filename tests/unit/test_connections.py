"""Secrets of database connections: where they may stand, and that no message repeats them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.connections import Connection, ConnectionProblem
from dagster_project.settings import SettingsError, load_settings

URL = "postgresql+psycopg://reader@10.0.0.8/his"


def test_password_comes_from_the_environment_and_is_hidden_when_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIS_PASSWORD", "机密")
    url = Connection(url=URL, password_env="HIS_PASSWORD").resolved("his")
    assert url.password == "机密"
    assert "机密" not in f"{url} {url!r}"


def test_password_file_must_be_for_its_owner_alone(tmp_path: Path) -> None:
    secret = tmp_path / "his.password"
    secret.write_text("机密\n", encoding="utf-8")
    secret.chmod(0o640)
    connection = Connection(url=URL, password_file=secret)
    with pytest.raises(ConnectionProblem, match="chmod 600") as caught:
        connection.resolved("his")
    assert "机密" not in str(caught.value)
    secret.chmod(0o600)
    assert connection.resolved("his").password == "机密"


def test_a_connection_without_a_secret_is_one() -> None:
    assert Connection(url="sqlite:///marts.db").resolved("local").password is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "postgresql+psycopg://reader:机密@10.0.0.8/his"}, "含有密码"),
        ({"url": "机密"}, "不是连接串"),
        ({"url": URL, "password_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
        ({"url": URL, "password_file": "/nowhere/his.password"}, "无法读取"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(given: dict[str, str], told: str) -> None:
    with pytest.raises(ConnectionProblem, match=told) as caught:
        Connection.model_validate(given).resolved("his")
    assert "机密" not in str(caught.value)


def test_a_misspelt_setting_of_a_connection_does_not_repeat_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "zhuanke.toml").write_text(f'[connections.his]\nurl = "{URL}"\npassword = "机密"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"connections\.his\.password") as caught:
        load_settings(tmp_path)
    assert "机密" not in str(caught.value)
