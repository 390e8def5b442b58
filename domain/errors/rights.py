"""Refusals about roles and what may be done."""

from domain.errors.refused import Refused


class NoSuchRole(Refused):
    code = "role_not_found"
    detail = "There is no such role."


class RoleExists(Refused):
    code = "role_exists"
    detail = "A role of this name exists, or existed."


class RoleProtected(Refused):
    code = "role_protected"
    detail = "Built-in roles cannot be changed or retired."


class TooManyRoles(Refused):
    code = "too_many_roles"
    detail = "Nobody holds more roles than this account does: take one away first."


class PermissionDenied(Refused):
    code = "permission_denied"
    detail = "You may not do this."


class RightsExceeded(Refused):
    code = "rights_exceeded"
    detail = "You cannot hand out, or act on someone who holds, rights you do not hold yourself."


class LastAdminProtected(Refused):
    code = "last_admin_protected"
    detail = "The last administrator cannot be demoted, suspended or removed."
