#!/usr/bin/env python3
"""docs/openapi.json, held to OpenAPI's own schema of version 3.1.

The schema comes from npm, for this test alone (@seriousme/openapi-schema-validator,
by its digest); python3-jsonschema compares. Each schema in the document is held to
JSON Schema 2020-12, too. Nothing is downloaded but that package.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "@seriousme/openapi-schema-validator@2.11.0"
SHA256 = "70f69d93ee8a9fd7ac0dbbef98288a49c3120ce7076006e5ff336e131266cd2e"
DRAFT = jsonschema.Draft202012Validator


def schema_of_openapi():
    if not shutil.which("npm"):
        sys.exit("npm is missing: it brings OpenAPI's schema")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--ignore-scripts", PACKAGE],
            cwd=folder, check=True, capture_output=True, text=True)
        archive = pathlib.Path(folder, packed.stdout.split()[-1])
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{PACKAGE} is not what was read when this was written")
        with tarfile.open(archive) as files:
            return json.load(
                files.extractfile("package/schemas/v3.1/schema.json"))


def schemas_in(value, at=()):
    """(path, schema) of each value that stands where a schema does."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "schema" or at[-2:] == ("components", "schemas"):
                yield at + (key,), inner
            yield from schemas_in(inner, at + (key,))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from schemas_in(inner, at + (number,))


def problems_of(document, schema):
    for error in DRAFT(schema).iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
    for path, inner in schemas_in(document):
        for error in DRAFT(DRAFT.META_SCHEMA).iter_errors(inner):
            yield f"{'/'.join(map(str, path))}: {error.message[:200]}"


def main():
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    schema = schema_of_openapi()
    problems = list(problems_of(document, schema))
    # That it can fail, in both halves.
    for spoil in (lambda d: d["info"].pop("title"),
                  lambda d: d["paths"].update({"no-slash": {}}),
                  lambda d: next(s for _, s in schemas_in(d)).update(
                      {"type": "strin"})):
        spoiled = json.loads(json.dumps(document))
        spoil(spoiled)
        if not list(problems_of(spoiled, schema)):
            problems.append("a spoiled document passes")
    print("\n".join(problems) or
          f"{len(document['paths'])} paths, "
          f"{len(list(schemas_in(document)))} schemas: valid")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
