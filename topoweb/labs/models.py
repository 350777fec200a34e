"""Labs: the drawing, its history, the wish for it and what became of the wish.

The web writes the wish (`Lab`, `Operation`, `Revision`, a new `Probe`); the worker writes what
is (`LabStatus`, a probe's status and result). `Lab.generation` rises with each change of the
wish, `LabStatus.observed_generation` follows it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Lab(models.Model):
    """A drawing that someone owns and may run."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="labs")
    name = models.CharField(max_length=120)
    document = models.JSONField()  # as core.topology.document.dump gives it
    # How many of each the document has: counted over labs without reading their documents.
    node_count = models.PositiveIntegerField(default=0)
    link_count = models.PositiveIntegerField(default=0)
    seq = models.PositiveBigIntegerField(default=0)  # operations accepted so far
    generation = models.PositiveBigIntegerField(default=0)
    running = models.BooleanField(default=False)
    # The worker drops the work for generations up to this one.
    cancel_generation = models.PositiveBigIntegerField(default=0)
    # At this generation the worker puts back everything that drifted.
    restore_generation = models.PositiveBigIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated", "-id"]

    def __str__(self) -> str:
        return self.name


class LabStatus(models.Model):
    """What the worker says of a lab."""

    lab = models.OneToOneField(Lab, models.CASCADE, related_name="status", primary_key=True)
    # stopped, starting, running, changing, stopping, failed, cancelled
    phase = models.CharField(max_length=16, default="stopped")
    observed_generation = models.PositiveBigIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    code = models.CharField(max_length=64, blank=True, default="")  # of the message
    params = models.JSONField(default=dict, blank=True)  # value → text
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=0)
    failures = models.JSONField(
        default=list, blank=True
    )  # [{"subject", "hint", "message", "code", "params"}]
    since = models.DateTimeField(null=True, blank=True)  # runs since; null while it does not
    warnings = models.JSONField(default=list, blank=True)  # as in docs/protocol.md, LIVE
    updated = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"lab {self.lab_id}: {self.phase}"


class LabLimits(models.Model):
    """What this one lab may use, where it is not what every lab may. Null: as every lab."""

    lab = models.OneToOneField(Lab, models.CASCADE, related_name="limits", primary_key=True)
    nodes = models.PositiveIntegerField(null=True, blank=True)
    links = models.PositiveIntegerField(null=True, blank=True)
    processes = models.PositiveIntegerField(null=True, blank=True)
    node_processes = models.PositiveIntegerField(null=True, blank=True)
    memory = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    node_memory = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    cpu = models.FloatField(null=True, blank=True, help_text="processors")
    disk = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    inodes = models.PositiveIntegerField(null=True, blank=True)
    terminals = models.PositiveIntegerField(null=True, blank=True)
    link_rate = models.PositiveBigIntegerField(null=True, blank=True, help_text="bit/s of a cable")
    node_links = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "lab limits"

    def __str__(self) -> str:
        return f"limits of lab {self.lab_id}"


class UplinkGrant(models.Model):
    """Until when a lab may send out through its uplink. Staff give it; the worker obeys it."""

    lab = models.OneToOneField(Lab, models.CASCADE, related_name="uplink_grant", primary_key=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    given = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"uplink of lab {self.lab_id} until {self.until:%Y-%m-%d %H:%M}"


class Operation(models.Model):
    """One accepted change of a drawing."""

    lab = models.ForeignKey(Lab, models.CASCADE, related_name="operations")
    seq = models.PositiveBigIntegerField()
    op_id = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changes = models.JSONField()
    generation = models.PositiveBigIntegerField(default=0)  # the lab's, once this was stored
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["lab", "seq"], name="operation_once_per_seq"),
            models.UniqueConstraint(fields=["lab", "op_id"], name="operation_once_per_op_id"),
        ]

    def __str__(self) -> str:
        return f"lab {self.lab_id} operation {self.seq}"


class Revision(models.Model):
    """A drawing as it was, kept by name or by the clock."""

    lab = models.ForeignKey(Lab, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True, default="")  # "": made automatically
    document = models.JSONField()
    seq = models.PositiveBigIntegerField()
    created = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["lab", "number"], name="revision_once_per_number")
        ]

    def __str__(self) -> str:
        return f"lab {self.lab_id} revision {self.number}"


class Probe(models.Model):
    """A ping, TCP connect, UDP datagram or traceroute from inside a node."""

    lab = models.ForeignKey(Lab, models.CASCADE, related_name="probes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=16)  # ping, tcp, udp, traceroute
    source = models.CharField(max_length=40)  # node id
    target = models.CharField(max_length=64)  # node id or IP address
    port = models.PositiveIntegerField(null=True)
    count = models.PositiveSmallIntegerField(default=3)
    status = models.CharField(max_length=8, default="waiting")  # waiting, running, done, failed
    result = models.JSONField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["status", "lab"], name="probe_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} → {self.target}"


class Recording(models.Model):
    """What was seen of a lab for a while, kept by somebody. It outlives the lab."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recordings")
    lab = models.ForeignKey(Lab, models.SET_NULL, null=True, related_name="recordings")
    lab_name = models.CharField(max_length=120, blank=True, default="")
    name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()  # bytes of its file
    digest = models.CharField(max_length=64)  # SHA-256 of its file
    began = models.FloatField()  # seconds since the epoch
    ended = models.FloatField()
    packets = models.PositiveIntegerField()
    faults = models.PositiveIntegerField()
    tier = models.CharField(max_length=64)
    imported = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    # Who has the address may look until then. Only the SHA-256 of its token is stored.
    share_digest = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique
    share_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.name


class RecordingFile(models.Model):
    """The file of a recording, as `core.tracing.recording_file` writes it."""

    recording = models.OneToOneField(
        Recording, models.CASCADE, related_name="file", primary_key=True
    )
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"file of recording {self.recording_id}"


class Keeping(models.Model):
    """A lab that somebody has captured although nobody looks."""

    lab = models.OneToOneField(Lab, models.CASCADE, related_name="keeping", primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"lab {self.lab_id} until {self.until:%H:%M:%S}"
