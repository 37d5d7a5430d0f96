"""`xunfang docs --screens`: pictures of the console, taken by a real Chromium over a copy of a demo."""
