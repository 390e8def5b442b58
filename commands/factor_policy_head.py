"""Of whom a second factor is demanded at this moment, for whoever decides by it: its head is read in the question there is anyway."""

from domain.decider import Decider
from domain.factor_policy import STREAM, FactorPolicy, FactorPolicyEvent, decider
from domain.ids import StreamName

POLICY_READ: tuple[Decider[FactorPolicy, FactorPolicyEvent], StreamName] = (decider, STREAM)
