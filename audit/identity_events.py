"""The events of signing in: sessions, devices and passkeys. Part of the closed list of audit/events.py."""

from typing import ClassVar

from audit.event import Event


class OfSubject(Event, frozen=True, kw_only=True):
    """What a person did, or had done, to her own means of signing in and of signing."""

    subject_ref: str


class SessionBegun(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "session.begun"
    method: str
    """`test`, `openid` or `passkey`."""
    assurance: int
    passkey: str = ""


class SessionRaised(OfSubject, frozen=True, kw_only=True):
    """She was identified anew, or more surely, in the midst of a session (step-up)."""

    NAME: ClassVar[str] = "session.raised"
    method: str
    assurance: int
    passkey: str = ""


class SessionEnded(OfSubject, frozen=True, kw_only=True):
    """She signed out. A session that merely expires leaves no entry."""

    NAME: ClassVar[str] = "session.ended"
    everywhere: bool


class DeviceEnrolled(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "device.enrolled"
    kid: str
    alg: str
    approved_by: str
    """`first` for a person's first device; of a further one `sign_in` (sure enough) or `passkey`."""
    passkey: str = ""


class DeviceRemoved(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "device.removed"
    kid: str


class DeviceLost(OfSubject, frozen=True, kw_only=True):
    """Removed because it is in unknown hands; each consent paused with it has an entry of its own."""

    NAME: ClassVar[str] = "device.lost"
    kid: str
    paused: int


class PasskeyRegistered(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "passkey.registered"
    passkey: str
    """Base64url SHA-256 of the credential's id."""
    assurance: int
    """How surely she was identified then: what the passkey can vouch for."""


class PasskeyRemoved(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "passkey.removed"
    passkey: str
