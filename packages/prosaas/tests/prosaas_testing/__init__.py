"""What the tests of prosaas share."""
