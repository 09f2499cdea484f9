"""The words: pure values and rules, standard library only."""
