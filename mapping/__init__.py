"""The translation: YAML in, document out."""
