"""New users beside a finished run: checks before any job, their group, and predictions."""
