"""What can go wrong in this room beside a refusal (policies/refusals.py)."""


class ConsentError(Exception):
    """The one base of this room's exceptions."""


class InvalidKey(ConsentError):
    """A JWK that is not exactly a public ES256 or Ed25519 signing key. The text names the member, never its value."""
