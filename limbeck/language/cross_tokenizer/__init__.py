"""Teacher and student with different tokenizers: texts are bytes, and chunks of them are shared."""
