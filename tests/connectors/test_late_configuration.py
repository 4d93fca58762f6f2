"""A mistake in a route of the further kinds is told with file and line, and nothing starts."""

from pathlib import Path

import pytest

from connectors.departments.late_fleet import ROUTES, TEMPLATES
from connectors.directory import Directory
from policies.strict_yaml import ConfigurationError
from tests.connectors.asking import ITEMS

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMx1CWkkGkJJ+3eqYRcFKVH4L1ZGgLrJjYbmPJIPTsLh"
"""A public key that nobody uses."""
SECRETS = ("civil-affairs-registration", "ticket-platform-key", "pushing-office-secret")
ALL = (*ROUTES, "tax-manual", "tax-tables", "tax-files-folder")


def routes(name: str, folder: Path) -> str:
    text = (TEMPLATES / f"{name}.yaml.template").read_text(encoding="utf-8")
    for variable in ("civil_affairs_soap", "ticket_platform", "pushing_office", "sftp_port"):
        text = text.replace(f"${variable}", "1")
    return "items:\n" + text.replace("$files_store", str(folder)).replace("$tables_url", f"sqlite:///{folder}/t.sqlite")


def load(folder: Path, text: str) -> Directory:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in SECRETS:
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text("not-a-real-secret\n", encoding="utf-8")
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    return Directory.load(folder / "r.yaml", ITEMS, secrets)


MISTAKES = [
    ("civil-affairs-soap", "{package}</xml>", "</xml>", "package is configured but stands nowhere"),
    ("civil-affairs-soap", "{registration}", "{secret}", "no placeholder {secret}"),
    ("civil-affairs-soap", "registration: civil-affairs-registration", "", "no placeholder {registration}"),
    ("civil-affairs-soap", "{person.id_number}", "1", "whose records would come back"),
    ("civil-affairs-soap", "</q:query>", "", "not well-formed XML"),
    ("civil-affairs-soap", "<PACKAGE>\n", "<!DOCTYPE x><PACKAGE>\n", "not well-formed XML: xml_dtd_or_entity"),
    ("civil-affairs-soap", "format: xml", "format: json", "the document inside a SOAP answer is xml"),
    ("civil-affairs-soap", '"-20": denied', '"0000": denied', "cannot mean"),
    ("civil-affairs-soap", "http://127.0.0.1", "http://10.0.0.1", "plain http to another machine"),
    ("ticket-platform", 'poll", json: {cxsqdh: "{ticket}"}', 'poll", json: {cxsqdh: "1"}', "never names {ticket}"),
    ("ticket-platform", 'poll", json: {', 'poll", json: {x: "{person.name}", ', "a person is not named again"),
    ("ticket-platform", 'zjh: "{person.id_number}"', 'zjh: "{ticket}"', "no placeholder {ticket}"),
    ("ticket-platform", 'ready: ["3"]', 'ready: ["2"]', "one state cannot mean two things"),
    ("ticket-platform", '{"5": timeout}', '{"5": found}', "cannot mean"),
    ("ticket-platform", "poll_seconds: 1", "poll_seconds: 0.1", ">= 1.0"),
    ("ticket-platform", "late: {", "lately: {", "lately"),
    ("ticket-platform", "late: {", "late: {promised: {workdays: 2, at: '17:30'}, ", "nobody waits any more"),
    ("ticket-platform", "late: {", "late: {promised: {workdays: 0, at: '24:00'}, ", "matching regex"),
    ("pushing-office", "secret: pushing-office-secret", "secret: none-such", "here stands a secret's file name"),
    ("pushing-office", "kind: hmac", "kind: key", "no P-256 or Ed25519 public key"),
    ("pushing-office", "kind: hmac", "kind: md5", "Invalid enum value"),
    ("tax-files-folder", 'name: "QQ_{batch}.txt"', 'name: "QQ_{person.name}.txt"', "matching regex"),
    ("tax-files-folder", 'name: "QQ_{batch}.txt"', 'name: "../{batch}.txt"', "matching regex"),
    ("tax-files-folder", '"{call}", ', "", "which answer would be ours"),
    ("tax-files-folder", "outbox: /", "outbox: ", "absolute path"),
    ("tax-files-folder", "question: lsh", "question: lsh2", "there is no column 'lsh2'"),
    ("tax-files-folder", "as_of: sjgxsj", "as_of: sjgxsj2", "there is no column 'sjgxsj2'"),
    ("tax-files-folder", ", jkrq, lxdh", ", lxdh", "there is no column 'jkrq'"),
    ("tax-files-folder", "[lsh, dm,", "[lsh, lsh, dm,", "a column stands twice"),
    ("tax-files-sftp", "host_key: tax-sftp-host-key", "", "`host_key`"),
    ("tax-tables", '"{param.date_from}"', '"x"', "parameter 'date_from' is not sent"),
    ("tax-tables", 'sqs: "{consent}"', 'sqs: "1"', "never says {consent}"),
    ("tax-tables", 'xm: "{person.name}"', 'zt: "{person.name}"', "filled by this kind itself"),
    ("tax-tables", "sqlite:////", "sqlite:///", "absolute path"),
    ("tax-tables", "url: sqlite", "url: oracle", "are not known here"),
    ("tax-tables", "number: sqbh\n", "number: 'sqbh; --'\n", "matching regex"),
    ("tax-manual", "person: person", "person: nsrsbh", "under the name 'person'"),
    ("tax-manual", "{from: paid_date,", "{from: jkrq,", "asks for each field under its own name"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "told"), MISTAKES)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, name: str, right: str, wrong: str, told: str) -> None:
    text = routes(name, tmp_path)
    if name == "tax-tables" and right.startswith(("sqlite", "url")):
        wrong_text = text.replace("sqlite:////", "sqlite:///") if right == "sqlite:////" else text.replace(right, wrong)
    else:
        assert right in text
        wrong_text = text.replace(right, wrong, 1)
    with pytest.raises(ConfigurationError, match=r"r\.yaml:[0-9]+: ") as error:
        load(tmp_path, wrong_text)
    assert told in str(error.value)
    assert "not-a-real-secret" not in str(error.value)


@pytest.mark.parametrize("name", [name for name in ALL if name != "tax-files-sftp"])
async def test_without_the_mistake_it_loads(tmp_path: Path, name: str) -> None:
    directory = load(tmp_path, routes(name, tmp_path))
    assert len(directory.items()) == 1
    await directory.aclose()


@pytest.mark.parametrize(("key", "told"), [("", "is empty"), ("nonsense", "no private key in OpenSSH's form")])
def test_keys_that_cannot_be_read(tmp_path: Path, key: str, told: str) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    for name, content in (("tax-sftp-key", key), ("tax-sftp-host-key", ED25519)):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        load(tmp_path, routes("tax-files-sftp", tmp_path))
