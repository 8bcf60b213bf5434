"""One firm's name is spelled in many ways; its normal form is the same for all of them."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.lists.values.places import divisions
from leadscore.lists.values.words import INVISIBLE

_LEFT_OUT = re.compile(rf"{INVISIBLE}|[^\w&+#@%*]+")
_LONGEST = 2_000

_FORMS = (
    ("有限责任公司", "有限公司"),
    ("股份公司", "股份有限公司"),
    ("company", "co"),
    ("limited", "ltd"),
    ("incorporated", "inc"),
    ("corporation", "corp"),
)
"""Spellings of one legal form.

By the Company Law of China (2023, article 7) a limited liability company calls itself
有限责任公司 or 有限公司, a joint stock company 股份有限公司 or 股份公司. The two forms are not
made one: a firm changes from the first to the second when it prepares to list, but two firms of
a group may bear the same name in both forms, so that only a common credit code or a former name
tells.
"""

_LEGAL_FORM = r"(?:(?:集团)?(?:股份)?有限公司|集团公司|公司|(?:co)?ltd|inc|corp|llc|gmbh)$"


def normal_name(names: pd.Series) -> pd.Series:
    """Return the normal form of firms' names, by which the same name is known.

    Unicode NFKC, lower case, one spelling of each legal form, without spaces, brackets and other
    punctuation; what stands in the brackets stays.

    Parameters
    ----------
    names
        Text, missing allowed.

    >>> normal_name(
    ...     pd.Series(["罗门哈斯（上海）有限责任公司", "罗门哈斯 (上海) 有限公司"])
    ... ).tolist()
    ['罗门哈斯上海有限公司', '罗门哈斯上海有限公司']
    """
    at, different = pd.factorize(names)
    written = np.array([*map(normal_name_of, different), None], dtype=object)
    return pd.Series(written[at], index=names.index, dtype="str")


def normal_name_of(name: str) -> str:
    """Return the normal form of one name.

    >>> normal_name_of("罗门哈斯（上海）有限责任公司")
    '罗门哈斯上海有限公司'
    """
    key = unicodedata.normalize("NFKC", name[:_LONGEST]).lower()
    key = _LEFT_OUT.sub("", key)
    for spelling, form in _FORMS:
        key = key.replace(spelling, form)
    return key or name


def normal_former_names(former_names: pd.Series) -> pd.Series:
    """Return the normal form of each former name, on the index of its row.

    Parameters
    ----------
    former_names
        Joined by semicolons, missing allowed.

    >>> normal_former_names(pd.Series(["甲公司;乙 公司", None], dtype="str")).to_list()
    ['甲公司', '乙公司']
    """
    given = former_names.dropna()
    return normal_name(given.str.split(";").explode()).dropna().astype("str")


def stem(keys: pd.Series) -> pd.DataFrame:
    """Split normal forms into the place that they begin with and the rest without legal form.

    Parameters
    ----------
    keys
        As `normal_name` gives them, without missing values.

    Returns
    -------
    pandas.DataFrame
        Columns ``place`` (empty if none) and ``stem``, text.

    >>> stem(pd.Series(["江西志浩电子科技有限公司"])).iloc[0].tolist()
    ['江西', '志浩电子科技']
    """
    bare = keys.str.replace(_LEGAL_FORM, "", regex=True)
    places = "|".join(re.escape(name) for name in sorted(divisions().places, key=len, reverse=True))
    # Arrow's own expressions take a thousand alternatives at no cost; Python's do not.
    pattern = f"^(?P<place>(?:(?:{places})[省市]?){{0,2}})(?P<stem>(?s:.+))$"
    split = pc.extract_regex(pa.array(bare, type=pa.large_string()), pattern)
    fields = {name: pc.struct_field(split, name) for name in ("place", "stem")}
    parts: pd.DataFrame = pa.table(fields).to_pandas().set_index(keys.index)
    return parts.fillna({"place": "", "stem": ""})
