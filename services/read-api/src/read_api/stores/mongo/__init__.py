"""The documents in MongoDB: `reader` is how they are read, and beside it is a module for each kind of document, with
the look-ups that the queries need. A look-up is one round trip, and another where the live generation was switched.
"""
