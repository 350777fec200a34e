"""How the product's processes are started: alone, or as several under one supervisor."""
