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
    "oidc_issuer": Text(
        zh="以 https:// 开头的地址（本机可用 http://），不含 ? 和 #",
        en="an address that begins with https:// (http:// on this machine), without ? and #",
    ),
    "oidc_client_id": Text(
        zh="身份提供方登记的客户端标识", en="the id of the client that the provider has registered"
    ),
    "oidc_client_secret_file": Text(
        zh="密码文件的路径，第一行是密码", en="the path of a file whose first line is the secret"
    ),
    "oidc_scopes": Text(
        zh="含 openid，以空格分隔", en="names with spaces between, one of them openid"
    ),
    "oidc_name_claim": Text(zh="声明（claim）的名称", en="the name of a claim"),
    "oidc_roles_claim": Text(zh="声明（claim）的名称", en="the name of a claim"),
    "oidc_roles": Text(
        zh="组=角色，以分号分隔；角色为 viewer、officer、administrator 或 auditor",
        en="group=role with semicolons between; roles: viewer, officer, administrator, auditor",
    ),
}
"""What each setting may hold."""
