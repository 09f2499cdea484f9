"""What a make-believe company sells, where, in which money, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tieout.simulator.hubspot.schema import EXPONENTS, Property, custom


@dataclass(frozen=True, slots=True)
class Country:
    """A country, its money, and how its tax numbers look (`#` is a digit)."""

    code: str
    name: str
    currency: str
    city: str
    tax_number: str
    per_euro: Decimal
    """Units of its money that one euro buys, roughly."""


COUNTRIES: Sequence[Country] = (
    Country("DE", "Germany", "EUR", "Köln", "DE#########", Decimal(1)),
    Country("FR", "France", "EUR", "Nîmes", "FR###########", Decimal(1)),
    Country("NO", "Norway", "NOK", "Tromsø", "NO#########MVA", Decimal("11.6")),
    Country("GB", "United Kingdom", "GBP", "Leeds", "GB#########", Decimal("0.86")),
    Country("US", "United States", "USD", "Austin", "##-#######", Decimal("1.09")),
    Country("CN", "China", "USD", "上海", "91##############", Decimal("1.09")),
    Country("JP", "Japan", "JPY", "大阪", "T#############", Decimal(162)),
    Country("KW", "Kuwait", "KWD", "Kuwait City", "#########", Decimal("0.335")),
)

SPECIAL_NAMES: Sequence[tuple[str, str]] = (
    ("O'Brien & Sons", "GB"),
    ("Bär & Söhne GmbH", "DE"),
    ("L'Étoile du Nord", "FR"),
    ("Ødegård Skogsdrift AS", "NO"),
    ("北京星河科技有限公司", "CN"),
    ("株式会社みどり", "JP"),
    ("الخليج للتجارة", "KW"),
    ('Smith "Quick" Logistics', "US"),
    ("Château d'Eau — Conseil", "FR"),
    ("Müller, Weiß & Partner mbB", "DE"),
    ("Acme: Western Division", "US"),
    ("100% Pure Foods", "GB"),
)
FIRST_WORDS = ("Nordic", "Blue", "Alpine", "Delta", "Prime", "Silver", "Urban", "Coastal", "Bright")
SECOND_WORDS = ("Timber", "Robotics", "Foods", "Energy", "Textiles", "Clinics", "Media", "Freight")
ENDINGS = {"DE": "GmbH", "FR": "SARL", "NO": "AS", "GB": "Ltd", "US": "Inc.", "JP": "K.K."}
PEOPLE = (
    ("Ada", "Byron"),
    ("Søren", "Ågård"),
    ("Máire", "O'Neill"),
    ("伟", "王"),
    ("José", "Núñez"),
    ("Grace", "Hopper"),
    ("Zoë", "Åkesson"),
    ("Jean-Luc", "D'Amico"),
)
TERMS = ("Net 30", "Net 15", "Net 60", "Due on receipt")

PRODUCTS: Sequence[tuple[str, str, Decimal]] = (
    ("C-100", "Consulting hour", Decimal(150)),
    ("L-200", "Platform licence", Decimal(490)),
    ("S-300", "Support, per seat", Decimal("19.90")),
    ("T-400", "Training day", Decimal(1200)),
    ("D-500", "Data import, per 1,000 rows", Decimal("0.125")),
    ("H-600", "Gateway device", Decimal("349.99")),
    ("A-700", "Audit", Decimal(2750)),
    ("Z-800", "Setup (no charge)", Decimal(0)),
)
"""SKU, name, price in euro."""

CUSTOM: Sequence[tuple[str, Property]] = (
    ("deals", custom(name="po_number", label="Purchase order number")),
    ("companies", custom(name="vat_number", label="VAT number")),
    ("companies", custom(name="payment_terms", label="Payment terms")),
    (
        "line_items",
        custom(
            name="tax_category",
            label="Tax category",
            type="enumeration",
            field_type="select",
            options=(("standard", "Standard"), ("reduced", "Reduced"), ("none", "None")),
        ),
    ),
)
"""Properties that this company's administrator has added."""


def priced(euro: Decimal, country: Country, currency: str) -> Decimal:
    """Return a price in another money, in its own digits; small prices keep three."""
    rate = country.per_euro if currency == country.currency else Decimal(1)
    digits = EXPONENTS.get(currency, 2)
    if euro < 1 and digits:
        digits = 3
    return (euro * rate).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
