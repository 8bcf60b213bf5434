"""Has every interpreter that a crash test starts watch for the point at which it is to die."""

import points  # type: ignore[import-not-found]  # stands beside this file

points.watch(spawned=True)
