"""Sessions as the API takes and gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class UserOut(BaseModel):
    """Who is signed in."""

    id: int
    name: str


class Feature(BaseModel):
    """Whether this host can do something, and if not, why."""

    ok: bool
    reason: str


class SessionOut(BaseModel):
    """The session: ``user`` is null when nobody is signed in."""

    user: UserOut | None
    csrf: str
    features: dict[str, Feature]
    mode: Literal["alone", "root", "classroom"]


class TokenIn(BaseModel):
    """A one-time login token."""

    model_config = ConfigDict(strict=True, extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=200)]


class PasswordIn(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(strict=True, extra="forbid")

    username: Annotated[str, Field(min_length=1, max_length=150)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]
