"""A person at a browser: sign in, sort, go down to cases, download, verify; nothing overflows, no chart is empty."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright
from served_certificate import CERTIFICATE
from served_site import Site, open_site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed on this system")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return open_site(tmp_path / "home", hosts=["127.0.0.1"])


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """Where the service listens: a port of the loopback that was free."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(site.app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1366, "height": 768}, java_script_enabled=True).new_page()
        browser.close()


def _is_whole(page: Page) -> None:
    """Nothing sticks out to the right, and every picture is drawn."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    drawn = page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth > 100)")
    assert all(drawn), page.url


def test_from_signing_in_to_verifying(site: Site, address: str, page: Page, tmp_path: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("warning", "error") else None)
    page.goto(address)
    page.get_by_label("令牌").fill(site.tokens["all"])
    page.get_by_role("button", name="登录").click()
    _is_whole(page)

    page.get_by_role("rowheader").get_by_role("link", name=CERTIFICATE).click()
    _is_whole(page)
    page.get_by_role("link", name="国家项目 普通外科").click()
    _is_whole(page)
    assert page.locator("tbody th").all_inner_texts()[:2] == ["乙医院", "甲医院"]
    page.get_by_role("link", name="总分").click()
    page.get_by_role("link", name="总分").click()
    assert page.locator("tbody th").all_inner_texts()[:2] == ["甲医院", "乙医院"], "the second time the other way round"

    page.get_by_role("link", name="甲医院").click()
    _is_whole(page)
    page.get_by_role("link", name="CMI").click()
    _is_whole(page)
    assert page.locator("img").count() == 2
    page.get_by_role("link", name="病例 甲医院").click()
    _is_whole(page)
    assert page.locator("tbody tr").count() == 100
    page.get_by_role("link", name="下一页").click()
    assert page.locator("tbody tr").count() == 20

    page.get_by_role("link", name=CERTIFICATE).click()
    page.locator("summary", has_text="全部数值").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="data/fct_item.parquet").click()
    file = tmp_path / "fct_item.parquet"
    started.value.save_as(file)
    assert file.read_bytes() == (site.certified / CERTIFICATE / "data" / "fct_item.parquet").read_bytes()

    page.get_by_role("link", name="核验").click()
    _is_whole(page)
    assert "与签发时一致，并且有效" in page.inner_text("main")
    assert complaints == [], "nothing was held back by the policy of the pages"


def test_the_keyboard_reaches_the_content_first(site: Site, address: str, page: Page) -> None:
    page.goto(f"{address}/login")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "token"
    page.keyboard.type(site.tokens["hospital"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    assert "HOSPITAL-A" in page.inner_text("header")
