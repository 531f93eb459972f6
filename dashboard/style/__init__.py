"""How things look and read: colours, typography, numbers, words."""
