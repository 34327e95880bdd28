"""What leaves for editing programs, and what comes back: one module per format."""
