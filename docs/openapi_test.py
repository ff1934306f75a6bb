#!/usr/bin/env python3
"""What can be said of docs/openapi.json without OpenAPI's own schema, which
tools/openapi.py brings: references, parameters of paths, ids, answers.

usage: openapi_test.py openapi.json
"""

import json
import pathlib
import re
import sys

METHODS = ("get", "put", "post", "patch", "delete", "head")


def problems_of(document):
    if not document.get("openapi", "").startswith("3.1."):
        yield f"version {document.get('openapi')}"
    yield from references(document, document, "#")
    ids = set()
    tags = {tag["name"] for tag in document.get("tags", [])}
    for path, item in document["paths"].items():
        for method in item.keys() & set(METHODS):
            where = f"{method.upper()} {path}"
            operation = item[method]
            yield from operation_problems(
                document, where, path,
                item.get("parameters", []) + operation.get("parameters", []),
                operation)
            if operation.get("operationId") in ids:
                yield f"{where}: a second {operation['operationId']}"
            ids.add(operation.get("operationId"))
            for tag in set(operation.get("tags", [])) - tags:
                yield f"{where}: no tag {tag}"


def references(document, value, at):
    """Each $ref leads somewhere."""
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from references(document, inner, f"{at}/{number}")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "$ref" and found(document, inner) is None:
            yield f"{at}: {inner} leads nowhere"
        yield from references(document, inner, f"{at}/{key}")


def found(document, reference):
    if not reference.startswith("#/"):
        return None
    for word in reference[2:].split("/"):
        word = word.replace("~1", "/").replace("~0", "~")
        if not isinstance(document, dict) or word not in document:
            return None
        document = document[word]
    return document


def operation_problems(document, where, path, parameters, operation):
    parameters = [found(document, one["$ref"]) or {} if "$ref" in one else one
                  for one in parameters]
    if not operation.get("operationId"):
        yield f"{where}: no operationId"
    in_path = {one.get("name") for one in parameters if one.get("in") == "path"}
    if in_path != set(re.findall(r"{(\w+)}", path)):
        yield f"{where}: parameters {sorted(map(str, in_path))}"
    for one in parameters:
        if one.get("in") == "path" and one.get("required") is not True:
            yield f"{where}: {one.get('name')} is not required"
    names = [(one.get("in"), one.get("name")) for one in parameters]
    if len(set(names)) != len(names):
        yield f"{where}: a parameter twice"
    answers = operation.get("responses", {})
    if not any(code.startswith(("1", "2")) for code in answers):
        yield f"{where}: no answer of success"
    for code, answer in answers.items():
        if "$ref" not in answer and not answer.get("description"):
            yield f"{where}: {code} has no description"
    for scheme in (name for one in operation.get("security", [])
                   for name in one):
        if scheme not in document["components"]["securitySchemes"]:
            yield f"{where}: no security scheme {scheme}"


def main():
    document = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    problems = list(problems_of(document))
    for spoil in (lambda d: d["paths"].update(
                      {"/api/v1/x/{id}": {"get": {"operationId": "x",
                                                  "responses": {"200": {}}}}}),
                  lambda d: d.update({"x": {"$ref": "#/components/none"}})):
        spoiled = json.loads(json.dumps(document))
        spoil(spoiled)
        if not list(problems_of(spoiled)):
            problems.append("a spoiled document passes")
    print("\n".join(problems) or f"{len(document['paths'])} paths")
    return 1 if problems or len(document["paths"]) < 25 else 0


if __name__ == "__main__":
    sys.exit(main())
