"""Builds the wheel of a revision, or of the working tree as it is, and unpacks it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

_KEPT = 8
"""Trees whose wheels stay in the cache."""


class BuildError(RuntimeError):
    """A revision that there is not, or that can't be built."""


@dataclass(frozen=True)
class Built:
    """A tree of files that was built.

    Attributes
    ----------
    tree
        Git's name of the content, whatever the commit.
    source
        All files of it.
    site
        Its wheel, unpacked: what stands on PYTHONPATH.
    """

    tree: str
    source: Path
    site: Path


def build(checkout: Path, revision: str | None, cache: Path) -> Built:
    """Build a revision, or the working tree if none is named; what was built before is kept.

    Raises
    ------
    BuildError
        If git knows no such revision, or no wheel can be made of it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # The working tree is written as a tree of git, beside the repository and not into it.
        environment = os.environ | {
            "GIT_INDEX_FILE": str(Path(scratch) / "index"),
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _git(
                checkout, "rev-parse", "--path-format=absolute", "--git-path", "objects"
            ),
        }
        if revision is None:
            _git(checkout, "read-tree", "HEAD", env=environment)
            _git(checkout, "add", "--all", env=environment)
            tree = _git(checkout, "write-tree", env=environment)
        else:
            tree = _git(checkout, "rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}")
        folder = cache / tree
        built = Built(tree, folder / "source", folder / "site")
        if not built.site.exists():
            cache.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(dir=cache, prefix="making-"))
            try:
                _unpack(checkout, tree, making / "source", environment)
                _make_wheel(making)
                with contextlib.suppress(OSError):  # another run was quicker
                    making.rename(folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)
    os.utime(folder)
    return built


def forget_old(cache: Path, needed: set[str]) -> None:
    """Remove what was built longest ago, but for the trees that are needed."""
    trees = sorted(cache.glob("*/site"), key=lambda site: -site.parent.stat().st_mtime)
    for site in trees[_KEPT:]:
        if site.parent.name not in needed:
            shutil.rmtree(site.parent)


def _unpack(checkout: Path, tree: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["git", "archive", tree], cwd=checkout, env=environment, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _make_wheel(folder: Path) -> None:
    wheels = folder / "wheels"
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel",
            "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", wheels,
            folder / "source",
        ],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        raise BuildError(f"no wheel can be made of {folder.name}:\n{done.stderr[-4000:]}")
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")  # noqa: S202 (just built)
    shutil.rmtree(wheels)


def _git(checkout: Path, *words: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["git", *words], cwd=checkout, env=env, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise BuildError(f"git {' '.join(words)}: {done.stderr.strip() or 'unknown revision'}")
    return done.stdout.strip()
