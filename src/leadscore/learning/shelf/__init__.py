"""The model shelf: signed versions that never change, and one champion per city with its past."""

from leadscore.learning.shelf.shelf import Shelf
from leadscore.learning.shelf.succession import Act, Promotion
from leadscore.learning.shelf.versions import Version

__all__ = ["Act", "Promotion", "Shelf", "Version"]
