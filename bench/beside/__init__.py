"""The ground `beside`: the bare hello, the plain program and ours, paired in one run on the same machine."""
