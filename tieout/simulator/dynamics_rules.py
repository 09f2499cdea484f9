"""The rules of Dynamics 365's Web API (Dataverse) that its simulator follows."""

from collections.abc import Sequence

from tieout.simulator.rule import Rule

DATAVERSE = "learn.microsoft.com/power-apps/developer/data-platform"

DYNAMICS_RULES: Sequence[Rule] = (
    Rule(
        "R43",
        "A user asks one server 6,000 times and for 1,200 seconds of work in five minutes, and "
        "52 times at once; Retry-After says how long to wait.",
        f"{DATAVERSE}/api-limits",
        refuses="0x80072322, 0x80072321, 0x80072326 (429)",
        unfollowed="The entitlement of a day (Power Platform requests) is not counted: nothing "
        "says how it refuses.",
    ),
    Rule(
        "R49",
        "Accounts and contacts can be merged, opportunities cannot: the subordinate becomes "
        "inactive and points at the other, and what led to it leads there.",
        f"{DATAVERSE}/merge-data",
        refuses="0x80040203",
    ),
    Rule(
        "R51",
        "The server's clock is in its answers.",
        f"{DATAVERSE}/webapi/compose-http-requests-handle-errors",
    ),
    Rule(
        "D1",
        "An app signs in with a secret or a signed assertion, for one organization, for an hour.",
        "learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
        refuses="AADSTS7000215, 700016, 90002, 700027, 700024, 500011, 1002012; 0x8005F101 (401), "
        "0x80072560 (403)",
    ),
    Rule(
        "D2",
        "Rows are selected, filtered, ordered and expanded; a name or a syntax that is not there "
        "is refused.",
        f"{DATAVERSE}/webapi/query/overview",
        refuses="0x80060888, 0x80040217 (404)",
        unfollowed="Lambda operators, aggregation, FetchXML and other functions than contains, "
        "startswith, endswith and In are refused as unknown.",
    ),
    Rule(
        "D3",
        "With `odata.track-changes` a query answers the whole table and a delta link, which "
        "answers what moved since, deletions last; it takes no filter, order, top or expand, "
        "and expires after seven days.",
        f"{DATAVERSE}/use-change-tracking-synchronize-data-external-systems",
        refuses="0x80044352, 0x80072491, 0x80060888",
    ),
    Rule(
        "D4",
        "A write answers 204, or the row to whom prefers it; If-Match and If-None-Match keep it "
        "from overwriting, creating or updating; versions only grow.",
        f"{DATAVERSE}/webapi/perform-conditional-operations-using-web-api",
        refuses="0x80060882, 0x80040237 (412), 0x80040217 (404)",
    ),
    Rule(
        "D5",
        "An alternate key addresses a row and is held once; some signs go only as a parameter, "
        "and its column is not repeated in the body of a create.",
        f"{DATAVERSE}/use-alternate-key-reference-record",
        refuses="0x80060891 (404), 0x80060892 (412), 0x80060890, 0x80048d19",
    ),
    Rule(
        "D6",
        "A batch holds 1,000 requests, in their order; a change set is done whole or not at all; "
        "the first failure ends it, unless it is to continue on errors.",
        f"{DATAVERSE}/webapi/execute-batch-operations-using-web-api",
        refuses="0x80060888",
    ),
    Rule(
        "D7",
        "Metadata tells tables, columns, keys and choices, each with its published name and type.",
        f"{DATAVERSE}/webapi/query-metadata-web-api",
        refuses="0x80060888",
    ),
    Rule(
        "D8",
        "Columns, keys and tables are made in a solution, under a publisher's prefix, once; a "
        "key is Pending until its index is built; change tracking is never taken back.",
        f"{DATAVERSE}/webapi/create-update-column-definitions-using-web-api",
        refuses="0x80047013, 0x80047010, 0x80060893, 0x80060894, 0x80048d19, 0x80040203",
    ),
    Rule(
        "D9",
        "A body has the names and types of its table; texts have lengths, choices their values, "
        "and lookups are bound to what is there.",
        f"{DATAVERSE}/webapi/create-entity-web-api",
        refuses="0x80048d19, 0x80044331, 0x80044330, 0x8004431a",
        unfollowed="Related rows are not made in the same body.",
    ),
    Rule(
        "D10",
        "Money has a currency's precision and a twin in the organization's own money; lines and "
        "opportunities are summed by the server.",
        f"{DATAVERSE}/transaction-currency-currency-entity",
        unfollowed="Price lists set no price: each line brings its own.",
    ),
    Rule(
        "D11",
        "An opportunity is won and lost by an action with a reason of that state, and opened by "
        "its state; its lines are read-only when it is closed.",
        f"{DATAVERSE}/webapi/reference/winopportunity",
        refuses="0x80040515, 0x80040203, 0x80048408, 0x80043b09",
    ),
    Rule(
        "D12",
        "A user without a privilege is told which.",
        f"{DATAVERSE}/security-roles",
        refuses="0x80040220 (403)",
        unfollowed="A privilege holds for all rows or none: there are no business units.",
    ),
    Rule(
        "D18",
        "A secured column is shown and taken only with a column security profile.",
        f"{DATAVERSE}/column-level-security",
        refuses="0x8004F502, 0x8004F507, 0x8004F506 (403)",
        unfollowed="A profile holds for all secured columns and all permissions, or there is none.",
    ),
    Rule(
        "D13",
        "A page has 5,000 rows at most and a link to the next; an address has 32,768 characters.",
        f"{DATAVERSE}/webapi/query/page-results",
        refuses="0x80060888",
    ),
    Rule(
        "D14",
        "Labels of choices and names of lookups are told to whom asks for annotations.",
        f"{DATAVERSE}/webapi/compose-http-requests-handle-errors",
    ),
    Rule(
        "D15",
        "A note holds a file in base64, and belongs to a record; the text is given alone, too.",
        f"{DATAVERSE}/attachment-annotation-files",
        refuses="0x80044a02",
    ),
    Rule(
        "D16",
        "Duplicates are looked for only when a write asks for it.",
        f"{DATAVERSE}/webapi/manage-duplicate-detection-create-update",
        refuses="0x80040333 (412)",
    ),
    Rule(
        "D17",
        "A plug-in may refuse a write in its own words.",
        f"{DATAVERSE}/handle-exceptions",
        refuses="0x80040265",
    ),
)
