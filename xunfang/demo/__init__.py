"""`xunfang demo`: an empty folder becomes a working system that telephones an invented village."""
