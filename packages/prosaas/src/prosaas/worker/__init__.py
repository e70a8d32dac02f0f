"""The worker: checks the schema, says that it is alive, takes jobs from the queues."""
