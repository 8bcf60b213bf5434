"""What each setting may hold, in words of both languages."""

from __future__ import annotations

from leadscore.language import Text

ALLOWED: dict[str, Text] = {
    "home": Text(zh="文件夹的路径", en="the path of a folder"),
    "database": Text(
        zh="sqlite:///文件路径，或 postgresql://用户:密码@主机:端口/数据库",
        en="sqlite:///path/of/a/file, or postgresql://user:password@host:port/database",
    ),
    "key_file": Text(zh="密钥文件的路径", en="the path of a key file"),
    "city": Text(zh="城市画像文件的路径", en="the path of a city profile"),
    "lang": Text(zh="zh 或 en", en="zh or en"),
    "host": Text(zh="监听地址，例如 127.0.0.1", en="an address to listen on, such as 127.0.0.1"),
    "port": Text(zh="0 到 65535 的整数", en="a whole number from 0 to 65535"),
    "threads": Text(zh="1 到 256 的整数", en="a whole number from 1 to 256"),
    "target": Text(
        zh="signed、registered、building 或 producing",
        en="signed, registered, building or producing",
    ),
    "horizon_days": Text(zh="1 到 3650 的整数（天）", en="a whole number of days from 1 to 3650"),
    "prior_strength": Text(
        zh="1 到 1000000 的数（专家意见相当于多少家结果）",
        en="a number from 1 to 1000000 (how many outcomes the experts' word counts for)",
    ),
    "settings": Text(zh="设置文件（TOML）的路径", en="the path of a file of settings (TOML)"),
    "session_idle_minutes": Text(
        zh="1 到 1440 的整数（分钟）", en="a whole number of minutes from 1 to 1440"
    ),
    "session_hours": Text(zh="1 到 168 的整数（小时）", en="a whole number of hours from 1 to 168"),
    "lockout_failures": Text(zh="1 到 100 的整数（次）", en="a whole number from 1 to 100"),
    "lockout_seconds": Text(
        zh="1 到 3600 的整数（秒）", en="a whole number of seconds from 1 to 3600"
    ),
    "lockout_longest_minutes": Text(
        zh="1 到 1440 的整数（分钟）", en="a whole number of minutes from 1 to 1440"
    ),
    "trusted_proxies": Text(
        zh="0 到 10 的整数（前面有几层可信的代理）",
        en="a whole number from 0 to 10 (how many proxies of yours stand in front)",
    ),
    "proxy_addresses": Text(
        zh="代理的 IP 地址或网段，以逗号分隔，例如 127.0.0.1, 10.0.0.0/24；不能是所有地址",
        en="addresses or networks of your proxies with commas between, such as 127.0.0.1, "
        "10.0.0.0/24; not every address there is",
    ),
    "proxy_user_header": Text(
        zh="代理写入用户名的请求头，例如 X-Forwarded-User；不能是浏览器自己会发送的",
        en="the header into which your proxy writes the user's name, such as X-Forwarded-User; no "
        "header that browsers send themselves",
    ),
    "proxy_groups_header": Text(
        zh="代理写入用户所属组的请求头，例如 X-Forwarded-Groups，组名以逗号分隔",
        en="the header into which your proxy writes the user's groups with commas between, such as "
        "X-Forwarded-Groups",
    ),
    "proxy_roles": Text(
        zh="组=角色，以分号分隔，组名不含逗号；角色为 viewer、officer、administrator 或 auditor",
        en="group=role with semicolons between, no comma in a group; roles: viewer, officer, "
        "administrator, auditor",
    ),
}
"""What each setting may hold."""

_A_SETTING = Text(
    zh="README“设置”一节所列的名称，小写，不带 LEADSCORE_",
    en="a name of the README's table of settings, in small letters, without LEADSCORE_",
)
_PROXY_INSTEAD = Text(
    zh="请删去；统一登录改由本单位的反向代理完成（LEADSCORE_PROXY_USER_HEADER 与 "
    "LEADSCORE_PROXY_ADDRESSES，见 docs/running.zh-CN.md）",
    en="nothing: take it out; the office's own log-in comes through its reverse proxy now, by "
    "LEADSCORE_PROXY_USER_HEADER and LEADSCORE_PROXY_ADDRESSES (see docs/running.md)",
)


def wanted(name: str) -> Text:
    """Return what a setting may hold; of one that is gone what has taken its place."""
    return ALLOWED.get(name) or (_PROXY_INSTEAD if is_gone(name) else _A_SETTING)


def is_gone(name: str) -> bool:
    """Tell whether there was such a setting once."""
    return name.startswith("oidc_")
