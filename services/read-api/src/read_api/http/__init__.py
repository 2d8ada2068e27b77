"""The HTTP side: `endpoints` is the table of what may be asked, `parameters` how it is read, `problems` how it fails,
`entrance` what every request passes, `app` puts them together and `server` runs them.
"""
