"""`make attack`: callers that spend as much as they can, each beside a good client whose service must not suffer.

`scene` is what is there before, `attacks` is the list, `attacker` a process that carries one out, `good_client` the
requests of everybody else, `watch` the memory and readiness of the processes, `run` puts windows with and without an
attack in turns, `judgement` compares them, and `report` prints the table.
"""
