"""A web page on which one walks through the code of a trained model."""
