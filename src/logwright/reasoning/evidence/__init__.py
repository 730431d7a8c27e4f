"""The evidence reasoner: expert workflows over what stands in the lines, without a language model."""
