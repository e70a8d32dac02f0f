"""A folder of migrations, as steps."""
