"""From a camera's packets to sealed segments in the store. Knows nothing of HTTP and cannot unseal."""
