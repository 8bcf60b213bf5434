"""The walk from snapshots and outcomes to a challenger and a decision."""
