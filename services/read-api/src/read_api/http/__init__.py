"""The HTTP side: `endpoints` is the table of what may be asked, `parameter_table` with which parameters, `parameters`
how they are read, `problems` how it fails, `entrance` what every request passes, `app` puts them together and `server`
runs them.
"""
