"""`make chaos`: random commands while processes and servers are killed, frozen, removed and put back to older data.

`plan` draws what happens, `disturbances` does it to a stack, `load` are the clients, `run` is all of it to its end.
"""
