# make bench: time and memory, measured against the peers in one run.
