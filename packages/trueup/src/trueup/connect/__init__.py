"""Which URL, what stands behind it, and the session's settings."""
