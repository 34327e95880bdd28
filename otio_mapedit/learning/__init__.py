"""Learning from people: what they rated and chose, and how well a machine agrees with them."""
