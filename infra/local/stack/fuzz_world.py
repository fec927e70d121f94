"""What `make fuzz-api` calls: where it is, as whom, which requests it leaves out, and how its rate limits begin again."""

import json
import re
import urllib.parse
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import emulator
from .api import NO_PROXY, Client

OWNER = "owner@demo.example"
PASSWORD = "fuzzed but not forgotten"
DEMO_TEAM = "019b7700-0000-7000-8000-000000000100"
LINK = re.compile(r"/(experts|workflows)/{\w+}/(services|workflows)/{\w+}$")
"""A path that ties two entities together: to delete it leaves both."""


@dataclass
class World:
    """One deployment, as the requests find it."""

    base: str
    tally: str
    """File that a line is added to for every request and every failure."""
    mailbox: str = ""
    """Folder of one process's mails; empty where they are the emulator's."""
    endpoint: str = ""
    """The emulator's address, and the table that counters are in."""
    counters: str = ""
    database_url: str = ""
    """The one process's database, where its counters are."""
    team: str = DEMO_TEAM
    """Whose everything is."""
    known: dict = field(default_factory=dict)
    """Dictionaries for the parameters: name → ids of what is there."""
    bodies: dict = field(default_factory=dict)
    """Operation → bodies that it takes."""
    kept: list = field(default_factory=list)
    """Ids of what nothing may delete, since all other requests are about it."""

    @classmethod
    def read(cls, path: Path) -> "World":
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2))

    def sign_in(self) -> dict:
        """Access and refresh token of the owner, by the password."""
        self.forget_counters()
        return Client(self.base, headers={}).call("POST", "/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})[1]

    def choose_password(self) -> dict:
        """The first sign-in: a code that is mailed, and the password from then on."""
        self.forget_counters()
        anybody = Client(self.base, headers={})
        anybody.call("POST", "/api/v1/auth/request-otp", {"email": OWNER, "purpose": "reset"})
        answer = {"email": OWNER, "code": code_in(self._last_mail()), "password": PASSWORD}
        return anybody.call("POST", "/api/v1/auth/verify-otp", answer)[1]

    def spares(self, method: str, path: str, parameters: dict) -> bool:
        """Whether a request leaves in place what the others are about.

        The demo team, the owner's place in it, and the entities of the dictionaries are not deleted, nor the owner's role changed: all
        that came after would be 403 and 404. To end a session is let be, since access tokens outlive theirs.
        """
        changes_role = method == "PATCH" and "{member_id}" in path
        if method != "DELETE" and not changes_role or LINK.search(path):
            return True
        named = [str(parameters[name]) for name in re.findall(r"{(\w+)}", path) if name in parameters]
        return not named or urllib.parse.unquote(named[-1]).lower() not in self.kept

    def reaches(self, parameters: dict) -> bool:
        """Whether a request gets as far as a function: a route of the emulator's gateway ends at a line break, and its own 404 is no problem."""
        return not self.endpoint or not any("\n" in urllib.parse.unquote(str(value)) for value in parameters.values())

    def forget_counters(self) -> None:
        """Has everybody's rate limits begin again, in the store that counts: no setting of the product turns them off."""
        if self.counters:
            self._forget_in_table()
        else:
            import psycopg2  # of the environment under .local/venv

            connection = psycopg2.connect(self.database_url)
            with connection, connection.cursor() as cursor:
                cursor.execute("delete from embedded.counters")
            connection.close()

    def _forget_in_table(self) -> None:
        wanted = {"FilterExpression": "begins_with(pk, :c)", "ExpressionAttributeValues": {":c": {"S": "COUNT#"}}}
        found = emulator.json_call(self.endpoint, "dynamodb", "DynamoDB_20120810.Scan", {"TableName": self.counters, **wanted})
        for item in found["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            emulator.json_call(self.endpoint, "dynamodb", "DynamoDB_20120810.DeleteItem", {"TableName": self.counters, "Key": key})

    def _last_mail(self) -> str:
        if self.mailbox:
            return max(Path(self.mailbox).glob("*.eml")).read_text()
        with NO_PROXY.open(f"{self.endpoint}/_ministack/ses/messages", timeout=10) as answer:
            messages = json.loads(answer.read())["messages"]  # account → its mails, the last one last
        return [mail for mails in messages.values() for mail in mails][-1]["BodyText"]


def code_in(mail: str) -> str:
    """The six digits that stand on a line of their own."""
    return re.search(r"^\s+(\d{6})\s*$", mail, re.MULTILINE)[1]
