"""Cheeper's read side: every query is answered from one look-up in Redis or MongoDB.

`queries` says what may be asked and how it is answered, `stores` looks it up, `http` is how clients ask; `bootstrap`
puts them together.
"""
