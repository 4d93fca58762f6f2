"""A PDF in Chinese: lines that fit, marks where they belong, text that can be copied out, a small font."""

import shutil
import subprocess

import pytest

from broker.paper import drawn
from broker.sheets import Section, Sheets


def text_of(pdf: bytes) -> str:
    """As a reader copies it out."""
    if shutil.which("pdftotext") is None:
        pytest.skip("NOT TESTED AS TEXT: there is no pdftotext on this machine; apt-get install poppler-utils")
    ran = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return ran.stdout.decode()


def test_no_line_is_too_wide_and_none_begins_with_a_closing_mark() -> None:
    text = "扬州市住房公积金管理中心，" * 20 + "W" * 300 + "。" + "（编号 YZ-2026-000123）查了您的信息。" * 12
    sheets = Sheets("zh-CN", "标题", [], "第 {} 页", [Section("一", [[text, text]] * 12)])
    pdf = drawn(sheets)
    lines = [line.strip() for line in text_of(pdf).splitlines()]
    assert not [line for line in lines if line[:1] in set("，。）：")]
    assert max(map(len, lines)) < 110
    assert len(pdf) < 200_000, "the font is cut to what was used"
