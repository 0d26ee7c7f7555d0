"""The figures, one module per page of the report. `lifelog.report.catalogue` lists and describes them."""
