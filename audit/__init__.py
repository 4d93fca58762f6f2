"""What happened: the ledger, its proofs and the verifier. Imports nothing of ours."""
