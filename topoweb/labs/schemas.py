"""What the API takes and gives, as types: the source of `docs/openapi.json`.

Documents, operations and changes are typed for readers and generators of clients; their rules
are held by `core.topology`, which names the place of each fault.
"""

# ruff: noqa: TC001, TC003 - annotations are read at run time
from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from topoweb.core.topology.model import Group, Interface, Link, Node, Note, Route, Service

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
OpId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Seq = Annotated[int, Field(ge=0, le=2**63 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Collection = Literal["nodes", "interfaces", "links", "routes", "notes", "groups", "services"]
Place = Literal["document", "nodes", "interfaces", "links", "routes", "notes", "groups", "services"]


class Strict(BaseModel):
    """Input: no coercion, no unknown property."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Output(BaseModel):
    """Output: every property is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Document(BaseModel):
    """The drawing, version 1."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["topoweb"] = "topoweb"
    version: Literal[1] = 1
    name: str = ""
    description: str = ""
    auto_address: bool = True
    offloads: bool = True
    nodes: dict[Id, Node] = {}
    interfaces: dict[Id, Interface] = {}
    links: dict[Id, Link] = {}
    routes: dict[Id, Route] = {}
    notes: dict[Id, Note] = {}
    groups: dict[Id, Group] = {}
    services: dict[Id, Service] = {}


# Typed in the schema, left raw for core.topology.document.parse.
RawDocument = Annotated[Document, SkipValidation]


class ProblemOut(Output):
    """One finding; ``path`` is a JSON pointer."""

    code: str
    path: str
    message: str
    hint: str
    severity: Literal["error", "warning"]
    params: dict[str, str]


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    path: str = ""
    params: dict[str, str] = {}
    problems: list[ProblemOut] = []


class Failure(Output):
    """A step that the kernel refused."""

    subject: str
    message: str
    hint: str
    code: str = ""
    params: dict[str, str] = {}


class Warned(Output):
    """One warning; an entry of LIVE's ``warnings``. ``code`` is the i18n key, with ``params``."""

    code: str
    link: str | None = None
    node: str | None = None
    message: str
    params: dict[str, str | int]


class Status(Output):
    """What became of the wish. Up to date when ``observed_generation == generation``."""

    phase: Literal["stopped", "starting", "running", "changing", "stopping", "failed", "cancelled"]
    generation: int
    observed_generation: int
    message: str
    code: str = ""  # of the message, its i18n key with ``params``; empty: nobody translates it
    params: dict[str, str] = {}
    steps_done: int
    steps_total: int
    failures: list[Failure]
    since: float | None  # seconds since the epoch: it runs since then
    warnings: list[Warned]  # what the worker finds wrong with it while it runs


class UplinkOut(Output):
    """Whether a lab may send out through its uplink now."""

    granted: bool
    until: int | None  # seconds since the epoch
    reason: str


class UplinkIn(Strict):
    """A grant; ``until`` in seconds since the epoch."""

    until: Annotated[float, Field(gt=0, le=2**40)]
    reason: Annotated[str, Field(max_length=200)] = ""


class LabOut(Output):
    """A lab without its drawing."""

    id: int
    name: str
    seq: int
    generation: int
    running: bool
    owner: str
    created: datetime
    updated: datetime
    status: Status
    uplink: UplinkOut


class LabIn(Strict):
    """A new lab: empty, from a template, or from a document."""

    name: Annotated[str, Field(max_length=120)] = ""
    template: Annotated[str, Field(max_length=80)] | None = None
    document: RawDocument | None = None


class LabPatch(Strict):
    """What of a lab may be changed apart from its drawing."""

    name: Name


class DocumentOut(Output):
    """The drawing at a sequence number."""

    seq: int
    document: Document
    problems: list[ProblemOut]


class OperationHead(Strict):
    """What every operation has."""

    op_id: OpId
    base_seq: Seq
    auto: bool = True  # False: no automatic addresses, as an undo wants it


class Add(Strict):
    """Add a whole object."""

    kind: Literal["add"]
    collection: Collection
    id: Id
    value: dict[str, Any]


class Set(Strict):
    """Change properties of an object, or (``document``, id ``""``) of the drawing itself."""

    kind: Literal["set"]
    collection: Place
    id: Annotated[str, Field(max_length=40)]
    patch: dict[str, Any]


class Remove(Strict):
    """Remove an object and what depends on it."""

    kind: Literal["remove"]
    collection: Collection
    id: Id


class AddOperation(Add, OperationHead):
    """Add one object."""


class SetOperation(Set, OperationHead):
    """Change one object."""


class RemoveOperation(Remove, OperationHead):
    """Remove one object."""


class BatchOperation(OperationHead):
    """All or nothing, one undo step."""

    kind: Literal["batch"]
    operations: Annotated[list[SkipValidation[Add | Set | Remove]], Field(max_length=20_000)]


class ReplaceOperation(OperationHead):
    """Put a whole drawing in place: import, restore."""

    kind: Literal["replace"]
    document: RawDocument


OperationIn = Annotated[
    AddOperation | SetOperation | RemoveOperation | BatchOperation | ReplaceOperation,
    Field(discriminator="kind"),
]


class ChangeAdd(Output):
    """An object appeared."""

    op: Literal["add"]
    collection: Collection
    id: str
    value: dict[str, Any]


class ChangeSet(Output):
    """Properties changed; ``before`` has their old values."""

    op: Literal["set"]
    collection: Place
    id: str
    patch: dict[str, Any]
    before: dict[str, Any]


class ChangeRemove(Output):
    """An object went; ``before`` is what it was."""

    op: Literal["remove"]
    collection: Collection
    id: str
    before: dict[str, Any]


class ChangeReplace(Output):
    """The whole drawing was replaced."""

    op: Literal["replace"]
    document: Document
    before: Document


Change = Annotated[ChangeAdd | ChangeSet | ChangeRemove | ChangeReplace, Field(discriminator="op")]


class AcceptedOperation(Output):
    """An operation as it was stored."""

    seq: int
    op_id: str
    user: int | None
    changes: list[Change]


class AcceptedOut(AcceptedOperation):
    """The answer to an operation: what was stored, and what is wrong with the drawing now."""

    problems: list[ProblemOut]


class OperationsOut(Output):
    """Either the operations after a sequence number, or the document when they are not kept."""

    seq: int
    operations: list[AcceptedOperation] | None = None
    document: Document | None = None


class RevisionOut(Output):
    """A kept drawing; an empty name means that it was kept automatically."""

    number: int
    name: str
    seq: int
    created: datetime
    user: int | None


class RevisionDocument(RevisionOut):
    """A kept drawing, whole."""

    document: Document


class RevisionIn(Strict):
    """The name to keep the present drawing under."""

    name: Name


class StepOut(Output):
    """One step of a plan: the command a person would type, and why."""

    command: str
    reason: str
    subject: str


class PlanOut(Output):
    """What Run, or the worker's next pass, would do."""

    steps: list[StepOut]
    problems: list[ProblemOut]


class DriftIn(Strict):
    """What to do with a difference that someone made by hand."""

    node: Id
    path: Annotated[str, Field(min_length=1, max_length=200)]
    action: Literal["keep", "restore"]


LocalText = dict[Literal["en", "zh-CN"], str]


class TemplateOut(Output):
    """A lab of the gallery."""

    id: str
    name: LocalText
    summary: LocalText
    text: LocalText
    document: Document
