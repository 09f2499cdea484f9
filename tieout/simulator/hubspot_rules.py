"""The rules of HubSpot's APIs that its simulator follows."""

from collections.abc import Sequence

from tieout.simulator.rule import Rule

HUBSPOT_DOCS = "developers.hubspot.com/docs/api-reference"
SPECS = "github.com/HubSpot/HubSpot-public-api-spec-collection, 2026-03"


HUBSPOT_RULES: Sequence[Rule] = (
    Rule(
        "R39",
        "A line item has one parent and no negative price; associations have numbered types.",
        f"{HUBSPOT_DOCS}/crm-line-items-v3/guide",
        refuses="INVALID_NUMBER",
    ),
    Rule(
        "R40",
        "A date is midnight UTC; a datetime is an instant.",
        "developers.hubspot.com/docs/faq/how-should-timestamps-be-formatted-for-hubspots-apis",
        refuses="INVALID_DATE, INVALID_LONG",
    ),
    Rule(
        "R41",
        "Search ends at 10,000 and lags; a merge makes a new id; won is a property; kinds "
        "change on their own; required properties are enforced from 2026-09 on; what was "
        "archived can be restored for 90 days.",
        f"{HUBSPOT_DOCS}/2026-03/crm/search-the-crm",
        refuses="VALIDATION_ERROR, REQUIRED_FIELD, OBJECT_NOT_FOUND",
    ),
    Rule(
        "R42",
        "A token asks 190 times in ten seconds and an account 650,000 times a day; the "
        "answers' headers say what is left.",
        "developers.hubspot.com/docs/api/usage-details",
        refuses="RATE_LIMITS (429)",
    ),
    Rule(
        "R51",
        "The server's clock is in its answers.",
        f"{HUBSPOT_DOCS}/error-handling",
    ),
    Rule(
        "H1",
        "Paths are dated; the numbered ones that came before lead to the same records.",
        "HubSpot changelog, Legacy APIs: what goes unsupported and when",
        refuses="OBJECT_NOT_FOUND, VALIDATION_ERROR",
    ),
    Rule(
        "H2",
        "A batch takes 100 inputs. What fails in part answers 207: with a trace id on every "
        "input a write does what it can, without them all or nothing.",
        f"{HUBSPOT_DOCS}/error-handling (multi-status errors)",
        refuses="VALIDATION_ERROR, OBJECT_NOT_FOUND",
    ),
    Rule(
        "H3",
        "A search asks 200 a page, 5 groups, 6 filters in each, 18 in all, one sort, 5 times "
        "a second; its answers carry no headers of the rate.",
        f"{HUBSPOT_DOCS}/2026-03/crm/search-the-crm",
        refuses="VALIDATION_ERROR, RATE_LIMIT (429)",
    ),
    Rule(
        "H4",
        "A unique property finds by `idProperty` at once, upserts by it, and is held once.",
        f"{SPECS}: Deals",
        refuses="CONFLICTING_UNIQUE_VALUE, CONFLICT (409)",
    ),
    Rule(
        "H5",
        "Associations are read for 1,000 records and written for 2,000; each row pages on "
        "its own, and a record without any is named in an error.",
        f"{SPECS}: Associations",
        refuses="NO_ASSOCIATIONS_FOUND, VALIDATION_ERROR",
    ),
    Rule(
        "H6",
        "Values travel as texts; what is unknown, read-only or not of its type is refused "
        "with its code when it is written, and left out when it is read.",
        f"{SPECS}: Properties",
        refuses="PROPERTY_DOESNT_EXIST, READ_ONLY_VALUE, INVALID_NUMBER and others",
    ),
    Rule(
        "H7",
        "Properties are made in groups, once, and at most ten of a kind are unique.",
        f"{SPECS}: Properties",
        refuses="OBJECT_ALREADY_EXISTS (409), VALIDATION_ERROR",
    ),
    Rule(
        "H8",
        "A token that is not in force is a 401; one without the scope a 403 that names it.",
        f"{HUBSPOT_DOCS}/error-handling",
        refuses="INVALID_AUTHENTICATION, EXPIRED_AUTHENTICATION (401), MISSING_SCOPES (403)",
    ),
    Rule(
        "H9",
        "A body is JSON by its content type, and has the names and types of its operation.",
        SPECS,
        refuses="VALIDATION_ERROR, UNSUPPORTED_MEDIA_TYPE (415)",
    ),
    Rule(
        "H10",
        "Account, owners and pipelines tell who the portal is, its people and its stages.",
        f"{SPECS}: Account Info, Owners, Pipelines",
    ),
    Rule(
        "H11",
        "Webhooks of an app tell of changes, signed with method, address, body and time.",
        "HubSpot, webhooks; validating requests",
    ),
    Rule(
        "H13",
        "A portal's own objects have a schema, a full name and a type id that begins with 2-; "
        "they share one scope, and are associated with what the schema names.",
        f"{SPECS}: Schemas, Custom Objects",
        refuses="OBJECT_ALREADY_EXISTS (409), VALIDATION_ERROR, MISSING_SCOPES (403)",
    ),
    Rule(
        "H14",
        "An association with a label of the portal's own has the type without one as well, and "
        "a word of its own from the other side.",
        f"{SPECS}: Associations Schema",
        refuses="OBJECT_ALREADY_EXISTS (409)",
    ),
    Rule(
        "H12",
        "An OAuth app is installed by a person: a code buys once, access tokens live half an hour "
        "and have the scopes that were given, and the app has a rate of its own.",
        f"{HUBSPOT_DOCS}/latest/authentication/manage-oauth-tokens; {SPECS}: OAuth",
        refuses="invalid_grant, invalid_client, unsupported_grant_type, invalid_request",
    ),
    Rule(
        "H15",
        "A line's price and its discount are rounded each, to its currency, and the net price "
        "is what is left; a percentage stands before an amount.",
        "knowledge.hubspot.com/payments/understand-payment-discounts",
    ),
    Rule(
        "H16",
        "A line names a tax rate by its id, and has its label, its percent, its tax and the "
        "price with tax.",
        f"{HUBSPOT_DOCS}/2026-03/crm/objects/line-items/guide",
        unfollowed="Taxes that HubSpot finds by itself, by address.",
    ),
    Rule(
        "H17",
        "A term is an ISO 8601 period; with the frequency it makes the number of payments and "
        "the value of the contract. A line without a frequency is paid once.",
        "knowledge.hubspot.com/properties/hubspots-default-line-item-properties",
        refuses="INVALID_PERIOD",
    ),
    Rule(
        "H18",
        "A quote or an invoice of HubSpot's own has its lines, and discounts, fees and taxes "
        "of the whole, each a percent or a fixed amount: discounts first, then fees, then taxes.",
        "developers.hubspot.com/docs/api/crm/discounts, /docs/api/crm/fees; "
        "knowledge.hubspot.com, Use line items",
        unfollowed="What is published or open is locked, and HubSpot refuses to change it.",
    ),
    Rule(
        "H19",
        "A quote is a draft, pending, approved, rejected or in need of no approval, and counts its "
        "signatures; an invoice is a draft, open, paid or voided, with a number once it is open.",
        f"{HUBSPOT_DOCS}/2026-03/crm/objects/quotes/guide, /invoices/guide",
        unfollowed="Overdue is no status here.",
    ),
)
