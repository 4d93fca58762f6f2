"""An exchange's answer as a table for a terminal: item, source department, as of, outcome, fields."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text


def result_table(answer: Mapping[str, Any]) -> Table:
    """One row an item. Values stand as they came: money in integer fen, dates YYYY-MM-DD."""
    expected = {(one["party"], one["item"]): one["at"] for one in answer.get("answers_at", [])}
    table = Table("项目 item\n部门 from\n截至 as of", "结果\noutcome", show_lines=True)
    table.add_column("内容 fields\n金额以分计 money in fen", overflow="fold")
    for result in answer["results"]:
        source = result["source"]
        # Text, not str: what a department sent must not be read as markup
        asked = Text.assemble((result["item"], "bold"), f"\n{source['department']}\n{source['as_of']}")
        at = expected.get((result["party"], result["item"]), "")
        table.add_row(asked, _outcome(result["outcome"], at), Text(_fields(result["records"])))
    return table


def _fields(records: Iterable[Mapping[str, Any]]) -> str:
    return "\n\n".join("\n".join(f"{name}={value}" for name, value in record.items()) for record in records) or "-"


def _outcome(outcome: str, expected: str) -> Text:
    """With when an answer can be expected, where there is none and that is known."""
    text = f"{outcome}\n预计 expected\n{expected}" if expected else outcome
    return Text(text, style="green" if outcome in {"found", "match"} else "yellow")
