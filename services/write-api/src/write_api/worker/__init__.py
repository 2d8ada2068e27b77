"""The worker: takes commands from Kafka, runs them in batches, parks those that cannot be run."""

from write_api.worker.worker import Worker

__all__ = ["Worker"]
