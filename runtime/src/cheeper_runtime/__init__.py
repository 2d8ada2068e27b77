"""The runtime kit: what every long-running process needs, whatever it does.

`settings` reads the environment, `servers` checks what it has about servers, `logs` writes lines, `readiness` and
`checks` report what the process waits for, `retry` waits for what is unavailable, `concurrency` refuses what cannot be
served in time, `poison_limit` stops a consumer whose fault is likely its own, `metrics` declares metrics and writes
their page, and `http_server` serves.
docs/adr/0021-a-runtime-kit.md says what may enter.
"""
