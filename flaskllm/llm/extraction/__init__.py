"""What can be told of a document without a model: sentences, cues, keywords."""
