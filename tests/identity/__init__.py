"""Signing in: the identity provider, passkeys, devices; each attack on them as an attacker would send it."""
