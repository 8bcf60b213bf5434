"""What the routes about users, keys, sessions and the audit take and give."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from leadscore.store.access.api_keys import DAYS, MOST_DAYS
from leadscore.store.access.passwords import LONGEST, SHORTEST
from leadscore.store.access.users import RESERVED
from leadscore.web.payloads import STRICT

# A query comes as text, which strict models don't take for numbers.
_QUERY = ConfigDict(extra="forbid", frozen=True)

# Moments outside of these can't be turned into UTC.
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)

_Role = Annotated[
    Literal["viewer", "officer", "administrator", "auditor"],
    Field(description="viewer 只看，officer 登记，administrator 管理，auditor 审计（只读）"),
]
_Name = Annotated[str, Field(min_length=1, max_length=64, examples=["li.na"])]
# The patterns of JSON Schema have no flag for either case.
_RESERVED = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in name) for name in RESERVED)
_NewName = Annotated[
    _Name,
    Field(pattern=r"^\w[\w.@-]*$", json_schema_extra={"not": {"pattern": f"^({_RESERVED})$"}}),
]
_Plain = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
_Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
_Lang = Annotated[Literal["zh", "en"] | None, Field(description="回答的语言 Language")]


class LogIn(BaseModel):
    """Name and password."""

    model_config = STRICT

    name: _Name
    password: str = Field(min_length=1, max_length=LONGEST)


class Me(BaseModel):
    """Who calls."""

    model_config = STRICT

    actor: str = Field(examples=["li.na"])
    role: _Role
    permissions: list[str] = Field(examples=[["read", "score", "signed_in"]])
    csrf_token: str | None = Field(
        description="浏览器的写入请求须在 X-CSRF-Token 里带上它；密钥不用。 A browser sends it "
        "with every writing, in X-CSRF-Token; null for keys, which need none."
    )


class NewPassword(BaseModel):
    """The secret of a one-time link (what follows the #), and a password."""

    model_config = STRICT

    token: str = Field(min_length=1, max_length=100)
    password: str = Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="不含用户名，不是常见的密码。 Without the user's name, not often used.",
    )


class PasswordChange(BaseModel):
    """The password that one has, and the one to come."""

    model_config = STRICT

    present: str = Field(min_length=1, max_length=LONGEST)
    password: str = Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="不含用户名，不是常见的密码。 Without the user's name, not often used.",
    )


class ProviderAnswer(BaseModel):
    """What a provider sends a browser back with; it may add more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: str | None = Field(default=None, max_length=200, description="As it was given.")
    code: str | None = Field(default=None, max_length=4096, description="Good once.")
    iss: str | None = Field(default=None, max_length=2000, description="Who answers (RFC 9207).")
    error: str | None = Field(default=None, max_length=200, description="Why there is no code.")


class PasswordSet(BaseModel):
    """Whose password was set."""

    model_config = STRICT

    name: str


class NewUser(BaseModel):
    """Somebody to invite."""

    model_config = ConfigDict(
        **STRICT, json_schema_extra={"examples": [{"name": "li.na", "role": "officer"}]}
    )

    name: _NewName
    role: _Role


class UserChange(BaseModel):
    """What is to change; what isn't named stays."""

    model_config = STRICT

    role: _Role | None = None
    disabled: bool | None = None


class UserAnswer(BaseModel):
    """A user."""

    model_config = STRICT

    name: str
    role: _Role
    state: Literal["invited", "active", "disabled"]
    created_at: _Moment
    link_until: _Moment | None = Field(description="Until when the one-time link can be used.")


class UsersAnswer(BaseModel):
    """All users by name."""

    model_config = STRICT

    users: list[UserAnswer]


class Invitation(BaseModel):
    """A user and their one-time link."""

    model_config = STRICT

    user: UserAnswer
    link: str | None = Field(
        description="一次有效的链接，只显示这一次。 Path of a one-time link, shown once: null when "
        "the request is repeated with its Idempotency-Key.",
        examples=["/password#4f9c"],
    )


class NamedPath(BaseModel):
    """The name in the address."""

    name: _Plain


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(
        **STRICT, json_schema_extra={"examples": [{"name": "crm", "role": "viewer", "days": 90}]}
    )

    name: _NewName
    role: _Role
    days: int = Field(default=DAYS, ge=1, le=MOST_DAYS, description="For how long it is good.")


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    model_config = STRICT

    name: str
    prefix: str = Field(description="How the key begins.", examples=["ls_Zk3vQ"])
    role: _Role
    created_at: _Moment
    created_by: str
    expires_at: _Moment
    revoked_at: _Moment | None
    last_used: _Moment | None = Field(description="Right to the hour.")


class KeysAnswer(BaseModel):
    """All keys by name, also those that are worth nothing any more."""

    model_config = STRICT

    keys: list[KeyAnswer]


class MadeKey(BaseModel):
    """A key and its secret."""

    model_config = STRICT

    key: KeyAnswer
    secret: str | None = Field(
        description="密钥，只显示这一次。 The key itself, shown once: null when the request is "
        "repeated with its Idempotency-Key."
    )


class AuditQuery(BaseModel):
    """Which records, the newest first."""

    model_config = _QUERY

    actor: _Plain | None = Field(default=None, description="Only this actor's.")
    action: _Plain | None = Field(default=None, description="Only these acts.")
    since: AwareDatetime | None = Field(
        default=None, ge=_FIRST, le=_LAST, description="Only from this moment on."
    )
    before: int | None = Field(
        default=None, ge=1, le=2**53, description="`next` of the page before."
    )
    limit: int = Field(default=100, ge=1, le=1000)
    lang: _Lang = None


class AuditRecord(BaseModel):
    """One act."""

    model_config = STRICT

    sequence: int
    at: _Moment
    actor: str
    role: str
    action: str = Field(examples=["user.add"])
    object_kind: str | None
    object_id: str | None
    address: str | None
    result: Literal["done", "refused"]
    details: dict[str, Any]


class AuditAnswer(BaseModel):
    """A page of the audit."""

    model_config = STRICT

    records: list[AuditRecord]
    next: int | None = Field(description="`before` of the next page; null on the last one.")
