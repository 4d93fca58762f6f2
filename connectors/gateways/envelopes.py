"""From what the routes file says of an envelope to what seals and opens it: keys read and checked."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from connectors.gateways import sm2_envelope
from connectors.gateways.biz_content import BizContentEnvelope
from connectors.gateways.credentials import Envelope
from connectors.gateways.envelope_forms import BizContent, EnvelopeForm, Open, RsaPara, Sm2
from connectors.gateways.rsa_para import RsaEnvelope
from connectors.route import Place
from connectors.secret_files import read_secret

T = TypeVar("T")

_SHORTEST_RSA = 2048


def check_envelope(form: EnvelopeForm, place: Place, secrets_folder: Path) -> Envelope | None:
    """Return what seals and opens. Raises ConfigurationError for a key that is none, or an extra that is missing."""
    if isinstance(form, Open):
        return None
    if isinstance(form, BizContent):
        return BizContentEnvelope(form, read_secret(secrets_folder, form.secret, place.at("secret")))
    return _rsa(form, place, secrets_folder) if isinstance(form, RsaPara) else _sm2(form, place, secrets_folder)


def _rsa(form: RsaPara, place: Place, secrets_folder: Path) -> RsaEnvelope:
    peer = _key(lambda text: load_pem_public_key(text.encode()), form.peer_key, place.at("peer_key"), secrets_folder)
    at = place.at("own_key")
    own = _key(lambda text: load_pem_private_key(text.encode(), None), form.own_key, at, secrets_folder)
    if not isinstance(peer, RSAPublicKey) or peer.key_size < _SHORTEST_RSA:
        raise place.at("peer_key").error(f"no public RSA key of at least {_SHORTEST_RSA} bits")
    if not isinstance(own, RSAPrivateKey) or own.key_size < _SHORTEST_RSA:
        raise at.error(f"no private RSA key of at least {_SHORTEST_RSA} bits")
    return RsaEnvelope(form, peer, own)


def _sm2(form: Sm2, place: Place, secrets_folder: Path) -> sm2_envelope.Sm2Envelope:
    if not sm2_envelope.available():
        raise place.at("kind").error("this envelope needs the extra `sm2`: install consent-broker[sm2]")
    peer = _key(sm2_envelope.public_key, form.peer_key, place.at("peer_key"), secrets_folder)
    own = _key(sm2_envelope.Sm2Key, form.own_key, place.at("own_key"), secrets_folder)
    return sm2_envelope.Sm2Envelope(form, peer, own)


def _key(read: Callable[[str], T], name: str, place: Place, secrets_folder: Path) -> T:
    text = read_secret(secrets_folder, name, place).text
    try:
        return read(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise place.error("what stands in that file is no such key") from None
