"""Corrections: what officers know better of a firm than its lists, and the firm with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from leadscore.lists.cleaning import Firm, clean_records
from leadscore.lists.columns import CANONICAL
from leadscore.lists.dedupe import normal_name_of
from leadscore.lists.values.places import province_name

CORRECTABLE: Mapping[str, tuple[str, ...]] = {
    "business": ("main_business", "profile", "business_scope", "chain_node", "industry"),
    "scale": (
        "registered_capital_cny", "paid_in_capital_cny", "revenue_cny", "revenue_growth",
        "net_profit_cny", "staff", "insured_staff", "branches", "founded_on",
    ),
    "capability": ("titles", "funding", "listed_on", "patents", "rd_share"),
    "origin": ("province", "city", "event", "referred_by", "intended_investment_cny"),
    "risk": ("status", "risk"),
}  # fmt: skip
"""The columns that scoring reads and an officer may correct, as they stand on pages."""

COLUMNS = tuple(name for names in CORRECTABLE.values() for name in names)
JUDGED = ("segments", "role", "use", "grade", "reason")
"""What may be corrected beside columns: ``reason`` is a feature that is to count as unknown."""

_REGION = ("province", "province_code", "city", "city_code")
_DAYS = frozenset(each.name for each in CANONICAL if each.kind == "date")


class Correction(NamedTuple):
    """What counts of a firm from a day on in the place of what its lists or the machine say.

    ``value`` is as JSON has it: of a column as the store keeps it, None for not known; of
    ``segments`` a list of ids; of ``reason`` the id of a feature.
    """

    field: str
    value: Any
    on: date
    by: str
    reason: str


def values_of(corrections: Iterable[Correction]) -> dict[str, Any]:
    """Return what corrections put into the record of a firm, None for what it loses.

    >>> one = Correction("staff", 80.0, date(2026, 11, 24), "li.na", "asked them")
    >>> values_of([one, one._replace(field="segments", value=["wind.blades"])])
    {'staff': 80.0, 'segments': 'wind.blades', 'corrected_on': '2026-11-24'}
    """
    values: dict[str, Any] = {}
    unfounded: list[str] = []
    last = date.min
    for correction in corrections:
        name, value = correction.field, correction.value
        if name == "reason":
            unfounded.append(value)
        else:
            values[name] = ";".join(value) if name == "segments" else value
        last = max(last, correction.on)
    if unfounded:
        values["unfounded"] = ";".join(unfounded)
    if values:
        values["corrected_on"] = last.isoformat()
    return values


def corrected(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with what `values_of` gives: both as JSON has them, or both as scored.

    Another city brings its province and its codes; another province lets go a city elsewhere.
    """
    given = dict(values)
    whole = dict(record)
    if "province" in given or "city" in given:
        province, city = given.pop("province", None), given.pop("city", None)
        region = _region(province, city)
        if city is None and "city" not in values and _inside(record, region):
            region = {**region, **{name: record[name] for name in ("city", "city_code")}}
        if "province" not in values and city is None:  # only the city is not known
            region = {name: record[name] for name in _REGION[:2] if name in record}
        for name in _REGION:
            whole.pop(name, None)
        given |= region
    whole |= given
    return {name: value for name, value in whole.items() if value is not None}


def _inside(record: Mapping[str, Any], region: Mapping[str, Any]) -> bool:
    code = region.get("province_code")
    return bool(code and str(record.get("city_code", "")).startswith(str(code)))


@lru_cache(maxsize=1024)
def _region(province: str | None, city: str | None) -> Mapping[str, Any]:
    # By the reader of lists, of a firm whose name says nothing of where it is.
    given = {"name": "某公司", "province": province, "city": city}
    (clean,) = clean_records([given], today=date.max)
    region = {name: clean.firm[name] for name in _REGION if name in clean.firm}
    return region | {"province": name} if (name := province_name(region)) else region


def as_scored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with days as days, as firms have them when they are scored."""
    return {
        name: date.fromisoformat(value) if name in _DAYS and isinstance(value, str) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class KnownCorrections:
    """The corrections that count on a day, by the firms' credit codes and normal names.

    A name that several firms of the store bear names none of them. ``by_name`` has the credit code
    of the firm, too: one that is listed with another code is another.
    """

    by_code: Mapping[str, tuple[Correction, ...]] = field(default_factory=dict)
    by_name: Mapping[str, tuple[str | None, tuple[Correction, ...]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether anything was corrected."""
        return bool(self.by_name)

    def of(self, firm: Mapping[str, Any]) -> tuple[Correction, ...]:
        """Return those of a firm of any list; none for a firm that nobody has corrected."""
        if not self.by_name:
            return ()
        code = firm.get("credit_code")
        if code is not None and code in self.by_code:
            return self.by_code[code]
        known, corrections = self.by_name.get(normal_name_of(str(firm["name"])), (None, ()))
        return corrections if code is None or known is None else ()

    def applied(self, firm: Firm) -> tuple[Firm, tuple[Correction, ...]]:
        """Return a firm of a list as it is to be scored, and what was corrected."""
        corrections = self.of(firm)
        if not corrections:
            return firm, ()
        return corrected(firm, as_scored(values_of(corrections))), corrections


NO_CORRECTIONS = KnownCorrections()
