"""Tests of the ledger, its proofs and the verifier."""
