"""The model registry: signed versions that never change, one champion per city."""
