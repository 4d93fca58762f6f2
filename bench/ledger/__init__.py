"""`make bench-ledger`: whether appending, proving and searching grow with the log, at a thousand, a hundred thousand and two million entries."""
