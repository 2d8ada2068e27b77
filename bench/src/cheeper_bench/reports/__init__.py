"""The page of the figures, its plots, and the guard of the ratios."""
