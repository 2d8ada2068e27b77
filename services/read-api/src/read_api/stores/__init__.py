"""The stores that queries are answered from: Redis (`redis`, with its server-side scripts) and MongoDB (`mongo`)."""
