"""What departments really send, and which one of "found", "no record" and "garbled" each of it is."""

import json
import string
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading import AnswerForm, NoRecord, Status, read_reply
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome

NOW: Final = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
STATUS: Final = Status(
    "code", ("00", "0", "200", "true"), {"-20": Outcome.DENIED_BY_DEPARTMENT, "02": Outcome.NO_RECORD}
)
JSON: Final = AnswerForm(
    "json",
    STATUS,
    "data.list",
    no_record=NoRecord("msg", ("查无数据",), "data.total"),
    as_of_at="time",
    request_id_at="requestId",
)
IN_STRING: Final = AnswerForm("json", STATUS, "data", json_strings=("data",))
XML: Final = AnswerForm("xml", Status("HEAD.CODE", ("0000",), {"-901": Outcome.NO_RECORD}), "DATA.RECORD")

ROW: Final = {"zjh": "x", "n": "1"}


def read(form: AnswerForm, body: Any) -> list[Any] | str:
    """Return the rows, or the outcome and the code in one word."""
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    try:
        return list(read_reply(form, raw, NOW).rows)
    except DepartmentError as error:
        return f"{error.outcome}:{error.code}"


@pytest.mark.parametrize("code", ["00", "0", 0, 200, "200", True, " 00 "])
def test_success_in_its_spellings(code: object) -> None:
    assert read(JSON, {"code": code, "data": {"list": [ROW]}}) == [ROW]


@pytest.mark.parametrize(
    "body",
    [
        {"code": "00", "data": {"list": []}},
        {"code": "00", "data": {"list": None}},
        {"code": "00", "data": {"list": "[]"}},
        {"code": "00", "data": {"list": "null"}},
        {"code": "00", "data": {"list": ""}},
        {"code": "00", "data": {"list": {}}},
        {"code": "00", "data": {"total": "0"}},
        {"code": "00", "data": {"total": 0, "list": []}},
        {"code": "00", "msg": "查无数据", "data": None},
        {"code": "02"},
    ],
)
def test_no_record_in_its_spellings(body: Any) -> None:
    assert read(JSON, body) == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"code": "00"}, "garbled:list_missing"),
        ({"code": "00", "data": None}, "garbled:list_missing"),
        ({"code": "00", "data": {"list": [], "total": "1"}}, "garbled:count_without_records"),
        ({"code": "00", "data": {"list": [ROW], "total": "0"}}, "garbled:no_record_with_records"),
        ({"code": "00", "msg": "查无数据", "data": {"list": [ROW]}}, "garbled:no_record_with_records"),
        ({"code": "02", "data": {"list": [ROW]}}, "garbled:no_record_with_records"),
        ({"code": "00", "data": {"list": "成功"}}, "garbled:record_is_no_object"),
        ({"code": "00", "data": {"list": [1]}}, "garbled:record_is_no_object"),
        ({"code": "77", "data": {"list": []}}, "garbled:77"),
        ({"code": "-20"}, "denied_by_department:-20"),
        ({"code": None}, "garbled:status_missing"),
        ({"code": {"x": 1}}, "garbled:not_a_plain_value"),
        ([], "garbled:status_missing"),
        ("", "garbled:empty_body"),
        ("  \r\n", "garbled:empty_body"),
        ("<html><body>502 Bad Gateway</body></html>", "garbled:html_page"),
        ("\ufeff<!DOCTYPE html><html></html>", "garbled:html_page"),
        ('{"code":"00"}{"code":"00"}', "garbled:not_json"),
        ('{"code":"00",}', "garbled:not_json"),
        ('{"code":NaN}', "garbled:not_json"),
        ('{"code":"00","code":"02"}', "garbled:member_stands_twice"),
        ("[" * 100_000, "garbled:too_deep"),
        ('{"code":' + "9" * 5000 + "}", "garbled:not_json"),
        (b'{"code":"\xff"}', "garbled:charset"),
    ],
)
def test_everything_else_is_told_apart(body: Any, word: str) -> None:
    assert read(JSON, body) == word


def test_json_in_a_string_array_object_or_nothing() -> None:
    assert read(IN_STRING, {"code": "00", "data": json.dumps([ROW])}) == [ROW]
    assert read(IN_STRING, {"code": "00", "data": json.dumps(ROW)}) == [ROW]
    assert read(IN_STRING, {"code": "00", "data": [ROW]}) == [ROW]
    assert read(IN_STRING, {"code": "00", "data": " null "}) == []
    assert read(IN_STRING, {"code": "00", "data": "[]"}) == []
    assert read(IN_STRING, {"code": "00", "data": "[{]"}) == "garbled:not_json"


def test_one_element_instead_of_a_list() -> None:
    assert read(JSON, {"code": "00", "data": {"list": ROW}}) == [ROW]


def test_the_charset_is_what_they_really_send() -> None:
    body = json.dumps({"code": "00", "data": {"list": [{"xm": "徐建国"}]}}, ensure_ascii=False).encode("gb18030")
    assert read(JSON, body) == "garbled:charset"
    chinese = AnswerForm("json", STATUS, "data.list", charset="gb18030")
    assert read(chinese, body) == [{"xm": "徐建国"}]
    prolog = '<?xml version="1.0" encoding="GBK"?>'
    declared = prolog + "<P><HEAD><CODE>0000</CODE></HEAD><DATA><RECORD><A>徐</A></RECORD></DATA></P>"
    assert read(AnswerForm("xml", XML.status, "DATA.RECORD", charset="gb18030"), declared.encode("gbk")) == [
        {"A": "徐"}
    ]


def test_time_and_request_id() -> None:
    reply = read_reply(JSON, b'{"code":"00","time":"2026-11-22 10:00:00","requestId":17,"data":{"list":[]}}', NOW)
    assert (reply.as_of, reply.department_request) == (datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC), "17")


def package(inner: str, code: str = "0000") -> str:
    return f'<?xml version="1.0"?><p:P xmlns:p="urn:x"><HEAD><CODE>{code}</CODE></HEAD>{inner}</p:P>'


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (package("<DATA><RECORD no='1'><A>1</A></RECORD></DATA>"), [{"@no": "1", "A": "1"}]),
        (package("<DATA><RECORD><A>1</A></RECORD><RECORD><A/></RECORD></DATA>"), [{"A": "1"}, {"A": ""}]),
        (package("<DATA><RECORD><A><![CDATA[<b>]]></A></RECORD></DATA>"), [{"A": "<b>"}]),
        (package("<DATA></DATA>"), []),
        (package("<DATA/>", "-901"), []),
        (package(""), "garbled:list_missing"),
        (package("<DATA/>", "-50"), "garbled:-50"),
        (package("<DATA><RECORD>"), "garbled:not_xml"),
        ("{}", "garbled:not_xml"),
        ("<a>" * 300 + "</a>" * 300, "garbled:too_deep"),
        ("<a>" * 100_000 + "</a>" * 100_000, "garbled:too_deep"),
        ("<HTML><BODY/></HTML>", "garbled:html_page"),
    ],
)
def test_xml(body: str, rows: Any) -> None:
    assert read(XML, body) == rows


BOMB: Final = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {now} "{f"&{before};" * 10}">' for before, now in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    "doctype",
    [
        BOMB,
        '<!DOCTYPE p [<!ENTITY i SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE p [<!ENTITY i SYSTEM "http://127.0.0.1:1/">]>',
        '<!DOCTYPE p SYSTEM "http://127.0.0.1:1/p.dtd">',
        '<!DOCTYPE p [<!ENTITY % i SYSTEM "file:///etc/passwd"> %i;]>',
        "<!DOCTYPE p>",
    ],
)
def test_bombs_and_foreign_entities_are_refused_unread(doctype: str) -> None:
    inner = "<p><HEAD><CODE>0000</CODE></HEAD><DATA><RECORD><A>&i;</A></RECORD></DATA></p>"
    for body in (doctype + inner, f'<?xml version="1.0"?>{doctype}{inner}'):
        assert read(XML, body) == "garbled:xml_dtd_or_entity"


@given(st.binary(max_size=200) | st.text(alphabet=string.printable, max_size=200).map(str.encode))
def test_any_bytes_are_rows_or_one_word(body: bytes) -> None:
    for form in (JSON, IN_STRING, XML):
        read(form, body)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "data", "list", "total", "msg"]), inner)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_any_json_is_rows_or_one_word(body: Any) -> None:
    rows = read(JSON, json.dumps({"code": "00", "data": body}))
    assert isinstance(rows, str) or all(isinstance(row, dict) for row in rows)
