"""From a university's extracts to a safe, published release."""
