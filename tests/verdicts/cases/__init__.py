"""All cases of the exam, by family."""

from __future__ import annotations

from tests.verdicts.cases.ends import ENDS
from tests.verdicts.cases.filters import FILTERS
from tests.verdicts.cases.harder import HARDER
from tests.verdicts.cases.routing import ROUTING
from tests.verdicts.cases.segments import SEGMENTS

CASES = (*ROUTING, *FILTERS, *SEGMENTS, *ENDS, *HARDER)
