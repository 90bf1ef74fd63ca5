"""Keeping what was computed: records, the store that holds them, which of them answer a study."""
