"""All cases of the exam, by family."""

from __future__ import annotations

from tests.verdicts.cases.deeper import DEEPER
from tests.verdicts.cases.ends import ENDS
from tests.verdicts.cases.filters import FILTERS
from tests.verdicts.cases.harder import HARDER
from tests.verdicts.cases.macvlans import MACVLANS
from tests.verdicts.cases.routing import ROUTING
from tests.verdicts.cases.segments import SEGMENTS
from tests.verdicts.cases.services import SERVICES
from tests.verdicts.cases.six import SIX

CASES = (*ROUTING, *FILTERS, *SEGMENTS, *ENDS, *HARDER, *SERVICES, *DEEPER, *SIX, *MACVLANS)
