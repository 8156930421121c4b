"""JSON Schemas: validation of documents, and reading a schema's parts."""
