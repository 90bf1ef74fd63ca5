"""The same study from several sites: what each says, and what all of them say together."""
