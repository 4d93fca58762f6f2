"""What may be shared: the words, the catalogue and the one decision. Pure; imports nothing of ours."""
