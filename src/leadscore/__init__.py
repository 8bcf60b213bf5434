"""leadscore ranks the firms that a city could court, and says why."""

__version__ = "0.1.0"
