"""Portraits: characters that the GAN draws, and faces of photos that the VAE lets smile or age."""
