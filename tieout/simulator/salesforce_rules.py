"""The rules of Salesforce's APIs that its simulator follows."""

from collections.abc import Sequence

from tieout.simulator.rule import Rule

_REST = "developer.salesforce.com, REST API Developer Guide"
_OBJECTS = "developer.salesforce.com, Object Reference"
_SOQL = "developer.salesforce.com, SOQL and SOSL Reference"

SALESFORCE_RULES: Sequence[Rule] = (
    Rule(
        "R35",
        "A line's total is net of its discount. A discount alone holds the price; with a quantity "
        "it needs a price or a total too. A line's money is its opportunity's and its entry's. "
        "Where there are lines, the amount is their sum, and one that is sent is ignored.",
        f"{_OBJECTS}, OpportunityLineItem; help.salesforce.com 004052228",
        refuses="FIELD_INTEGRITY_EXCEPTION",
        unfollowed="Schedules, which make quantity and price read-only.",
    ),
    Rule(
        "R36",
        "SystemModstamp tells a change, in whole seconds of the server's clock. A change of a line "
        "moves its opportunity only with the amount; a change of an account moves none; a renamed "
        "value moves it, and not LastModifiedDate. A slow transaction comes to light under the "
        "time at which it wrote.",
        "developer.salesforce.com, SOAP API Developer Guide, Polling for Changes; "
        "help.salesforce.com 000387261",
        unfollowed="Change Data Capture and the logs of getUpdated and getDeleted: nothing here "
        "reads them.",
    ),
    Rule(
        "R37",
        "What is deleted, and what was merged away, is seen by queryAll for 15 days; the loser of "
        "a merge names its master, and what referred to it moves. An undelete brings the parts "
        "back. An account that has bought is not deleted.",
        "developer.salesforce.com, SOAP API Developer Guide, merge(), undelete()",
        refuses="ENTITY_IS_DELETED, DELETE_FAILED, UNDELETE_FAILED",
    ),
    Rule(
        "R38",
        "An app that an administrator made signs an assertion, or has credentials of its own; no "
        "other flow is known.",
        "help.salesforce.com, OAuth 2.0 JWT Bearer Flow, Client Credentials Flow, 005132365",
        refuses="invalid_grant, invalid_client, invalid_client_id, unsupported_grant_type",
    ),
    Rule(
        "R49",
        "Accounts and contacts are merged, opportunities never.",
        "developer.salesforce.com, SOAP API Developer Guide, merge()",
        refuses="INVALID_TYPE",
    ),
    Rule("R51", "The server's clock is in its answers.", f"{_REST}, Headers"),
    Rule(
        "S1",
        "A session ends by itself or by an administrator's hand; user info tells whose it is.",
        f"{_REST}, Status Codes and Error Responses",
        refuses="INVALID_SESSION_ID (401)",
    ),
    Rule(
        "S2",
        "SOQL selects fields, parents up to five levels, children, and by type; filters, orders "
        "and cuts; each literal is of its field's type. Numbers are written as doubles are, "
        "large ones with an exponent.",
        f"{_SOQL}, SOQL SELECT Syntax, Relationship Queries, Date Formats and Date Literals; "
        "help.salesforce.com 000385889",
        refuses="MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE, INVALID_QUERY_FILTER_OPERATOR",
        unfollowed="Functions but COUNT(), GROUP BY, WITH, FOR, USING, multi-select operators and "
        "further date literals are refused as malformed; an alias may stand in no path.",
    ),
    Rule(
        "S3",
        "A page has up to 2,000 rows, children counted, and may have fewer; only `done` says that "
        "it is the last. A locator lives two days and is its user's; ten are open at once.",
        f"{_REST}, Query; help.salesforce.com 000384958",
        refuses="INVALID_QUERY_LOCATOR",
    ),
    Rule(
        "S4",
        "A field or a kind that the user may not see is as if it were not there; what it may not "
        "edit is refused by its name.",
        "help.salesforce.com, Field-Level Security",
        refuses="INVALID_FIELD, INVALID_TYPE, INVALID_FIELD_FOR_INSERT_UPDATE, "
        "INSUFFICIENT_ACCESS_OR_READONLY (403)",
        unfollowed="Sharing of single records: the integration user sees all of a kind or none. "
        "Rows of ObjectPermissions are kept, and the administrator's deeds say who may.",
    ),
    Rule(
        "S5",
        "Describe tells fields, children and record types of a kind.",
        f"{_REST}, sObject Describe",
        refuses="NOT_FOUND (404)",
    ),
    Rule(
        "S6",
        "A collection has 200 records, each with its own answer unless all or none is asked. "
        "Types that alternate make chunks, of which ten are allowed.",
        f"{_REST}, sObject Collections",
        refuses="EXCEEDED_ID_LIMIT, LIMIT_EXCEEDED, MIXED_DML_OPERATION, "
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ),
    Rule(
        "S7",
        "An external id finds, changes or makes a record, encoded in the address; a unique value "
        "is held once.",
        f"{_REST}, sObject Rows by External ID",
        refuses="DUPLICATE_VALUE, NOT_FOUND (404), MULTIPLE_CHOICES (300)",
    ),
    Rule(
        "S8",
        "Each value is of its field's type, length and range; what must be there is there.",
        "developer.salesforce.com, SOAP API Developer Guide, StatusCode",
        refuses="REQUIRED_FIELD_MISSING, STRING_TOO_LONG, INVALID_TYPE_ON_FIELD_IN_RECORD, "
        "NUMBER_OUTSIDE_VALID_RANGE, INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST, MALFORMED_ID, "
        "INVALID_CROSS_REFERENCE_KEY, INVALID_EMAIL_ADDRESS, INACTIVE_OWNER_OR_USER",
    ),
    Rule(
        "S9",
        "A record may be held by another transaction or locked by an approval; rules and code of "
        "the administrator refuse values and duplicates.",
        "developer.salesforce.com, SOAP API Developer Guide, StatusCode",
        refuses="UNABLE_TO_LOCK_ROW, ENTITY_IS_LOCKED, FIELD_CUSTOM_VALIDATION_EXCEPTION, "
        "DUPLICATES_DETECTED, CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    ),
    Rule(
        "S10",
        "An org has so many calls in 24 hours; each answer says how many are used, and none says "
        "when to come back.",
        "developer.salesforce.com, API Request Limits and Allocations",
        refuses="REQUEST_LIMIT_EXCEEDED (403)",
        unfollowed="25 calls of 20 seconds at once: nothing here takes so long; a `status` fault "
        "spelled `concurrent` plays it.",
    ),
    Rule(
        "S11",
        "A composite has 25 parts, of which five are queries or collections, and is one call; "
        "later parts refer to earlier ones.",
        f"{_REST}, Composite",
        refuses="PROCESSING_HALTED, LIMIT_EXCEEDED",
        unfollowed="Graphs, trees and batches of the composite API.",
    ),
    Rule(
        "S12",
        "The Tooling API makes custom fields, once, and finds them.",
        "developer.salesforce.com, Tooling API Reference, CustomField, FieldDefinition",
        refuses="DUPLICATE_DEVELOPER_NAME, FIELD_INTEGRITY_EXCEPTION, INSUFFICIENT_ACCESS (403)",
        unfollowed="Custom objects, layouts and the Metadata API.",
    ),
    Rule(
        "S13",
        "A field that was made is seen once a permission set that is assigned grants it.",
        f"{_OBJECTS}, PermissionSet, FieldPermissions, PermissionSetAssignment",
        refuses="DUPLICATE_VALUE, INSUFFICIENT_ACCESS_OR_READONLY (403)",
    ),
    Rule(
        "S14",
        "A bulk query is a job: made, polled, read as CSV by locators, kept for seven days. It "
        "takes plain columns only, and its rows come in no order.",
        "developer.salesforce.com, Bulk API 2.0 and Bulk API Developer Guide",
        refuses="INVALIDJOB, INVALIDJOBSTATE, INVALIDENTITY",
        unfollowed="Ingest jobs: write-backs go by collections.",
    ),
    Rule(
        "S15",
        "An org with several currencies names each record's money and has rates, dated ones too; "
        "an org with one knows no such field or kind.",
        f"{_OBJECTS}, CurrencyType, DatedConversionRate; Connect REST API, Organization",
        refuses="INVALID_FIELD, INVALID_TYPE",
    ),
    Rule(
        "S16",
        "A file is a version of a document, linked to records; its bytes have an address, and come "
        "as base64 or in a part. Links are asked for by their ends, and not within another query's "
        "conditions.",
        f"{_OBJECTS}, ContentVersion, ContentDocumentLink",
        refuses="REQUIRED_FIELD_MISSING, INVALID_BASE64, INVALID_MULTIPART_REQUEST, "
        "MALFORMED_QUERY",
    ),
    Rule(
        "S17",
        "An address has 16,384 bytes, versions are listed, and each resource its methods.",
        f"{_REST}, Versions, Status Codes and Error Responses",
        refuses="414, 431, NOT_FOUND (404), METHOD_NOT_ALLOWED (405), "
        "UNSUPPORTED_MEDIA_TYPE (415), JSON_PARSER_ERROR",
    ),
    Rule(
        "S18",
        "People clone deals without their external ids, rename values, and remove fields.",
        "help.salesforce.com, Clone Records, Picklist Considerations, Delete Custom Fields",
    ),
)
