"""A web page on which a visitor explores the latent code of a trained model."""
