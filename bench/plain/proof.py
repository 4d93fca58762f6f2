"""What makes the plain program's speed count: its answers are full, what their entries say, and what we said."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.failure import RunFailed
from bench.plain.exchange import digest
from bench.plain.models import Answer
from bench.proof import ANSWERED


def verify_answers(answers: Sequence[bytes], items: int) -> None:
    """Raises RunFailed unless each holds an answer about all items and its receipt is about just that."""
    for answer in map(Answer.model_validate_json, answers):
        told = [result.outcome for result in answer.results]
        if len(told) != items or not set(told) <= set(ANSWERED):
            raise RunFailed(f"departments did not answer the plain program: {told}")
        logged = json.loads(answer.receipt.body)["results"]
        if [one[-1] for one in logged] != [digest(result) for result in answer.results]:
            raise RunFailed("a receipt of the plain program is about something else")


def verify_same(ours: Sequence[bytes], plain: Sequence[bytes]) -> None:
    """Raises RunFailed where both answered the same exchange, but not with the same."""
    told = {answer["exchange"]: _what(answer["results"]) for answer in map(json.loads, ours)}
    for answer in map(json.loads, plain):
        if told.get(answer["exchange"], _what(answer["results"])) != _what(answer["results"]):
            raise RunFailed(f"the plain program answered {answer['exchange']} otherwise than we did")


def _what(results: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return sorted([one["party"], one["item"], one["outcome"], one["records"]] for one in results)
