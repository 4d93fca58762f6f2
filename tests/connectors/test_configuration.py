"""Every mistake in a routes file is refused, with its file and line."""

from pathlib import Path

import pytest

from connectors.directory import Directory
from policies.strict_yaml import ConfigurationError
from tests.connectors.asking import ITEMS, routes_text, write_secrets

HTTPS = "https://gateway.example/bdc"
XML_BODY = "<NAME>{person.name}</NAME>"


def load(tmp_path: Path, text: str) -> Directory:
    file = tmp_path / "departments.yaml"
    file.write_text(text, encoding="utf-8")
    return Directory.load(file, ITEMS, write_secrets(tmp_path / "secrets"))


async def test_the_routes_as_they_are_load(tmp_path: Path) -> None:
    text = routes_text(tmp_path)
    first, second = load(tmp_path, text), load(tmp_path, text + "\n")
    single = {"real_estate_registration", "deed_tax", "marriage_check_single", "hpf_remote_account"}
    assert first.items() == single | {"marriage_check_couple"}
    assert len(first.digest) == 64
    assert first.digest != second.digest
    await first.aclose()
    await second.aclose()


LIMITED = "concurrency: 50\n        limits:"
MISTAKES = [
    # what stands there, what somebody wrote instead, what the refusal says
    ("item: deed_tax", "item: deed_taxes", "no item 'deed_taxes'"),
    ("item: deed_tax", "item: real_estate_registration", "stands twice"),
    ("name: tax-exchange-db", "name: property-registry", "stands twice"),
    ("name: tax-exchange-db", "name: Tax DB", ""),
    ("kind: sql", "kind: soap", ""),
    ("deadline_seconds: 3", "deadline_seconds: 0", ""),
    ("deadline_seconds: 3", "deadline_seconds: 3\n        retries: 4", "retries"),
    ("concurrency: 50", "concurrency: 0", ""),
    ("concurrency: 50", 'concurrency: "50"', ""),
    ("method: POST", "method: PUT", ""),
    ("method: POST", "method: GET", "GET has none"),
    ("url: http://127.0.0.1:1/api", "url: http://192.0.2.1/api", "insecure"),
    ("url: http://127.0.0.1:1/api", "url: http://localhost.example/api", "insecure"),
    ("url: http://127.0.0.1:1/api", "url: ftp://127.0.0.1/api", "http or https"),
    ("url: http://127.0.0.1:1/api", "url: http://user:word@127.0.0.1/api", "without a user"),
    ("url: http://127.0.0.1:1/api", "url: http://127.0.0.1:1/api?x=", "no query"),
    ("url: http://127.0.0.1:1/api/bdc/query", 'url: "http://127.0.0.1:1/{case}"', "placeholder"),
    ("url: http://127.0.0.1:1/api", "url: http://127.0.0.1:port/api", "no URL"),
    ("method: POST", 'method: POST\n          query: {zjh: "{person.id_number}"}', "never stands in a URL"),
    ('zjh: "{person.id_number}"', 'zjh: "{person.number}"', "no placeholder {person.number}"),
    ('zjh: "{person.id_number}"', 'zjh: "{secret}"', "no placeholder {secret}"),
    ('zjh: "{person.id_number}"', 'zjh: "{param.date_from}"', "no placeholder {param.date_from}"),
    ('zjh: "{person.id_number}"', 'zjh: "{{person.id_number}}"', "brace"),
    ('zjh: "{person.id_number}"', "zjh: 1.5", "whole numbers"),
    ('zjh: "{person.id_number}"', 'zjh: "{person.name}"', "never names {person.id_number}"),
    ('xzqh: "{param.division_code}"', 'xzqh: "321099"', "'division_code' is not sent"),
    ("<NAME>{person.name}</NAME>", "<NAME>{person.name}", "not well-formed"),
    ("kind: static_header, header: X-App-Key", 'kind: static_header, header: "X-App: Key"', ""),
    ("kind: static_header", "kind: kerberos", ""),
    ("<SENDER>{requester}</SENDER>", "<SENDER>{requester}</SENDER><TOKEN>c0ffee</TOKEN>", "never in clear"),
    ('zjh: "{person.id_number}"', 'zjh: "{person.id_number}"\n            app_secret: c0ffee', "never in clear"),
    ('zjh: "{person.id_number}"', 'zjh: "{person.id_number}"\n            x: {accessKey: 12345678}', "never in clear"),
    ("secret: property-registry-key", "secret: ../property-registry-key", "it is no path"),
    ("secret: property-registry-key", "secret: /etc/hostname", "it is no path"),
    ("secret: property-registry-key", 'secret: ""', "it is no path"),
    ("secret: property-registry-key", "secret: absent-key", "cannot be read"),
    ('success: ["00"]', "success: []", ""),
    ('"429": quota', '"429": found', "cannot mean 'found'"),
    ('"429": quota', '"00": quota', "'00' cannot mean"),
    ('"429": quota', '"429": too_often', ""),
    ("list_at: data.list", "list: data.list", "list"),
    ("person: ZJH", 'person: ""', ""),
    ("          person: ZJH\n", "", "person"),
    ("{from: JZMJ, as: decimal}", "{from: JZMJ, as: yuan}", "cannot become a field of kind 'decimal'"),
    ("{from: JZMJ, as: decimal}", '{from: "", as: decimal}', "is empty"),
    ("{from: JZMJ, as: decimal}", "{from: JZMJ, as: decimal, codes: {a: b}}", "no code of field"),
    ("{from: JZMJ, as: decimal}", '{from: JZMJ, as: decimal, yes: ["1"], no: ["0"]}', "a flag, and nothing else"),
    ("            seized_flag: {", "            seized_flags: {", "'seized_flag'"),
    (
        "            seized_flag: {",
        "            extra: {from: X, as: strip}\n            seized_flag: {",
        "no field 'extra'",
    ),
    ('yes: [是, "1"], no: [否, "0"]', "yes: [是]", "needs its words"),
    ('yes: [是, "1"], no: [否, "0"]', 'yes: [是, "1"], no: [否, "1"]', "both yes and no"),
    ('历史: "2"}', '历史: "9"}', "'9' is no code"),
    ("url: sqlite:///", "url: sqlite://relative", "absolute path"),
    ("url: sqlite:///", "url: oracle://host/", "'oracle' are not known"),
    ("url: sqlite:///", "url: postgresql+psycopg://broker:word@host/", "a password stands in a file"),
    ("url: sqlite:///", "url: /", "no database URL"),
    ("view: v_deed_tax", 'view: "v_deed_tax; DROP TABLE x"', ""),
    ("{from: cqmj, as: decimal}", '{from: "cqmj, lxdh", as: decimal}', "no column's name"),
    ("person: nsrsbh", 'person: "nsrsbh --"', "no column's name"),
    ("{param: date_to,", "{param: date_until,", "no parameter 'date_until'"),
    ("          - {param: date_to, column: jkrq, compare: at_most, written: compact_date}\n", "", "'date_to' has no"),
    ("compare: at_most", "compare: like", ""),
    ("          consent: consent\n", "", "consent"),
    ("items:\n", "version: 1\nitems:\n", "version"),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["17:30-08:30"]}}}}', "is empty"),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["08:30-08:30"]}}}}', "is empty"),
    (LIMITED, f"{LIMITED} {{hours: {{windows: []}}}}", ""),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["8:30-17:30"]}}}}', ""),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], days: []}}}}', ""),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], days: [monday]}}}}', "monday"),
    (
        LIMITED,
        f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], holidays: [2026-10-01], workdays: [2026-10-01]}}}}',
        "both a holiday and a workday",
    ),
    (
        LIMITED,
        f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], days: [mon, tue, wed, thu, fri, sat, sun]}}}}',
        "say whether public_holidays",
    ),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], public_holidays: maybe}}}}', "maybe"),
    (LIMITED, f'{LIMITED} {{hours: {{windows: ["08:30-17:30"], holidays: [2026-02-30]}}}}', ""),
    (LIMITED, f"{LIMITED} {{outages: [{{from: 2026-12-02 06:00, to: 2026-12-01 22:00, reason: x}}]}}", "is empty"),
    (LIMITED, f"{LIMITED} {{outages: [{{from: 2026-02-30 06:00, to: 2026-12-01 22:00, reason: x}}]}}", "no such day"),
    (LIMITED, f"{LIMITED} {{fall_back_on: [gone]}}", "gone"),
    (LIMITED, f"{LIMITED} {{fall_back_on: [found]}}", "nobody else is asked"),
    (LIMITED, f"{LIMITED} {{fall_back_on: [mismatch]}}", "nobody else is asked"),
    (LIMITED, f"{LIMITED} {{breaker: {{failures: 6, of: 5}}}}", "never open"),
    (LIMITED, f"{LIMITED} {{retries: {{most: 9}}}}", ""),
    (LIMITED, f"{LIMITED} {{per_minute: 0}}", ""),
    (LIMITED, f"{LIMITED} {{per_second: 1}}", "per_second"),
    ("concurrency: 50", "concurrency: 50\n        level: county", "county"),
]


@pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    text = routes_text(tmp_path)
    right = right.removesuffix("\n        limits:")
    assert right in text, "the table of mistakes has lost its place in the file"
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path, text.replace(right, wrong, 1))
    file, line, message = str(raised.value).split(":", 2)
    assert file == str(tmp_path / "departments.yaml")
    assert 1 <= int(line) <= text.count("\n") + 2
    assert says in message


@pytest.mark.parametrize(
    ("right", "wrong", "marker"),
    [
        ("item: deed_tax", "item: deed_taxes", "item: deed_taxes"),
        ("url: http://127.0.0.1:1/api", "url: http://192.0.2.1/api", "192.0.2.1"),
        ("concurrency: 50", "concurrency: 0", "concurrency: 0"),
        ("secret: beijing-fund-secret", "secret: ../x", "../x"),
        ('"12000": department_down', '"12000": found', '"12000": found'),
        ("{from: JZMJ, as: decimal}", "{from: JZMJ, as: yuan}", "as: yuan"),
        ("{param: date_to,", "{param: date_until,", "date_until"),
    ],
)
def test_the_line_is_the_mistake_s_own(tmp_path: Path, right: str, wrong: str, marker: str) -> None:
    text = routes_text(tmp_path).replace(right, wrong, 1)
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path, text)
    assert marker in text.split("\n")[int(str(raised.value).split(":")[1]) - 1]


@pytest.mark.parametrize("url", [HTTPS, "http://127.9.9.9/x", "http://[::1]:8/x", "http://localhost/x"])
async def test_https_and_loopback_need_no_reason(tmp_path: Path, url: str) -> None:
    text = routes_text(tmp_path).replace("http://127.0.0.1:1/api/bdc/query", url, 1)
    await load(tmp_path, text).aclose()


async def test_plain_http_with_a_reason_is_let_through(tmp_path: Path) -> None:
    plain = "http://192.0.2.1/bdc\n          insecure: 政务外网专线，对方暂无证书"
    text = routes_text(tmp_path).replace("http://127.0.0.1:1/api/bdc/query", plain, 1)
    await load(tmp_path, text).aclose()


def test_a_link_out_of_the_secrets_folder_is_refused(tmp_path: Path) -> None:
    folder = write_secrets(tmp_path / "secrets")
    outside = tmp_path / "outside"
    outside.touch(mode=0o600)
    outside.write_text("elsewhere", encoding="utf-8")
    (folder / "linked").symlink_to(outside)
    with pytest.raises(ConfigurationError, match="leads out"):
        load(tmp_path, routes_text(tmp_path).replace("secret: beijing-fund-secret", "secret: linked"))


@pytest.mark.parametrize(("mode", "text", "says"), [(0o644, "x", "every user"), (0o600, " \n", "is empty")])
def test_an_open_or_empty_secret_is_refused(tmp_path: Path, mode: int, text: str, says: str) -> None:
    folder = write_secrets(tmp_path / "secrets")
    (folder / "other").write_text(text, encoding="utf-8")
    (folder / "other").chmod(mode)
    with pytest.raises(ConfigurationError, match=says):
        load(tmp_path, routes_text(tmp_path).replace("secret: beijing-fund-secret", "secret: other"))
