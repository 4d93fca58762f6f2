"""What departments really send, and which one of "found", "no record" and "garbled" each of it is."""

import json
import string
import time
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.documents import Stuck
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


def test_json_in_a_string_in_a_string() -> None:
    twice = json.dumps(json.dumps([ROW]))
    assert read(IN_STRING, {"code": "00", "data": twice}) == [ROW]
    assert read(IN_STRING, {"code": "00", "data": json.dumps(twice)}) == [ROW]
    assert read(IN_STRING, {"code": "00", "data": json.dumps(json.dumps(twice))}) == "garbled:record_is_no_object"


@pytest.mark.parametrize(
    ("stuck", "rows"),
    [
        ("refuse", "garbled:not_json"),
        ("first", [ROW]),
        ("last", [ROW | {"n": "2"}]),
        ("list", "garbled:status_missing"),
    ],
)
def test_documents_stuck_together(stuck: Stuck, rows: Any) -> None:
    documents = [json.dumps({"code": "00", "data": {"list": [ROW | {"n": number}]}}) for number in ("1", "2")]
    assert read(msgspec.structs.replace(JSON, stuck=stuck), "\r\n".join(documents)) == rows
    assert read(msgspec.structs.replace(JSON, stuck=stuck), documents[0] + "}") == "garbled:not_json"


def test_records_stuck_together_in_a_string_are_a_list() -> None:
    listed = msgspec.structs.replace(IN_STRING, stuck="list")
    assert read(listed, {"code": "00", "data": json.dumps(ROW) * 2}) == [ROW, ROW]
    assert read(listed, {"code": "00", "data": json.dumps(ROW)}) == [ROW]
    assert read(listed, {"code": "00", "data": json.dumps(ROW) + "{"}) == "garbled:not_json"


@pytest.mark.parametrize("code", ["00", 0, "0", 200, True, "true"])
def test_success_may_be_named_as_a_text_a_number_or_a_boolean(code: object) -> None:
    status = Status("code", ("00", 0, 200, True))
    assert read(msgspec.structs.replace(JSON, status=status), {"code": code, "data": {"list": [ROW]}}) == [ROW]


@pytest.mark.parametrize(
    ("code", "outcome", "wait"),
    [
        ("-4", Outcome.DENIED_BY_DEPARTMENT, 0),
        ("-5", Outcome.AUTH_FAILED, 0),
        ("-6", Outcome.QUOTA, 60),
        ("-19", Outcome.AUTH_FAILED, 0),
        ("-35", Outcome.DEPARTMENT_DOWN, 0),
        ("-50", Outcome.DEPARTMENT_DOWN, 20),
        ("2010", Outcome.TIMEOUT, 0),
        ("12100", Outcome.DEPARTMENT_DOWN, 60),
        ("12103", Outcome.QUOTA, 86400),
        ("12104", Outcome.QUOTA, 0),
        ("-20", Outcome.BAD_REQUEST, 0),  # the route's own word wins
        ("4711", Outcome.GARBLED, 0),
    ],
)
def test_the_national_gateway_s_family_of_codes(code: str, outcome: Outcome, wait: int) -> None:
    status = Status("code", ("00",), {"-20": Outcome.BAD_REQUEST}, "national_gateway")
    with pytest.raises(DepartmentError) as raised:
        read_reply(msgspec.structs.replace(JSON, status=status), json.dumps({"code": int(code)}).encode(), NOW)
    assert (raised.value.outcome, raised.value.code, raised.value.wait) == (outcome, code, wait)


def test_a_charset_that_changes_by_turns() -> None:
    either = msgspec.structs.replace(JSON, charset="utf-8-or-gb18030")
    text = json.dumps({"code": "00", "data": {"list": [{"xm": "徐建国"}]}}, ensure_ascii=False)
    assert read(either, text.encode("gbk")) == read(either, text.encode()) == [{"xm": "徐建国"}]
    assert read(either, b'{"code":"\xff\xff"}') == "garbled:charset"


@pytest.mark.parametrize(
    "page",
    [
        "<html></html>",
        "\r\n<!-- a --><!-- b --><!DOCTYPE  HTML>",
        '<?xml version="1.0"?><html xmlns="x"/>',
        "<head><meta charset=gbk></head>",
        "<BODY onload='x'>",
    ],
)
def test_error_pages_in_their_spellings(page: str) -> None:
    assert read(JSON, page) == "garbled:html_page"


@pytest.mark.parametrize(
    "body",
    [
        '{"code":1e999999999}',
        '{"code":"00","data":{"list":[],"total":1e999999999}}',
        '{"code":"00","data":{"list":[],"total":1e-999999999}}',
        "<!--" + "--><!--" * 30_000,
        "<?xml" + " " * 500_000,
        '{"code":"' + '\\"' * 200_000,
    ],
)
def test_a_short_text_cannot_cost_long(body: str) -> None:
    began = time.perf_counter()
    assert str(read(JSON, body)).startswith("garbled:")
    assert str(read(XML, body)).startswith("garbled:")
    assert time.perf_counter() - began < 5


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
        (package("<DATA><RECORD><A><![CDATA[<!DOCTYPE x>]]></A></RECORD></DATA>"), [{"A": "<!DOCTYPE x>"}]),
        (package("<!-- <!DOCTYPE x> --><DATA></DATA>"), []),
        (package("<DATA></DATA>"), []),
        (package("<DATA/>", "-901"), []),
        (package(""), "garbled:list_missing"),
        (package("<DATA/>", "-50"), "garbled:-50"),
        (package("<DATA><RECORD>"), "garbled:not_xml"),
        (package("<DATA><RECORD><A>&i;</A></RECORD></DATA>"), "garbled:not_xml"),
        ("<!doctype p><p/>", "garbled:not_xml"),
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
    before = ("", '<?xml version="1.0"?>', "<!-- <p/> -->", "<?p <p/>?>")
    for body in (f"{ahead}{doctype}{inner}" for ahead in before):
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
