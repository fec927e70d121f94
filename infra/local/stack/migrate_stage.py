"""Migrates a stage's catalog around a deployment. Run by the environment's Python, which has boto3.

`before` gives the new binary to the stage's migrator alone and runs it: the schema moves while the old code serves, as every migration must
allow (docs/migrations). A stage that has no migrator yet is migrated `after` its first deployment, which is before anybody can use it.
"""

import io
import sys
import time
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def main(stack: str, when: str, binary: "str | None" = None) -> int:
    function = f"{stack}-migrator"
    try:
        client = boto3.client("lambda", config=Config(read_timeout=310, retries={"total_max_attempts": 1}))
        if when == "before" and not _give(client, function, binary):
            print(f"{function} does not exist yet: the catalog is migrated after the first deployment")
            return 0
        answer = client.invoke(FunctionName=function, Payload=b'{"action": "migrate"}')
    except (BotoCoreError, ClientError) as error:
        print(f"{function}: {error}", file=sys.stderr)
        return 1
    print(f"{function}: {answer['Payload'].read().decode()}")
    return 1 if "FunctionError" in answer else 0


def _give(client, function: str, binary: str) -> bool:
    """Replaces the function's code and waits until it is in place; False where there is no such function."""
    try:
        client.update_function_code(FunctionName=function, ZipFile=_zipped(binary))
    except client.exceptions.ResourceNotFoundException:
        return False
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    return True


def _zipped(binary: str) -> bytes:
    """The archive that Lambda takes: one executable file named bootstrap."""
    archive = io.BytesIO()
    entry = zipfile.ZipInfo("bootstrap", time.gmtime()[:6])
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as file, open(binary, "rb") as source:
        file.writestr(entry, source.read())
    return archive.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
