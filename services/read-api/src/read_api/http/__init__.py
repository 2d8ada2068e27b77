"""The HTTP side: `endpoints` is the table of what may be asked, `parameter_table` with which parameters, `parameters`
how they are read, `answering` how a row of the table answers, `problems` how it fails, `replies` how either is sent,
`entrance` what every request passes, `app` puts them together and `server` runs them.
"""
