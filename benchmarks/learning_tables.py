"""The tables of ``learning.py``, written as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from outcome_files import OutcomeFile
from trials import TRAINED_SHARE

UP_TO = 200  # the size up to which a learning curve is averaged
SPLITS = {"fold": "5-fold", "forward": "forward"}
MEASURES = {"auc": "AUC", "average_precision": "av. precision", "log_loss": "log loss"}


def markdown(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    header = list(header)
    print(f"\n**{title}**\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """Return mean measures and median times per file, split and model, in the order measured."""
    groups = trials.assign(split=trials["task"].map(SPLITS)).groupby(
        ["file", "split", "model"], sort=False
    )
    times = groups[["fit_seconds", "predict_seconds_per_million"]].median()
    return groups[list(MEASURES)].mean().join(times).reset_index()


def show_file(outcomes: OutcomeFile, trials: pd.DataFrame) -> None:
    """Print one file's measures by cross-validation and forward in time."""
    means = summary(trials[trials["file"] == outcomes.name]).set_index("model")
    crossed, later = means[means["split"] == "5-fold"], means[means["split"] == "forward"]
    first = int(TRAINED_SHARE * len(outcomes.y))
    title = (
        f"{outcomes.name}: {len(outcomes.y):,} leads, {outcomes.y.mean():.1%} won, "
        f"{outcomes.X.shape[1]} features; forward in time by {outcomes.order} "
        f"({outcomes.y[:first].mean():.1%} won before, {outcomes.y[first:].mean():.1%} after)"
    )
    header = ["model", *(f"{label}, 5-fold" for label in MEASURES.values())]
    header += [*(f"{label}, forward" for label in MEASURES.values()), "fit s", "predict 1 M rows s"]
    rows = [
        [
            model,
            *(f"{crossed.loc[model, m]:.4f}" for m in MEASURES),
            *(f"{later.loc[model, m]:.4f}" for m in MEASURES),
            f"{crossed.loc[model, 'fit_seconds']:.2f}",
            f"{crossed.loc[model, 'predict_seconds_per_million']:.2f}",
        ]
        for model in crossed.index
    ]
    markdown(title, header, rows)


def show_gaps(trials: pd.DataFrame, own: list[str]) -> None:
    """Print how far each of our own models is from the best peer on each file and split.

    The standard error is that of the mean difference over the folds.
    """
    rows = []
    folded = trials.assign(split=trials["task"].map(SPLITS))
    for (file, split), group in folded.groupby(["file", "split"], sort=False):
        auc, loss = (
            group.pivot_table(index="seed", columns="model", values=measure, sort=False)
            for measure in ("auc", "log_loss")
        )
        if set(auc) == set(own):
            continue
        rows += [[file, split, model, *_gap(model, own, auc, loss)] for model in own]
    header = ["file", "split", "model", "AUC", "best peer", "behind"]
    header += ["log loss", "best peer", "above it", "naive Bayes or regression with no less AUC"]
    markdown("How far from the best of all peers", header, rows)


def _gap(model: str, own: list[str], auc: pd.DataFrame, loss: pd.DataFrame) -> list[str]:
    peer_auc, peer_loss = auc.drop(columns=own).mean(), loss.drop(columns=own).mean()
    best, least = peer_auc.idxmax(), peer_loss.idxmin()
    behind = auc[best] - auc[model]
    above = (loss[model] - loss[least]) / loss[least].mean()
    plain = [name for name in peer_auc.index if name.startswith(("logistic", "naive"))]
    ahead = [name for name in plain if peer_auc[name] >= auc[model].mean()]
    return [
        f"{auc[model].mean():.4f}",
        f"{best} {peer_auc[best]:.4f}",
        f"{behind.mean():+.4f}" + _error(behind, ".4f"),
        f"{loss[model].mean():.4f}",
        f"{least} {peer_loss[least]:.4f}",
        f"{above.mean():+.2%}" + _error(above, ".2%"),
        ", ".join(ahead) or "none",
    ]


def _error(differences: pd.Series, form: str) -> str:
    if len(differences) < 2:
        return ""
    return f" ± {differences.std() / math.sqrt(len(differences)):{form}}"


def curve(trials: pd.DataFrame, ours: str) -> pd.DataFrame:
    """Return the mean log loss per model and size, with its difference to the card.

    A model that ran fewer draws than the card is compared on those that it ran: its mean is the
    card's over all draws plus the mean difference to the card over its own.

    Returns
    -------
    DataFrame
        One row per model and n: loss, difference, error (standard error of the difference), draws.
    """
    trials = trials.assign(n=trials["task"].str.removeprefix("curve ").astype(int))
    losses = trials.pivot_table(index=["n", "seed"], columns="model", values="log_loss", sort=False)
    own = losses[ours]
    found = []
    for model in losses:
        behind = (losses[model] - own).dropna()
        for n, part in behind.groupby("n"):
            error = part.std() / math.sqrt(len(part)) if len(part) > 1 else np.nan
            loss = own.loc[n].mean() + part.mean()
            found.append((model, n, loss, part.mean(), error, len(part)))
    return pd.DataFrame(found, columns=["model", "n", "loss", "difference", "error", "draws"])


def means_up_to(points: pd.DataFrame) -> pd.DataFrame:
    """Return per model the mean loss and difference over the sizes up to 200, best first."""
    few = points[points["n"] <= UP_TO].assign(variance=points["error"] ** 2)
    means = few.groupby("model").agg(
        loss=("loss", "mean"),
        difference=("difference", "mean"),
        error=("variance", lambda v: math.sqrt(v.sum()) / len(v)),
    )
    return means.sort_values("loss")


def show_curve(outcomes: OutcomeFile, trials: pd.DataFrame, ours: str) -> None:
    """Print one file's learning curve, the best mean first."""
    points = curve(trials[trials["file"] == outcomes.name], ours)
    wide = points.pivot_table(index="model", columns="n", values="loss")
    rows = [
        [
            model,
            *(f"{loss:.4f}" for loss in wide.loc[model]),
            f"{mean.loss:.4f}",
            "" if model == ours else f"{mean.difference:+.4f} ± {mean.error:.4f}",
            points.loc[points["model"] == model, "draws"].max(),
        ]
        for model, mean in means_up_to(points).iterrows()
    ]
    header = ["log loss", *(f"n = {n}" for n in wide), f"mean to {UP_TO}", f"to {ours}", "draws"]
    markdown(f"{outcomes.name}: learning curve", header, rows)


def show_ranks(trials: pd.DataFrame, ours: str) -> None:
    """Print the mean over the files and the rank on each."""
    files = list(dict.fromkeys(trials["file"]))
    means = {file: means_up_to(curve(trials[trials["file"] == file], ours)) for file in files}
    ranks = pd.DataFrame({file: mean["loss"].rank() for file, mean in means.items()})
    losses = pd.DataFrame({file: mean["loss"] for file, mean in means.items()}).mean(axis=1)
    rows = [
        [model, f"{loss:.4f}", *(f"{ranks.loc[model, file]:.0f}" for file in files)]
        for model, loss in losses.sort_values().items()
    ]
    header = ["model", f"mean log loss, n = 25 to {UP_TO}", *(f"rank on {file}" for file in files)]
    markdown("All files", header, rows)
