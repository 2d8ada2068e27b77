"""The definition of a benchmark, its rounds, and the figures that they give."""
