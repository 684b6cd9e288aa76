"""The bulk load: legacy CSV files in, the catalog's tables out."""
