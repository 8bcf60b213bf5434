"""From the settings to who may come into the service, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from leadscore.console import tell
from leadscore.errors import Detail, SettingsError
from leadscore.language import Lang, Text

if TYPE_CHECKING:
    from leadscore.settings import Settings
    from leadscore.store.engine.database import Database
    from leadscore.web.access.callers import Access
    from leadscore.web.access.oidc.provider import Provider

_MOST_BYTES = 4096
_UNREADABLE = Text(
    zh="客户端密码文件读不出来，或第一行是空的",
    en="the file of the client's secret can't be read, or its first line is empty",
)
_A_SECRET = Text(zh="文本文件，第一行是密码", en="a text file whose first line is the secret")
_NO_EXTRA = Text(
    zh="统一登录（OIDC）已设置，但没有安装附加包：pip install leadscore[oidc]。密码登录不受影响。",
    en="OIDC is set up, but its extra isn't installed: pip install leadscore[oidc]. Passwords work "
    "meanwhile.",
)


def access_of(settings: Settings, database: Database, *, demo: bool, lang: Lang) -> Access:
    """Return who may come into a service over a database.

    Raises
    ------
    SettingsError
        If the file of the client's secret can't be read.
    """
    from leadscore.cli.acting import audit_trail
    from leadscore.store.access.attempts import Lockout
    from leadscore.store.access.sessions import Limits
    from leadscore.web.access.callers import Access

    access = Access(
        database,
        audit_trail(settings),
        lambda: datetime.now(UTC),
        limits=Limits(
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_hours),
        ),
        lockout=Lockout(
            settings.lockout_failures,
            timedelta(seconds=settings.lockout_seconds),
            timedelta(minutes=settings.lockout_longest_minutes),
        ),
        provider=None if demo else _provider(settings),
        demo=demo,
    )
    if access.provider is not None and not access.oidc_offered:
        tell(_NO_EXTRA.pick(lang))
    return access


def _provider(settings: Settings) -> Provider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    from leadscore.web.access.oidc.provider import Provider, Registration

    return Provider(
        Registration(
            settings.oidc_issuer,
            settings.oidc_client_id,
            _secret(settings),
            settings.oidc_scopes,
            settings.oidc_name_claim,
            settings.oidc_roles_claim,
            tuple(settings.oidc_roles.items()),
        )
    )


def _secret(settings: Settings) -> str | None:
    path = settings.oidc_client_secret_file
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            first = file.read(_MOST_BYTES).decode().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        first = ""
    if not first:
        detail = Detail("oidc_client_secret_file", str(path), _A_SECRET)
        raise SettingsError(_UNREADABLE, [detail])
    return first
