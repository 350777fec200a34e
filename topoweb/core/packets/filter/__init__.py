"""Display filters: a documented subset of Wireshark's language (docs/filters.md).

`Filter` compiles an expression into one closure; `Subject` is the packet that it is asked of,
whose layers are found when they are first needed. Nothing here can run long: expressions, sets and
patterns are bounded, and patterns never backtrack. A new field is a row in a table (`*_fields`).
"""

from topoweb.core.packets.filter.annotate import annotated
from topoweb.core.packets.filter.errors import FilterError
from topoweb.core.packets.filter.evaluate import Filter
from topoweb.core.packets.filter.fields import FIELDS, described
from topoweb.core.packets.filter.lexer import LENGTH_MAX
from topoweb.core.packets.filter.subject import Fate, Subject

__all__ = [
    "FIELDS",
    "LENGTH_MAX",
    "Fate",
    "Filter",
    "FilterError",
    "Subject",
    "annotated",
    "described",
]
