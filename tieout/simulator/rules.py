"""Which of the vendors' rules the simulators follow, and why they leave the others.

A rule's tests carry its name, as `test_r11_…`; `docs/reference/simulators.md` is made of both.
R1 to R52 are the domain's rules; H, Q, D and S are further facts of HubSpot's,
QuickBooks', Dynamics 365's and Salesforce's APIs.
"""

from collections.abc import Mapping, Sequence

from tieout.simulator.dynamics_rules import DYNAMICS_RULES
from tieout.simulator.hubspot_rules import HUBSPOT_RULES
from tieout.simulator.rule import Rule
from tieout.simulator.salesforce_rules import SALESFORCE_RULES

HUBSPOT = "HubSpot"
QUICKBOOKS = "QuickBooks Online"
DYNAMICS = "Dynamics 365"
SALESFORCE = "Salesforce"
INTUIT = "developer.intuit.com/app/developer/qbo/docs"
ERRORS = (
    "developer.intuit.com/hub/blog/2017/06/08/"
    "top-quickbooks-online-api-errors-and-how-to-handle-them"
)


RULES: Mapping[str, Sequence[Rule]] = {
    HUBSPOT: HUBSPOT_RULES,
    QUICKBOOKS: (
        Rule(
            "R1",
            "A display name is unique over customers, vendors and employees, has no colon, tab or "
            "new line, and cannot be taken away.",
            "Intuit, reference of Customer",
            refuses="6240, 6000, 6080",
        ),
        Rule(
            "R2",
            "Texts have lengths.",
            "intuit/QuickBooks-V3-PHP-SDK, src/Data",
            refuses="2050",
        ),
        Rule(
            "R3",
            "An e-mail address has an @ and a dot.",
            "Intuit, reference of Customer",
            refuses="2210",
        ),
        Rule(
            "R4",
            "Sub-customers go four levels under the top; a project is one, and read-only.",
            "Intuit, reference of Customer",
            refuses="6000, 2020, 2500",
        ),
        Rule(
            "R5",
            "List records are made inactive, never deleted, and then hidden from queries.",
            "blogs.intuit.com/2014/03/20/advanced-sql-queries",
            refuses="500",
        ),
        Rule(
            "R6",
            "The company's setting says who numbers documents; a number is taken once.",
            "Intuit, reference of Invoice",
            refuses="6140",
        ),
        Rule(
            "R7",
            "An invoice has a customer, 1 to 750 lines, three custom fields, computed totals.",
            "Intuit, reference of Invoice",
            refuses="2020, 6000, 2010",
            unfollowed="An inline subtotal alone makes no invoice here.",
        ),
        Rule(
            "R8",
            "An amount is quantity times price; stock needs a quantity.",
            ERRORS,
            refuses="6070, 6520, 2090, 2020",
        ),
        Rule(
            "R9",
            "The day of posting is the server's where none is sent; terms make the due date.",
            "intuit/QuickBooks-V3-PHP-SDK, src/Data/IPPTransaction.php",
        ),
        Rule(
            "R10",
            "The query language has no OR, JOIN or projection, and backslash escapes.",
            "blogs.intuit.com/2017/02/08/deep-dive-sql-queries",
            refuses="4000",
        ),
        Rule(
            "R11",
            "A void keeps the record and zeroes it; what is linked must be unlinked first.",
            "Intuit, reference of Invoice",
            refuses="6000, 500",
        ),
        Rule(
            "R12",
            "An update names the record and its present SyncToken, a text; lists are replaced.",
            "Intuit, reference of Customer",
            refuses="5010, 2020, 2010",
        ),
        Rule(
            "R13",
            "In the United States a line is TAX or NON; automated tax follows the address, and an "
            "explicit tax is honoured.",
            f"{INTUIT}/workflows/manage-sales-tax-for-us-locales",
            refuses="6100",
            unfollowed="Another code than automated tax has set is taken: no page says how it is "
            "refused.",
        ),
        Rule(
            "R14",
            "Elsewhere the kind of amounts must be said, and each line has a tax code.",
            "Intuit, reference of Invoice",
            refuses="6000",
        ),
        Rule(
            "R15",
            "Tax comes before or after the discount; a discount has a percent or an amount.",
            "Intuit, reference of Invoice",
            refuses="6090",
        ),
        Rule(
            "R16",
            "A customer has one currency for ever; with several each document names its own.",
            f"{INTUIT}/workflows/manage-multiple-currencies",
            refuses="2020, 6000",
        ),
        Rule(
            "R17",
            "A payment pays its own customer's invoices, else it sits unapplied; a deposited one "
            "cannot be changed.",
            "Intuit, reference of Payment",
            refuses="620, 6000, 6540, 2017",
        ),
        Rule(
            "R18",
            "The books may apply credits and payments by themselves.",
            "Intuit, reference of Preferences",
        ),
        Rule(
            "R19",
            "History is brought in by time, ten documents a batch.",
            "Intuit, reference of Invoice",
            unfollowed="Advice to whoever sends: the books refuse no other order.",
        ),
        Rule(
            "R20",
            "An item needs an income account.",
            "Intuit, reference of Item",
            refuses="2020, 6240",
        ),
        Rule(
            "R21",
            "A file is uploaded in two parts and hangs on a record; uploading it twice doubles it; "
            "a request has 100 MB at most.",
            f"{INTUIT}/workflows/attach-images-and-notes",
            refuses="6030, 2010, 2020, 2500",
            unfollowed="The bytes cannot be had again: no connector asks for them.",
        ),
        Rule(
            "R22",
            "A request id is answered from memory, for nobody knows how long; in a batch the pair "
            "of request id and bId counts.",
            "blogs.intuit.com/2015/04/06/15346",
            refuses="6000, 600",
        ),
        Rule(
            "R23",
            "500 calls a minute, ten a second, ten at once, 40 batches a minute of 30 items.",
            "Intuit, limits and throttles",
            refuses="3001 (429), 1040",
        ),
        Rule(
            "R24",
            "The change feed reaches 30 days back, has 1,000 objects at most, and no pages.",
            f"{INTUIT}/learn/explore-the-quickbooks-online-api/change-data-capture",
            refuses="500, 4001",
        ),
        Rule(
            "R25",
            "Webhooks tell of changes, signed, as CloudEvents or in the older form.",
            "blogs.intuit.com/2025/11/12/upcoming-change-to-webhooks-payload-structure",
        ),
        Rule(
            "R26",
            "Access lasts an hour; a refresh token rolls for 100 days, and five years in all.",
            "blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy",
            refuses="3200 (401), invalid_grant",
        ),
        Rule(
            "R27",
            "Minor version 75 is the floor and the default.",
            "blogs.intuit.com/2025/01/21/changes-to-our-accounting-api-that-may-impact-your-"
            "application",
        ),
        Rule(
            "R28",
            "Reads are metered by the month and then blocked; writes are free.",
            "blogs.intuit.com/2026/01/08/understanding-builder-tier-api-limits-for-you-and-your-"
            "customers",
            refuses="3001 (429)",
        ),
        Rule(
            "R29",
            "A production app has its own host, pages and review.",
            f"{INTUIT}/go-live/publish-app/platform-requirements",
            unfollowed="The companies here are sandboxes: no app is reviewed, and the browser "
            "comes back to loopback.",
        ),
        Rule(
            "R30",
            "Each refusal has its code.",
            ERRORS,
            refuses="6210 or 6200, 610, 2500, 6190, 120",
        ),
        Rule(
            "R48",
            "Few fields can be asked for; tax identifiers are masked.",
            "blogs.intuit.com/2017/02/08/deep-dive-sql-queries",
            refuses="4001",
        ),
        Rule(
            "R50",
            "A deleted payment is a bare id in the feed.",
            f"{INTUIT}/learn/explore-the-quickbooks-online-api/change-data-capture",
        ),
        Rule("R51", "The server's clock is in its answers.", "Intuit, REST API features"),
        Rule(
            "Q1",
            "A query answers 100 rows unless told, and 1,000 at most.",
            "blogs.intuit.com/2017/02/08/deep-dive-sql-queries",
            refuses="4001",
        ),
        Rule(
            "Q2",
            "Each item of a batch is answered on its own, in any order, and sees nothing that an "
            "earlier one made.",
            "Intuit's blog of 2017-07-27 on batches",
            refuses="2020, 2010",
        ),
        Rule(
            "Q3",
            "A body has the names, types and enumerations of its object; a number may stand in a "
            "text.",
            "intuit/QuickBooks-V3-Java-SDK, Finance.xsd",
            refuses="2010, 2170, 500",
        ),
        Rule(
            "Q4",
            "A call says by its content type what its body is: JSON to write, a text to query.",
            "Intuit, REST API features",
            refuses="415",
        ),
        Rule(
            "Q5",
            "A token opens one company; every answer carries a trace id.",
            "Intuit, authorization",
            refuses="3200 (401), 3100 (403)",
        ),
        Rule(
            "Q6",
            "A call that takes longer than 120 seconds is given up by the gateway.",
            "Intuit, limits and throttles",
            unfollowed="Nothing here takes so long; the faults `stall` and `html` (504) play it.",
        ),
        Rule(
            "Q7",
            "An invoice is printed as a PDF, which is another file each time.",
            "Intuit, API reference, Invoice, Get an invoice as PDF",
            refuses="610",
        ),
    ),
    SALESFORCE: SALESFORCE_RULES,
    DYNAMICS: DYNAMICS_RULES,
}
"""What concerns each vendor, in the order of the page."""

ELSEWHERE: Mapping[str, str] = {
    "R31": "how a library behaves that talks to QuickBooks",
    **dict.fromkeys(("R32", "R33", "R34"), "other books"),
    **dict.fromkeys(("R44", "R45", "R46", "R47"), "what Tieout itself has to do"),
    "R52": "SQLite",
}
"""The domain's rules that are no rule of these vendors, and whose they are."""
