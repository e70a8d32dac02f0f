"""The backend of a CRM and call centre for small service businesses."""
