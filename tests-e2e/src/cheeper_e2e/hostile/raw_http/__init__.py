"""`make fuzz-http`: raw bytes instead of requests, at the gateway and at the services' own ports.

`requests` draws requests that are wrong in one or more ways, `cases` puts them on connections, `connection` sends a
case and receives what comes back, `rule` judges that, `run` is all of it over a stack.
"""
