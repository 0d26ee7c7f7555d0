"""The report: tables and figures of a run, and one HTML page."""
