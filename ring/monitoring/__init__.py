"""The ring, to be seen: figures for Prometheus, alert rules, a dashboard."""
