"""The description of the endpoint that the service gives of itself, without help from outside."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import version
from typing import Any

from flask_openapi.models.info import Info
from flask_openapi.models.license import License
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.response import Response
from flask_openapi.openapi import OpenAPI

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.web.errors import REFUSALS, error_body
from leadscore.web.payloads import ErrorAnswer

DOCUMENT = "/openapi"
"""Where the pages of the documentation live."""

MORE_PARAMETERS = "x-more-parameters"
"""Under this name a route lists parameters that no model of it has."""

MORE_ANSWERS = "x-more-answers"
"""Under this name a route lists links and headers of its answers, by status."""

LANGUAGE_PARAMETERS = [
    {
        "name": "lang",
        "in": "query",
        "required": False,
        "description": "回答的语言，先于请求头。 Language of the answer; beats the header.",
        "schema": {"type": "string", "enum": ["zh", "en"]},
    },
    {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "回答的语言。 Language of the answer.",
        "schema": {"type": "string", "examples": ["zh-CN, en;q=0.5"]},
    },
]

SECURITY_SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "密钥 An API key, ls_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-leadscore"},
}
"""How one may say who one is."""

SECURED: list[dict[str, list[Any]]] = [{"key": []}, {"session": []}]
"""What a route that isn't public names in its description."""

# The links are relative, so that the page works at /openapi/ and at /openapi/swagger.
_SCRIPT = (
    'SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", validatorUrl: null, '
    "deepLinking: true})"
)
PAGE = f"""<!DOCTYPE html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>leadscore</title>
<link rel="icon" href="swagger/images/swagger.svg">
<link rel="stylesheet" href="swagger/css/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger/js/swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""
"""The page of the documentation, all of it served from here."""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
PAGE_POLICY = (
    f"default-src 'self'; script-src 'self' 'sha256-{_SCRIPT_HASH}'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the documentation: nothing from elsewhere, one script by its hash."""


class DocumentedService(OpenAPI):
    """A Flask application whose description names the errors that can happen, and no others."""

    def generate_spec_json(self) -> None:
        """Describe the routes; the framework's own 422 goes where we didn't write one."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for path in self.spec_json["paths"].values():
            for operation in path.values():
                # Our own come last: the framework writes its parameters over those that are given.
                more = operation.pop(MORE_PARAMETERS, [])
                if more:
                    operation["parameters"] = [*operation.get("parameters", []), *more]
                for status, also in operation.pop(MORE_ANSWERS, {}).items():
                    operation["responses"][status].update(also)
                described = operation["responses"].get("422", {}).get("content", {})
                if described.get("application/json", {}).get("schema", {}).get("type") == "array":
                    del operation["responses"]["422"]


def leads_to(
    status: int, *links: tuple[str, dict[str, str]], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return how a route says where its answer leads, for ``openapi_extensions``.

    Parameters
    ----------
    status
        Of the answer.
    links
        Each the ``operation_id`` of a route, and expressions for its parameters, as OpenAPI
        defines them for links.
    headers
        What headers of the answer are, by name.
    """
    also: dict[str, Any] = {
        "links": {
            operation: {"operationId": operation, "parameters": parameters}
            for operation, parameters in links
        }
    }
    if headers:
        also["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in headers.items()
        }
    return {MORE_ANSWERS: {str(status): also}}


def service_info() -> Info:
    """Return what the description says of the service as a whole."""
    return Info(
        title="leadscore",
        version=version("leadscore"),
        description="为招商候选企业评分，并说明理由。 "
        "Scores the firms that a city could court, and says why.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
    )


_EXAMPLE_PLACES = {
    400: [Detail("line 1, column 35", "NaN", Text(zh="数字", en="a number"))],
    415: [Detail("Content-Type", "text/plain", Text(zh="JSON", en="application/json"))],
    422: [Detail("firms[0].staff", "true", Text(zh="数字", en="a number, a string or null"))],
}


def refusals(*statuses: int) -> dict[str | int, Response]:
    """Return the description of errors by status, each with its own example."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    described: dict[str | int, Response] = {}
    for status in statuses:
        code, message = REFUSALS[status]
        places = _EXAMPLE_PLACES.get(status, [])
        media = MediaType.model_validate(
            {"schema": schema, "example": error_body(code, message, places, lang="en")}
        )
        described[status] = Response(
            description=f"{message.zh} {message.en}", content={"application/json": media}
        )
    return described
