"""Rate limits per caller: token buckets in each process, which replicas share through a store (ADR 48)."""
