"""Holds OpenAPI 3.1 documents against the standard, by openapi-spec-validator, in the environment under .local/venv.

Reads {name: document} from standard input; prints every mistake, and exits with 1 where there is one.
"""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator


def mistakes(documents: dict) -> list:
    """One line for each, with the place in the document."""
    found = ((name, error) for name, document in documents.items() for error in OpenAPIV31SpecValidator(document).iter_errors())
    return [f"{name} {'/'.join(map(str, error.absolute_path))}: {error.message.splitlines()[0]}" for name, error in found]


if __name__ == "__main__":
    told = mistakes(json.load(sys.stdin))
    print("\n".join(told))
    sys.exit(1 if told else 0)
