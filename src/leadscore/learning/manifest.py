"""What stands beside a saved model and says what it is, so that it can be checked before use."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version as version_of
from typing import Any

from leadscore.errors import Detail, ModelError
from leadscore.language import Text

ARTEFACT = "pipeline.joblib"
MANIFEST = "manifest.json"
_SCHEMA = 1
_LIBRARIES = ("leadscore", "scikit-learn", "numpy", "scipy", "pandas", "joblib")

_DAMAGED = Text(
    zh="模型“{version}”已损坏，不能使用。请换用另一个版本，或从备份恢复该文件夹；"
    "专家模型删去该文件夹后，下次运行会按城市画像重建。",
    en="the model {version} is damaged and must not be used. Use another version, or restore its "
    "folder from a backup; an expert model is built anew from the city profile once its folder "
    "is removed.",
)
_OTHER_LIBRARY = Text(
    zh="模型“{version}”是用另一个版本的 scikit-learn 保存的，不能可靠地读取。"
    "请安装下面写明的版本，或用现在的版本重新生成模型。",
    en="the model {version} was saved with another version of scikit-learn and can't be read "
    "reliably. Install the version named below, or build the model anew with the present one.",
)
_A_MANIFEST = Text(zh="本程序写出的模型清单", en="a manifest as this program writes it")
_SAME_HASH = Text(zh="SHA-256 {sha256}", en="SHA-256 {sha256}")


def composed(version: str, given: Mapping[str, Any], artefact: bytes) -> str:
    """Return the text of a manifest: what the maker says, and what only the shelf knows.

    Parameters
    ----------
    version
        Name of the model.
    given
        Plain JSON values: ``kind``, ``city`` (id and digest), ``created`` (an aware datetime or
        its ISO text), ``scorecard``, and whatever else tells where the model comes from.
    artefact
        The bytes of the saved pipeline.
    """
    created = given["created"]
    if isinstance(created, str):
        created = datetime.fromisoformat(created)
    if created.tzinfo is None:
        msg = "The time of creation needs a time zone."
        raise ValueError(msg)
    content = {
        **given,
        "schema": _SCHEMA,
        "version": version,
        "created": created.isoformat(timespec="seconds"),
        "artefact": {
            "file": ARTEFACT,
            "bytes": len(artefact),
            "sha256": hashlib.sha256(artefact).hexdigest(),
        },
        "libraries": {"python": platform.python_version()}
        | {name: version_of(name) for name in _LIBRARIES},
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def parsed(version: str, content: bytes) -> dict[str, Any]:
    """Return a manifest from its bytes.

    Raises
    ------
    ModelError
        If it isn't JSON, or isn't the manifest of this version.
    """
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested to no end
        raise damaged(version, MANIFEST, str(error), _A_MANIFEST) from error
    if not isinstance(manifest, dict):
        raise damaged(version, MANIFEST, type(manifest).__name__, _A_MANIFEST)
    for key, wanted in (("schema", _SCHEMA), ("version", version)):
        if manifest.get(key) != wanted:
            text = Text(zh=str(wanted), en=str(wanted))
            raise damaged(version, f"{MANIFEST}: {key}", repr(manifest.get(key)), text)
    for key in ("artefact", "libraries"):
        if not isinstance(manifest.get(key), dict):
            got = type(manifest.get(key)).__name__
            raise damaged(version, f"{MANIFEST}: {key}", got, _A_MANIFEST)
    return manifest


def check(manifest: Mapping[str, Any], artefact: bytes) -> None:
    """Refuse an artefact that isn't the one of the manifest, or that can't be read here.

    Raises
    ------
    ModelError
        If the hash differs, or the version of scikit-learn.
    """
    version = manifest["version"]
    wanted = str(manifest["artefact"].get("sha256"))
    found = hashlib.sha256(artefact).hexdigest()
    if found != wanted:
        raise damaged(version, ARTEFACT, f"SHA-256 {found}", _SAME_HASH.format(sha256=wanted))
    saved_with = str(manifest["libraries"].get("scikit-learn"))
    present = version_of("scikit-learn")
    if saved_with != present:
        detail = Detail("scikit-learn", present, Text(zh=saved_with, en=saved_with))
        raise ModelError(_OTHER_LIBRARY.format(version=version), [detail])


def damaged(version: str, file: str, got: str, wanted: Text) -> ModelError:
    """Return the error that says which file of a model is not as it should be."""
    return ModelError(_DAMAGED.format(version=version), [Detail(f"{version}/{file}", got, wanted)])
