"""The evidence reasoner: expert workflows over what stands in the lines, with no language model."""
