"""An author's rows, keys and documents side by side, and whether they are equal now."""
