"""A page on paper: PDF through a headless Chromium, where the machine has one.

Belongs here: finding the browser and running it without a network. Does not belong here: what the page shows; a PDF
carries the time of its making and therefore is never part of what is signed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SECONDS = 300


class PrintingError(RuntimeError):
    """There is no PDF; the message says why and what to do."""


def write_pdf(page: Path, pdf: Path) -> None:
    """Print an HTML file to PDF."""
    if not page.is_file():
        raise PrintingError(f"没有报告页 {page}")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise PrintingError(
            f"本机没有 Chromium（找过：{'、'.join(BROWSERS)}），未生成 PDF；请安装，或用浏览器打开 {page.name} 后打印"
        )
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={pdf.resolve()}",
            page.resolve().as_uri(),
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses to start as root otherwise
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise PrintingError(f"Chromium 在 {_SECONDS} 秒内没有打印完 {page.name}") from error
    if done.returncode or not pdf.is_file():
        raise PrintingError(f"Chromium 未能打印 {page.name}（退出码 {done.returncode}）：{done.stderr.strip()[-300:]}")
