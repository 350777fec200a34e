"""What all tests share.

Data directories need nothing here: under pytest `topoweb.settings` makes a temporary one.
"""

from __future__ import annotations

from hypothesis import settings

# Time limits per example only measure how busy the machine is.
settings.register_profile("topoweb", deadline=None)
settings.load_profile("topoweb")
