"""`make bench-ledger`: whether appending, proving and searching cost more as the log grows."""
