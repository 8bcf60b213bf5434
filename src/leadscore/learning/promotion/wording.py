"""Names features and shows their values as a person reads them, whatever table they come from."""

from __future__ import annotations

from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Text


def feature_name(key: str) -> Text:
    """Return what a feature measures, or its bare name if the catalogue does not know it.

    >>> feature_name("registered_capital_cny").en
    '“registered capital in yuan”'
    """
    known = CATALOGUE.get(key)
    name = known.meaning if known else Text(zh=key, en=key)
    return Text(zh=f"“{name.zh}”", en=f"“{name.en}”")


def feature_value(key: str, value: float) -> Text:
    """Return a value with its unit, or with three digits if the catalogue does not know it.

    >>> feature_value("registered_capital_cny", 5e7).zh, feature_value("x", 0.25).zh
    ('5,000万元', '0.25')
    """
    known = CATALOGUE.get(key)
    if known is None:
        return Text(zh=f"{value:.3g}", en=f"{value:.3g}")
    return Text(zh=known.show(value, "zh"), en=known.show(value, "en"))


def listed(texts: list[Text], most: int = 3) -> Text:
    """Join sentences; of many, the first ones and how many more there are."""
    more = len(texts) - most
    zh = "".join(text.zh for text in texts[:most])
    en = " ".join(text.en for text in texts[:most])
    if more > 0:
        zh, en = f"{zh}另有{more}处。", f"{en} There are {more} more."
    return Text(zh=zh, en=en)
