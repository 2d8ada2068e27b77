"""The HTTP side: `endpoints` is the table of the queries, `parameter_table` has their parameters and `parameters` reads
them, `query_endpoint` serves a row of the table, `problems` maps errors to responses, `dispatcher` is what each request
passes first, `own_pages` are health and metrics, `app` builds the application, and `server` runs it.
"""
