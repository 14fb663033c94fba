"""What time it is: of a stream's packets, and whether the machine's clock can be believed."""

from pipeline.clock.kernel import kernel_synchronised
from pipeline.clock.stream import ClockReading, StreamClock
from pipeline.clock.trust import RELEASED_NS, ClockTrust, Trust

__all__ = ["RELEASED_NS", "ClockReading", "ClockTrust", "StreamClock", "Trust", "kernel_synchronised"]
