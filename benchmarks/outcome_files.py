"""Three public files of what became of leads, read as a lead scorer may see them.

The files are not part of the project: ``SOURCES`` says where to get each. Columns that were filled
in after the outcome are left out, and a lead whose outcome is open is no label.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# Under which name each file is looked for, and where it comes from.
SOURCES = {
    "x_education": (
        "x_education_leads.csv.gz",
        "Leads.csv of https://www.kaggle.com/datasets/ashydv/leads-dataset (9,240 rows), gzipped",
    ),
    "ficzon": (
        "ficzon_leads.csv.gz",
        "data.csv of https://github.com/vimalraj-cse/SalesForceEffectiveness (7,422 rows), gzipped",
    ),
    "bank": (
        "bank-additional-full.zip",
        "bank-additional-full.csv of https://archive.ics.uci.edu/dataset/222/, zipped",
    ),
}

FILLED_IN_LATER = [
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
    "Last Notable Activity",
    "Last Activity",
]
# What is lost is lost: junk, a mere enquiry, a lead that never answered. Potential, Long Term, both
# In Progress and Open may still become either, so that their labels are unknown.
CONVERTED = ["converted"]
NOT_CONVERTED = ["junk lead", "not responding", "just enquiry", "lost"]


@dataclass(frozen=True)
class OutcomeFile:
    """Leads in the order of time, oldest first.

    Attributes
    ----------
    X : DataFrame of shape (n, p)
        float64 columns are numbers, str columns texts; both may be missing.
    y : int64 array of shape (n,)
        1 for a lead that was won.
    order : str
        What puts the rows in the order of time.
    digest : str
        Changes with any value of X or y.
    """

    name: str
    X: pd.DataFrame
    y: np.ndarray
    order: str
    digest: str


def missing_files(folder: Path, names: list[str]) -> list[str]:
    """Say for each of the files that the folder lacks where to get it and how to name it."""
    return [
        f"{folder / file} is missing: it is {source}"
        for file, source in map(SOURCES.__getitem__, names)
        if not (folder / file).is_file()
    ]


def read_outcomes(name: str, folder: Path) -> OutcomeFile:
    """Read one of the files of ``SOURCES`` from the folder."""
    X, won, order = _READERS[name](folder / SOURCES[name][0])
    typed = {c: "float64" if pd.api.types.is_numeric_dtype(X[c]) else "str" for c in X}
    X = X.astype(typed).reset_index(drop=True)
    y = won.to_numpy().astype("int64")
    hashed = pd.util.hash_pandas_object(X, index=False).to_numpy()
    digest = hashlib.sha256(hashed.tobytes() + y.tobytes() + repr(typed).encode()).hexdigest()
    return OutcomeFile(name, X, y, order, digest[:10])


Read = tuple[pd.DataFrame, pd.Series, str]


def _x_education(path: Path) -> Read:
    leads = pd.read_csv(path).sort_values("Lead Number", kind="stable")
    X = leads.drop(columns=["Prospect ID", "Lead Number", "Converted", *FILLED_IN_LATER])
    return X, leads["Converted"] == 1, "Lead Number, which counts up; the file has no date"


def _ficzon(path: Path) -> Read:
    leads = pd.read_csv(path)
    status = leads["Status"].str.strip().str.lower()
    leads = leads[status.isin(CONVERTED + NOT_CONVERTED)]
    created = pd.to_datetime(leads["Created"], format="%d-%m-%Y %H:%M").sort_values(kind="stable")
    leads = leads.loc[created.index]
    X = leads[["Product_ID", "Source", "Sales_Agent", "Location", "Delivery_Mode"]].copy()
    X["Product_ID"] = X["Product_ID"].map("product {:.0f}".format, na_action="ignore")
    X["hour"] = created.dt.hour
    X["weekday"] = created.dt.day_name()
    return X, status[X.index].isin(CONVERTED), "Created"


def _bank(path: Path) -> Read:
    calls = pd.read_csv(path, sep=";")
    return calls.drop(columns=["duration", "y"]), calls["y"] == "yes", "the order of the rows"


_READERS: dict[str, Callable[[Path], Read]] = {
    "x_education": _x_education,
    "ficzon": _ficzon,
    "bank": _bank,
}
