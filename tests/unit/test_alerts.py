"""Alerts: who gets what, once, in which form; over real sockets to receivers of this test."""

from __future__ import annotations

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dagster_project import alerts
from dagster_project.alerts import Alert
from dagster_project.settings import Settings, SettingsError
from dagster_project.workspace import append_journal
from sources import candidate

ALERT = Alert("k", "专科指标：质量门关闭，未发布", "出院时间不早于入院时间：12/100")
SECRET = "s3cr3tt0k3n0123456789abcdef0123456789"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv(alerts.ADDRESSES, raising=False)
    return Settings(home=tmp_path / "home")


class Receiver(HTTPServer):
    """Keeps what was posted and answers as the services do."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, Any]] = []
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.posts.append((handler.path, json.loads(body)))
                handler.send_response(self.status)
                handler.end_headers()
                handler.wfile.write(b'{"errcode": 0, "errmsg": "ok"}')

            def log_message(handler, *_: Any) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class MailReceiver(socketserver.TCPServer):
    """As much of SMTP as it takes to be handed a letter."""

    allow_reuse_address = True

    def __init__(self) -> None:
        self.letters: list[str] = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler) -> None:  # noqa: N805
                handler.wfile.write(b"220 test\r\n")
                for raw in handler.rfile:
                    command = raw.decode().strip().upper()
                    if command.startswith("DATA"):
                        handler.wfile.write(b"354 go on\r\n")
                        lines = iter(handler.rfile.readline, b".\r\n")
                        self.letters.append(b"".join(lines).decode())
                    if command.startswith("QUIT"):
                        handler.wfile.write(b"221 bye\r\n")
                        return
                    handler.wfile.write(b"250 ok\r\n")

        super().__init__(("127.0.0.1", 0), Handler)


def test_a_web_hook_gets_title_and_text(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(alerts.ADDRESSES, f"json://{receiver.host}/hook")
    assert alerts.send(settings, [ALERT]) == []
    ((path, body),) = receiver.posts
    assert path == "/hook"
    assert (body["title"], body["message"]) == (ALERT.title, ALERT.text)


def test_wecom_and_dingtalk_get_their_own_formats(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own payload; only the host, which is fixed in it, is the receiver of this test."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.wecombot import NotifyWeComBot

    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"http://{receiver.host}/cgi-bin/webhook/send?key={{key}}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", f"http://{receiver.host}/robot/send?access_token={{token}}")
    monkeypatch.setenv(alerts.ADDRESSES, f"wecombot://{SECRET} dingtalk://{SECRET}")
    assert alerts.send(settings, [ALERT]) == []
    (wecom_path, wecom), (dingtalk_path, dingtalk) = receiver.posts
    assert wecom_path == f"/cgi-bin/webhook/send?key={SECRET}"
    assert wecom["msgtype"] == "text"
    assert ALERT.title in wecom["text"]["content"] and ALERT.text in wecom["text"]["content"]
    assert dingtalk_path == f"/robot/send?access_token={SECRET}"
    assert dingtalk["msgtype"] in ("text", "markdown")
    assert ALERT.text in json.dumps(dingtalk, ensure_ascii=False)


def test_mail_is_handed_to_the_mail_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailReceiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        monkeypatch.setenv(
            alerts.ADDRESSES, f"mailto://127.0.0.1:{port}?from=zhuanke@example.org&to=duty@example.org&format=text"
        )
        assert alerts.send(settings, [ALERT]) == []
        server.shutdown()
    letter = message_from_string(server.letters[0], policy=policy.default)
    assert str(letter["Subject"]) == ALERT.title
    assert ALERT.text in letter.get_body(("plain",)).get_content()


def test_an_alert_is_told_once(settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(alerts.ADDRESSES, f"json://{receiver.host}/")
    alerts.send(settings, [ALERT])
    alerts.send(settings, [ALERT, replace(ALERT, key="another")])
    assert len(receiver.posts) == 2


def test_what_could_not_be_sent_is_said_without_the_address_and_tried_again(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(alerts.ADDRESSES, f"json://{SECRET}@127.0.0.1:1/ nonsense://{SECRET}")
    problems = alerts.send(settings, [ALERT])
    assert [problem.rpartition("送达")[2] for problem in problems] == ["第 1 个地址", "第 2 个地址"]
    written = [path.read_text("utf-8") for path in settings.home.rglob("*") if path.is_file()]
    assert SECRET not in "".join([*problems, *written, *(record.getMessage() for record in caplog.records)])
    monkeypatch.setenv(alerts.ADDRESSES, f"json://{receiver.host}/")
    assert alerts.send(settings, [ALERT]) == []
    assert len(receiver.posts) == 1


def test_without_an_address_nothing_is_sent_and_nothing_fails(settings: Settings) -> None:
    assert alerts.send(settings, [ALERT]) == []


def test_a_file_of_addresses_is_for_its_owner_only(tmp_path: Path, settings: Settings, receiver: Receiver) -> None:
    path = tmp_path / "alerts"
    path.write_text(f"json://{receiver.host}/\n")
    path.chmod(0o644)
    settings = settings.model_copy(update={"alert_urls_file": path})
    with pytest.raises(SettingsError, match="chmod 600"):
        alerts.addresses(settings)
    assert "chmod 600" in alerts.send(settings, [ALERT])[0]
    path.chmod(0o600)
    assert alerts.send(settings, [ALERT]) == []


def test_a_closed_gate_and_a_failed_run_are_told_without_what_a_library_said(settings: Settings) -> None:
    def told() -> list[Alert]:
        return [alert for alert in alerts.due(settings) if "报送" not in alert.title]

    append_journal(settings, "started", run_id="1")
    append_journal(settings, "gate_closed", run_id="1", judged_hash="ab")
    append_journal(settings, "ended", run_id="1")
    (closed,) = told()
    assert (closed.key, closed.title) == ("gate_closed ab", "专科指标：质量门关闭，未发布")
    append_journal(settings, "started", run_id="2")
    append_journal(settings, "ended", run_id="2")
    (failed,) = told()
    assert failed.title == "专科指标：运行失败"
    append_journal(settings, "up_to_date")
    assert [alert.title for alert in told()] == ["专科指标：运行逾期"]  # still without a release


def test_a_missing_extract_is_told_after_its_day(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    force = {
        "hqms_front_page": {("A", "2024-01"): "x", ("B", "2024-01"): "x", ("A", "2024-02"): "x", ("C", "2023-09"): "x"}
    }
    monkeypatch.setattr(candidate, "slices_in_force", lambda home: force)

    def told(day: int) -> list[str]:
        found = alerts.due(settings, datetime(2024, 3, day, 4, tzinfo=UTC))
        return [alert.text for alert in found if "报送" in alert.title]

    assert told(15) == []
    (text,) = told(16)
    assert text.startswith("2024-02") and text.endswith("2 家中 1 家未到：B")


def test_a_home_without_a_good_night_is_late(settings: Settings) -> None:
    assert [alert.title for alert in alerts.due(settings)] == ["专科指标：运行逾期"]


def test_what_there_is_reason_for_reaches_the_receiver(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed gate, a month that has not come by its day, a night that is late: each once."""
    monkeypatch.setenv(alerts.ADDRESSES, f"json://{receiver.host}/night")
    force = {"hqms_front_page": {("A", "2024-01"): "x", ("B", "2024-01"): "x", ("A", "2024-02"): "x"}}
    monkeypatch.setattr(candidate, "slices_in_force", lambda home: force)
    append_journal(settings, "started", run_id="1")
    append_journal(settings, "gate_closed", run_id="1", judged_hash="ab")
    append_journal(settings, "ended", run_id="1")
    late = datetime(2024, 3, 16, 4, tzinfo=UTC)
    assert alerts.send(settings, alerts.due(settings, late)) == []
    append_journal(settings, "up_to_date")
    assert alerts.send(settings, alerts.due(settings, late)) == []
    told = [body["title"] for _, body in receiver.posts]
    assert sorted(told) == ["专科指标：报送逾期", "专科指标：质量门关闭，未发布", "专科指标：运行逾期"]


@pytest.mark.parametrize(("month", "before"), [("2024-01", "2023-12"), ("2024-12", "2024-11"), ("2024-10", "2024-09")])
def test_the_month_before(month: str, before: str) -> None:
    assert alerts._month_before(month) == before
