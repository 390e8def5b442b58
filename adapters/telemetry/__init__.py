"""Traces, metrics and logs over OTLP, where the standard OTEL_* variables ask for them. Otherwise nothing of it is loaded."""
