"""A small server for development, with the URLs and messages of TensorFlow Serving. Production wants the real one."""
