"""The dashboards, as panels with their expressions; `grafana.py` makes Grafana's JSON of them."""
