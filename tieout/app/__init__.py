"""The roof: settings, wiring, and the doors that people and schedules come in by."""
