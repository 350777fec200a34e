"""Every address of the API with the smallest request that it would take, from its own OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.api import api

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = api.get_openapi_schema()
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (method, path with its parameters in braces, operation)."""
    for path, item in SCHEMA["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def filled(path: str, operation: dict[str, Any], lab: int) -> str:
    """Return the path with the lab's number and a plausible value for each other parameter."""
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        value = lab if name == "lab_id" else sample(parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", str(value))
        elif parameter.get("required"):
            path += f"{'&' if '?' in path else '?'}{name}={value}"
    return path


def body(operation: dict[str, Any]) -> Any:
    """Return the smallest body that has the operation's shape; None when it takes no JSON."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    return sample(content["application/json"]["schema"])


def sample(schema: dict[str, Any]) -> Any:
    """Return the smallest value of a schema."""
    if "$ref" in schema:
        return sample(SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return sample(schema[word][0])
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    if schema.get("type") == "object":
        wanted = schema.get("required", ())
        return {name: sample(schema["properties"][name]) for name in wanted}
    lowest = {"integer": schema.get("minimum", 1), "number": 1, "boolean": True, "array": []}
    return lowest.get(schema.get("type", ""), "n1")
