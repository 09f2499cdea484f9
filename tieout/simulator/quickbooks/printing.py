"""The PDF of an invoice: another file each time, as a real one bears the instant of its making.

Source: Intuit's API reference, "Invoice", "Get an invoice as PDF": `GET invoice/{id}/pdf`.
"""

import re

from tieout.simulator.quickbooks.company import QuickBooksCompany

PDF = "application/pdf"
_ASKED = re.compile(r"invoice/([^/]+)/pdf", re.IGNORECASE)


def printed(company: QuickBooksCompany, method: str, rest: str) -> bytes | None:
    """Return the PDF that a path asks for, None where it asks for something else.

    Raises:
        Refused: 610, there is no such invoice.
    """
    asked = _ASKED.fullmatch(rest)
    if method != "GET" or asked is None:
        return None
    body = company.shown("Invoice", company.find("Invoice", asked[1]))
    company.prints += 1
    said = f"Invoice {body.get('DocNumber')}, {body['TotalAmt']}, version {body['SyncToken']}"
    text = f"%PDF-1.4\n% {said}, print {company.prints}\n%%EOF\n"
    return text.encode() + b"%" * company.print_padding
