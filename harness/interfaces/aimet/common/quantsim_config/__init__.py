"""Configurations of ``QuantizationSimModel`` by name."""
