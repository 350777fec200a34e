"""Who may do what with a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from topoweb.labs.models import Lab

Verb = Literal["read", "edit", "run", "delete"]


def can(user: AbstractBaseUser | AnonymousUser, verb: Verb, lab: Lab) -> bool:
    """Return whether ``user`` may ``verb`` the lab: its owner may all, others nothing.

    A superuser reads other people's labs in the admin, not here.
    """
    del verb  # an owner's rights do not differ yet; callers name what they are about to do
    return bool(user.is_authenticated and user.is_active and lab.owner_id == user.pk)


def may_type(user: AbstractBaseUser | AnonymousUser, lab: Lab) -> bool:
    """Return whether ``user``, who may look at the lab, may type in its terminals.

    The one place for it; whoever may read and not type watches the terminals of others.
    """
    return can(user, "run", lab)
