"""Looking inside an edit: what was seen and heard, what was decided, and why."""
