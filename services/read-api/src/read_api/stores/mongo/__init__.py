"""The documents in MongoDB. `reader` reads them, and a module for each kind of document holds the look-ups of the
queries. A look-up is one round trip, and another one if the live generation was switched meanwhile.
"""
