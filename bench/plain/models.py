"""What comes in and goes out, as pydantic reads and writes it."""

from typing import Any

from pydantic import BaseModel, Field


class Operator(BaseModel):
    id: str
    name: str = ""
    desk: str = ""


class ExchangeRequest(BaseModel):
    """The claims of a requester's token."""

    iss: str
    jti: str
    exchange: str
    consents: list[str] = Field(min_length=1, max_length=4)
    matter: str
    case: str
    operator: Operator | None = None


class Detail(BaseModel):
    """One item of a consent."""

    item: str
    fields: list[str]


class ConsentClaims(BaseModel):
    """The claims of a citizen's token."""

    jti: str
    client_id: str
    party: str
    matter: str
    case: str
    uses: int
    authorization_details: list[Detail] = Field(min_length=1)


class Result(BaseModel):
    party: str
    item: str
    outcome: str
    records: list[dict[str, Any]] = []
    salt: str = ""


class Use(BaseModel):
    party: str
    use: int
    left: int


class Receipt(BaseModel):
    """The entry of the release, and the hash of the chain up to it."""

    index: int
    body: str
    hash: str


class Answer(BaseModel):
    exchange: str
    uses: list[Use]
    results: list[Result]
    receipt: Receipt


class NewKey(BaseModel):
    """A requester's key, as it is registered."""

    kid: str
    owner: str
    jwk: dict[str, str]


class NewConsent(BaseModel):
    """A consent that was given, with the key that signed it and whose it is."""

    consent: str
    kid: str
    jwk: dict[str, str]
    name: str
    id_number: str
