"""What users of a busy table feel while it is changed, with trueup and with the tools they know."""
