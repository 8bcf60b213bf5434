"""Measures the memory of the service, its worker and their children over files that mean no good.

Starts the real service over an empty home, hands it each file through the page of imports, looks at
the preview, confirms it where it can be confirmed, and prints the largest sum of memory that the
processes held together (proportional set size, from /proc), with the seconds of the preview and of
the import. Linux only. Usage: ``python benchmarks/hostile.py [--files NAME ...] [--no-import]``.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "benchmarks")]

from tests import bad_files as bad  # noqa: E402
from tests.process_tree import Office, Watch, office  # noqa: E402

from leadscore.city import load_city  # noqa: E402
from store import firms  # noqa: E402


def firms_csv(folder: Path, count: int) -> Path:
    """Write an honest list."""
    path = folder / f"firms-{count}.csv"
    firms(count, load_city(HERE / "data" / "cities" / "nanchang.toml")).to_csv(path, index=False)
    return path


def plain_million(folder: Path) -> Path:
    """Write a CSV of a million firms in one short column and a longer one."""
    path = folder / "million.csv"
    rows = (f"第{number}号科技有限公司,电池\n" for number in range(1_000_000))
    path.write_text("企业名称,主营业务\n" + "".join(rows), encoding="utf-8")
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "gzip of 4 million rows": bad.gzip_of_many_rows,
    "gzip of 170,000 equal rows": lambda folder: bad.gzip_of_many_rows(folder, 170_000),
    "gzip of 70 MB of scopes": bad.gzip_of_long_scopes,
    "gzip of 2,000 columns": bad.gzip_of_many_columns,
    "gzip without line ends": bad.gzip_without_line_ends,
    "CSV of a million rows": plain_million,
    "workbook, cell at ZZZZ99": bad.cell_in_a_column_that_no_sheet_has,
    "workbook, two cells far apart": bad.sheet_of_two_cells_far_apart,
    "workbook, one text everywhere": bad.one_long_text_in_every_cell,
    "workbook of a million rows": bad.million_row_workbook,
    "Parquet of 4 million rows": bad.parquet_of_many_rows,
    "Parquet, a dictionary bomb": bad.dictionary_bomb,
    "10,000 honest firms": lambda folder: firms_csv(folder, 10_000),
    "100,000 honest firms": lambda folder: firms_csv(folder, 100_000),
}


def said(html: str) -> str:
    """Return the sentence with which a page refuses a file."""
    if "This file can&#39;t be read" not in html:
        return "preview"
    return re.findall(r"<p>(.*?)</p>", html[html.index('id="unread"') :])[0]


def measure(service: Office, name: str, make: Callable[[Path], Path], *, imports: bool) -> None:
    """Print a line for a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = make(Path(folder))
        size = file.stat().st_size
        with Watch(service.process.pid) as upload:
            answer = service.upload(file)
    if answer.status != 303:
        words = re.sub(r"<.*?>|\s+", " ", answer.text)[:160]
        print(f"  {name:32} {size / 1e3:9,.0f} KB  {answer.status} {words}")
        return
    start = time.perf_counter()
    with Watch(service.process.pid) as look:
        page = service.ask("GET", answer.location)
    seconds, words = time.perf_counter() - start, said(page.text)
    line = (f"  {name:32} {size / 1e3:9,.0f} KB  upload {upload.peak / 1e6:5,.0f} MB, "
            f"preview {look.peak / 1e6:5,.0f} MB {seconds:4.1f} s")  # fmt: skip
    if imports and 'id="confirm"' in page.text:
        start = time.perf_counter()
        with Watch(service.process.pid) as work:
            number = service.confirm(answer.location, page.text)
            state = service.ended(number, 1_200)["state"]
        seconds = time.perf_counter() - start
        line += f", import {work.peak / 1e6:5,.0f} MB {seconds:5.1f} s, {state}"
    print(line, words, sep="  ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="*", default=list(FILES), choices=list(FILES))
    parser.add_argument("--no-import", action="store_true", help="look at previews only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, office(Path(home)) as service:
        with Watch(service.process.pid) as idle:
            service.ask("GET", "/import")
        print(f"idle: {idle.peak / 1e6:,.0f} MB")
        for name in options.files:
            measure(service, name, FILES[name], imports=not options.no_import)


if __name__ == "__main__":
    main()
