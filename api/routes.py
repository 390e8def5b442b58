"""Every controller there is."""

from litestar import Controller

from api.account_pages import AccountPages
from api.action_tokens import ActionTokens, AudienceActions
from api.api_keys import ApiKeys, MyApiKeys
from api.audiences import Audiences
from api.audit import Audit
from api.audit_proofs import AuditProofs
from api.auth import Auth, Bootstrap
from api.check import Check
from api.client_credentials import ClientCredentials
from api.docs import Docs
from api.enrolling import Enrolling
from api.erase_user import EraseUsers
from api.erasure import Erasures, MyErasure
from api.events import Events
from api.explain import Explain
from api.factor_policy import FactorPolicies
from api.factors import MyFactors, UserFactors
from api.health import Health
from api.invitations import Acceptance, Invitations
from api.log_tree import Log, LogOfEpoch
from api.mailed import Mailed, MyMail
from api.me import Me
from api.oauth import OAuth
from api.operations import Operations
from api.passwords import Passwords
from api.past import Past
from api.past_diff import PastDiff
from api.past_token import PastToken
from api.permissions import Permissions
from api.replay import Replay
from api.roles import Roles
from api.service_accounts import ServiceAccounts
from api.sessions import Sessions, UserSession
from api.signals import Signals
from api.signing_keys import SigningKeys
from api.user_roles import UserRoles
from api.users import Users
from api.well_known import WellKnown

ROUTES: list[type[Controller]] = [
    Bootstrap, Auth, Check, Enrolling, Passwords, Mailed, ActionTokens, Me, MyErasure, MyMail, MyFactors, Permissions, Users, UserRoles,
    EraseUsers, Invitations, Acceptance, Erasures, UserFactors, FactorPolicies, UserSession, Sessions, Roles, Audiences, AudienceActions,
    ServiceAccounts, ClientCredentials, MyApiKeys, ApiKeys, SigningKeys, Audit, AuditProofs, Log, LogOfEpoch, Replay, Explain, Past,
    PastDiff, PastToken,
    Events, Signals, Operations, OAuth, WellKnown, Health, Docs, AccountPages,
]  # fmt: skip
