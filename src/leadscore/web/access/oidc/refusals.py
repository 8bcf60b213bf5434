"""What is said to somebody whom no provider has let in."""

from __future__ import annotations

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.web.access.refusals import ForbiddenError, UnauthorizedError
from leadscore.web.errors import RequestError

_NOT_SET_UP = Text(
    zh="没有设置统一登录（OIDC）。请用密码登录，或请管理员设置 LEADSCORE_OIDC_ISSUER 等。",
    en="logging in through a provider (OIDC) isn't set up. Log in by a password, or have "
    "LEADSCORE_OIDC_ISSUER and the like set.",
)
_NOT_INSTALLED = Text(
    zh="统一登录（OIDC）已设置，但没有安装附加包：pip install leadscore[oidc]。请先用密码登录。",
    en="logging in through a provider (OIDC) is set up, but its extra isn't installed: pip install "
    "leadscore[oidc]. Log in by a password meanwhile.",
)
_DOWN = Text(
    zh="身份提供方 {issuer} 现在不能用（{reason}）。请稍后再试，或用密码登录。",
    en="the provider {issuer} can't be used now ({reason}). Try again later, or log in by a "
    "password.",
)
_NOT_BEGUN = Text(
    zh="这次登录不是在这个浏览器里开始的，或已过 10 分钟。请重新登录。",
    en="this log-in was not begun in this browser, or more than 10 minutes ago. Begin again.",
)
_STATE = Text(zh="登录开始时给出的 state", en="the state that the log-in began with")
_UNPROVED = Text(
    zh="身份提供方的答复没有通过核验（{reason}）。请重新登录；若仍如此，请告诉管理员。",
    en="the provider's answer could not be verified ({reason}). Begin again; if it stays so, tell "
    "an administrator.",
)
_REFUSED = Text(
    zh="身份提供方没有让您登录（{reason}）", en="the provider did not let you in ({reason})"
)
_NO_NAME = Text(
    zh="身份提供方没有给出可用的用户名。请管理员核对 LEADSCORE_OIDC_NAME_CLAIM。",
    en="the provider gave no name that can be used. Have LEADSCORE_OIDC_NAME_CLAIM checked.",
)
_A_NAME = Text(
    zh="用户名；若是 email，须已验证（email_verified）",
    en="a user's name; if it is email, a verified one (email_verified)",
)
_NOT_LET_IN = Text(
    zh="您已通过身份提供方登录，但在这里没有可用的账户。请管理员用这个名称邀请您，或把您所在的组对应到"
    "一个角色。",
    en="the provider knows you, but you may not come in here. Have an administrator invite you by "
    "that name, or give one of your groups a role.",
)


class NotOfferedError(RequestError):
    """A way to log in that isn't set up here."""

    code = "not_found"
    status = 404


class NotInstalledError(RequestError):
    """A way to log in that is set up but lacks its extra."""

    code = "not_implemented"
    status = 501


class ProviderDownError(RequestError):
    """A provider that doesn't answer, or not as it should."""

    code = "unavailable"
    status = 503


def not_set_up() -> NotOfferedError:
    """Return the error where no provider is set up."""
    return NotOfferedError(_NOT_SET_UP)


def not_installed() -> NotInstalledError:
    """Return the error where the extra is missing."""
    return NotInstalledError(_NOT_INSTALLED)


def down(issuer: str, reason: str) -> ProviderDownError:
    """Return the error for a provider that can't be used."""
    return ProviderDownError(_DOWN.format(issuer=issuer, reason=reason))


def not_begun() -> UnauthorizedError:
    """Return the error for an answer that no log-in of this browser has asked for."""
    return UnauthorizedError(_NOT_BEGUN, [Detail("state", "…", _STATE)])


def unproved(reason: str) -> UnauthorizedError:
    """Return the error for an answer that can't be believed."""
    return UnauthorizedError(_UNPROVED.format(reason=reason))


def refused(reason: str) -> UnauthorizedError:
    """Return the error for somebody whom the provider itself didn't let in."""
    return UnauthorizedError(_REFUSED.format(reason=reason))


def no_name(claim: str) -> UnauthorizedError:
    """Return the error for an answer that doesn't say who it is."""
    return UnauthorizedError(_NO_NAME, [Detail(claim, "…", _A_NAME)])


def not_let_in() -> ForbiddenError:
    """Return the error for somebody whom the provider knows and we don't."""
    return ForbiddenError(_NOT_LET_IN)
