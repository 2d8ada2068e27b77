"""One file per command that clients may send: its path, its body, and what is answered."""
