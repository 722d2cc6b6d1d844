"""A small server for development, with the URLs and messages of TensorFlow Serving. In production use the real one."""
