"""The exporter: Prometheus metrics read from the run ledger and the broker, right whatever the workers do.

Workers keep no metrics of their own: under prefork those pile up in files and gauges go wrong. One process reads what
is committed instead. Nothing of this package imports ``prometheus_client`` before metrics are wanted.
"""
