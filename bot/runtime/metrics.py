"""What Prometheus may read: how long stages take, what waits, what was said from where, what went wrong.

Labels are stages, voices, sources and kinds; nothing here names a server, a person or words. HEALTH_PORT serves it.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.domain import Reply

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, processor time and open files; Linux only

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30)
NAMESPACE = "talking_photos"

STAGE = Histogram(
    "stage_seconds", "Time of one stage.", ["stage"], namespace=NAMESPACE, buckets=SECONDS, registry=REGISTRY
)
WAIT = Histogram(
    "wait_seconds", "Time work waited for its turn.", namespace=NAMESPACE, buckets=SECONDS, registry=REGISTRY
)
WORK = Histogram(
    "work_seconds", "Time the engine took for one piece of work.",
    namespace=NAMESPACE, buckets=SECONDS, registry=REGISTRY,
)  # fmt: skip
BATCH_SIZE = Histogram(
    "batch_size", "Rows in one run of a model.", ["model"],
    namespace=NAMESPACE, buckets=(1, 2, 3, 4, 6, 8, 12, 16), registry=REGISTRY,
)  # fmt: skip
WAITING = Gauge("waiting", "Messages that wait or are being answered.", namespace=NAMESPACE, registry=REGISTRY)
WORKING = Gauge("working", "Pieces of work at the engine now.", namespace=NAMESPACE, registry=REGISTRY)
REPLIES = Counter(
    "replies", "Replies by where their words came from.", ["source", "voice"], namespace=NAMESPACE, registry=REGISTRY
)
ERRORS = Counter("errors", "Work that ended in an error, by kind.", ["kind"], namespace=NAMESPACE, registry=REGISTRY)
REFUSED = Counter("refused", "Messages refused because the queue was full.", namespace=NAMESPACE, registry=REGISTRY)
REQUESTS = Counter(
    "discord_requests", "Answers of Discord's REST API, by status.", ["method", "status"],
    namespace=NAMESPACE, registry=REGISTRY,
)  # fmt: skip
LATENCY = Gauge("discord_latency_seconds", "From heartbeat to answer.", namespace=NAMESPACE, registry=REGISTRY)
ENGINE = Info("engine", "Where the models run.", namespace=NAMESPACE, registry=REGISTRY)


def note_stages(timings_ms: Mapping[str, float]) -> None:
    """Count the stages that a stopwatch has timed."""
    for stage, spent in timings_ms.items():
        STAGE.labels(stage).observe(spent / 1000)


def note_reply(reply: Reply, voice: str) -> None:
    """Count a reply and the stages it took."""
    REPLIES.labels(reply.source, voice).inc()
    note_stages(reply.timings_ms)


def page() -> tuple[bytes, str]:
    """Return everything in the text format of Prometheus, and the type of that format."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
