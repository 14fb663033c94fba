"""Live pictures for browsers: the taps' packets, as they come, by WebRTC (WHEP) or for MSE."""
