"""All faults that workers are put to, by name; each is done in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fault_clock
import fault_disk
import fault_kafka
import fault_poison
import fault_redis
import fault_workers
from fault_kit import Outcome

__all__ = ["FAULTS"]

FAULTS: dict[str, Callable[[Path, int], Outcome]] = {
    "worker-killed": fault_workers.killed,
    "worker-killed-redis": fault_workers.killed_at_redis,
    "worker-slept": fault_workers.slept,
    "worker-slept-redis": fault_workers.slept_at_redis,
    "partition-moved": fault_kafka.moved,
    "redis-killed": fault_redis.killed,
    "redis-flushed": fault_redis.flushed,
    "connections-cut": fault_redis.cut,
    "connections-stalled": fault_redis.stalled,
    "disk-full": fault_disk.full,
    "clock-set": fault_clock.stepped,
    "poison-redis": fault_poison.of_redis,
    "poison-kafka": fault_poison.of_kafka,
}
