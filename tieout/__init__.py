"""Tieout: posts won CRM deals to the books once each, and proves that the two agree to the cent."""
