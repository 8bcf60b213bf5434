"""How good forecasts were once the outcomes are known, and how far to trust that."""
