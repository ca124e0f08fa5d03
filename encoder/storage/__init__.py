"""The platform's own object store: outputs without a destination, later uploads and chunks."""
