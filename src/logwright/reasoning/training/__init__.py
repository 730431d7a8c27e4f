"""Training of a reasoner in stages: plan, steps, preference, grpo. One configuration and one file
each; `running.train` runs a stage. Nothing but these modules needs torch, transformers or trl."""
