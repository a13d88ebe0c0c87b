"""``python -m documents`` writes the generated documents; ``--check`` names those that have fallen behind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from documents import error_procedure, indicator_pages, programme_pages, requirements, source_pages

ROOMS = (source_pages, error_procedure, indicator_pages, programme_pages, requirements)


def written() -> dict[Path, str]:
    """Every generated document as it should read."""
    return {path: text for room in ROOMS for path, text in room.pages().items()}


def fallen_behind(pages: dict[Path, str]) -> list[Path]:
    """Documents that differ from what they should read, and pages of what is no longer registered."""
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
    folders = (indicator_pages.PAGES_DIR, programme_pages.PAGES_DIR)
    return stale + [path for folder in folders for path in sorted(folder.glob("*.md")) if path not in pages]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: a document has fallen behind, or a requirement is not met and says no reason."""
    parser = argparse.ArgumentParser(prog="python -m documents", description="生成契约、指标、方案与要求矩阵的文档")
    parser.add_argument("--check", action="store_true", help="只检查，不改写；有差异时以 1 退出")
    check = parser.parse_args(arguments).check
    pages = written()
    stale = fallen_behind(pages)
    if check:
        for path in stale:
            print(f"{path.name} 与登记不一致，请运行 python -m documents", file=sys.stderr)
    else:
        for path in stale:
            path.parent.mkdir(exist_ok=True)
            if path in pages:
                path.write_text(pages[path], "utf-8")
            else:
                path.unlink()
    faults = requirements.faults()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"生成的文档 {len(pages)} 页，{'不一致' if check else '改写'} {len(stale)} 页")
    return 1 if faults or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
