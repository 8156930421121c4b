"""JSON underneath documents, options and configuration: values, conversion, schemas."""
