"""The forms of HubSpot's requests and answers, as its public pages give them.

Source of every form: github.com/HubSpot/HubSpot-public-api-spec-collection, PublicApiSpecs/CRM and
PublicApiSpecs/Account, version 2026-03 (files deals, lineItems, companies, contacts,
commercePayments, quotes, discounts, fees, taxes, associations, associationsSchema, schemas,
properties, pipelines, crmOwners, accountInfo), read in November 2026; errors also
developers.hubspot.com/docs/api-reference/error-handling.

A form is a text: ``text``, ``whole``, ``flag``, ``instant``, ``id``, the name of another form,
``[form]`` for a list, ``{form}`` for free names, words in quotes for an enumeration; ``?`` after it
allows null. A name with ``!`` must be there.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from recording import Heard

OWN = r"p\d+_\w+|2-\d+"  # a portal's own (custom) object, by its full name or its type id
KINDS = (
    "deals|line_items|companies|contacts|products|commerce_payments|invoices|notes|quotes|discounts"
    f"|fees|taxes|{OWN}"
)
CATEGORY = "'HUBSPOT_DEFINED INTEGRATOR_DEFINED USER_DEFINED WORK'"
BATCH = {
    "status!": "'CANCELED COMPLETE PENDING PROCESSING'",
    "startedAt!": "instant",
    "completedAt!": "instant",
    "requestedAt": "instant",
    "links": "{text}",
}
FAILED = {"numErrors": "whole", "errors": "[StandardError]"}
RECORD = {
    "id!": "id",
    "properties!": "{text?}",
    "createdAt!": "instant",
    "updatedAt!": "instant",
    "archived!": "flag",
    "archivedAt": "instant",
    "objectWriteTraceId": "text",
    "propertiesWithHistory": "{[ValueWithTimestamp]}",
    "url": "text",
}

FORMS: dict[str, dict[str, str]] = {
    # Objects
    "Record": RECORD,
    "Upserted": {**RECORD, "new!": "flag"},
    "ValueWithTimestamp": {
        "value!": "text",
        "timestamp!": "instant",
        "sourceType!": "text",
        "sourceId": "text",
        "sourceLabel": "text",
        "updatedByUserId": "whole",
    },
    "Records": {"results!": "[Record]", "paging": "Paging"},
    "Found": {"total!": "whole", "results!": "[Record]", "paging": "Paging"},
    "BatchOfRecords": {**BATCH, "results!": "[Record]"},
    "BatchOfRecordsWithErrors": {**BATCH, **FAILED, "results!": "[Record]"},
    "Paging": {"next": "NextPage", "prev": "PreviousPage"},
    "NextPage": {"after!": "text", "link": "text"},
    "PreviousPage": {"before!": "text", "link": "text"},
    "Id": {"id!": "id"},
    # The file calls after, filterGroups, limit, properties and sorts required; the guide ("Search
    # the CRM") lets a body be empty.
    "Search": {
        "filterGroups": "[FilterGroup]",
        "sorts": "[Sort]",
        "properties": "[text]",
        "limit": "whole",
        "after": "text",
        "query": "text",
    },
    "FilterGroup": {"filters!": "[Filter]"},
    "Filter": {
        "propertyName!": "text",
        "operator!": "'BETWEEN CONTAINS_TOKEN EQ GT GTE HAS_PROPERTY IN LT LTE NEQ "
        "NOT_CONTAINS_TOKEN NOT_HAS_PROPERTY NOT_IN'",
        "value": "text",
        "highValue": "text",
        "values": "[text]",
    },
    # The file says a list of texts; the guide shows objects of these two names.
    "Sort": {"propertyName!": "text", "direction": "'ASCENDING DESCENDING'"},
    "BatchRead": {
        "inputs!": "[ReadInput]",
        "properties!": "[text]",
        "propertiesWithHistory!": "[text]",
        "idProperty": "text",
    },
    "ReadInput": {"id!": "text"},  # a number, or with idProperty any unique value
    "BatchUpdate": {"inputs!": "[UpdateInput]"},
    "UpdateInput": {
        "id!": "text",
        "properties!": "{text}",
        "idProperty": "text",
        "objectWriteTraceId": "text",
    },
    # Associations
    "LinksRead": {"inputs!": "[LinksOf]"},
    "LinksOf": {"id!": "id", "after": "text"},
    "BatchOfLinks": {**BATCH, "results!": "[Links]"},
    "BatchOfLinksWithErrors": {**BATCH, **FAILED, "results!": "[Links]"},
    "Links": {"from!": "Id", "to!": "[Link]", "paging": "Paging"},
    "LinksOfOne": {"results!": "[Link]", "paging": "Paging"},
    "Link": {"toObjectId!": "id", "associationTypes!": "[LinkType]"},
    "LinkType": {
        "category!": CATEGORY,
        "typeId!": "whole",
        "label": "text?",
        "fromObjectTypeId": "text",
        "toObjectTypeId": "text",
    },
    # Properties
    "Properties": {"results!": "[Property]"},
    "Property": {
        "name!": "text",
        "label!": "text",
        "type!": "text",
        "fieldType!": "text",
        "groupName!": "text",
        "description!": "text",
        "options!": "[Option]",
        **dict.fromkeys(("hasUniqueValue", "hidden", "hubspotDefined", "calculated"), "flag"),
        **dict.fromkeys(("formField", "archived", "externalOptions"), "flag"),
        "displayOrder": "whole",
        "modificationMetadata": "Modification",
    },
    "Modification": {
        "archivable!": "flag",
        "readOnlyDefinition!": "flag",
        "readOnlyValue!": "flag",
        "readOnlyOptions": "flag",
    },
    "Option": {
        "label!": "text",
        "value!": "text",
        "hidden!": "flag",
        "displayOrder": "whole",
        "description": "text",
    },
    "PropertyCreate": {
        "name!": "text",
        "label!": "text",
        "groupName!": "text",
        "type!": "'bool date datetime enumeration number phone_number string'",
        "fieldType!": "'booleancheckbox calculation_equation checkbox date file html number "
        "phonenumber radio select text textarea'",
        "description": "text",
        "hasUniqueValue": "flag",
        "hidden": "flag",
        "formField": "flag",
        "displayOrder": "whole",
        "options": "[OptionInput]",
    },
    "PropertyUpdate": {
        **dict.fromkeys(("label", "groupName", "type", "fieldType", "description"), "text"),
        **dict.fromkeys(("hidden", "formField"), "flag"),
        "displayOrder": "whole",
        "options": "[OptionInput]",
    },
    "OptionInput": {
        "label!": "text",
        "value!": "text",
        "hidden!": "flag",
        "displayOrder!": "whole",
        "description": "text",
    },
    "Groups": {"results!": "[Group]"},
    "Group": {"name!": "text", "label!": "text", "archived!": "flag", "displayOrder": "whole"},
    "GroupCreate": {"name!": "text", "label!": "text", "displayOrder": "whole"},
    # Schemas (PublicApiSpecs/CRM/Schemas)
    "Schema": {
        **dict.fromkeys(("id!", "fullyQualifiedName!", "name!", "objectTypeId!"), "text"),
        **dict.fromkeys(("description", "primaryDisplayProperty"), "text"),
        **dict.fromkeys(("allowsSensitiveProperties!", "archived!"), "flag"),
        **dict.fromkeys(("createdAt", "updatedAt"), "instant"),
        **dict.fromkeys(("requiredProperties!", "searchableProperties!"), "[text]"),
        "secondaryDisplayProperties!": "[text]",
        "labels!": "SchemaLabels",
        "properties!": "[Property]",
        "associations!": "[AssociationDefinition]",
    },
    "SchemaLabels": {"singular": "text", "plural": "text"},
    "AssociationDefinition": {
        **dict.fromkeys(("id!", "fromObjectTypeId!", "toObjectTypeId!", "name"), "text"),
        **dict.fromkeys(("createdAt", "updatedAt"), "instant"),
    },
    "Labels": {"results!": "[LinkType]"},
    # The token server (PublicApiSpecs/Auth/Oauth); a refusal as the changelog of January 2026 shows
    "TokenAsked": {
        "grant_type!": "'authorization_code refresh_token'",
        **dict.fromkeys(("client_id!", "client_secret!"), "text"),
        **dict.fromkeys(("code", "redirect_uri", "refresh_token"), "text"),
    },
    "Tokens": {
        **dict.fromkeys(("access_token!", "refresh_token!", "token_type!"), "text"),
        "expires_in!": "whole",
        "token_use!": "'access_token'",
        "scopes": "[text]",
        **dict.fromkeys(("hub_id", "user_id"), "whole"),
    },
    "OAuthError": {
        **dict.fromkeys(("error!", "error_description!", "status!", "message!"), "text"),
        "correlationId": "text",
    },
    # Owners, pipelines, the account
    "Owners": {"results!": "[Owner]", "paging": "Paging"},
    "Owner": {
        "id!": "id",
        "type!": "'PERSON QUEUE'",
        "createdAt!": "instant",
        "updatedAt!": "instant",
        "archived!": "flag",
        **dict.fromkeys(("email", "firstName", "lastName"), "text"),
        **dict.fromkeys(("userId", "userIdIncludingInactive"), "whole"),
    },
    "Pipelines": {"results!": "[Pipeline]"},
    "Pipeline": {
        "id!": "text",
        "label!": "text",
        "displayOrder!": "whole",
        "stages!": "[Stage]",
        "createdAt!": "instant",
        "updatedAt!": "instant",
        "archived!": "flag",
    },
    "Stage": {
        "id!": "text",
        "label!": "text",
        "displayOrder!": "whole",
        "metadata!": "{text}",
        "createdAt!": "instant",
        "updatedAt!": "instant",
        "archived!": "flag",
        "writePermissions!": "'CRM_PERMISSIONS_ENFORCEMENT INTERNAL_ONLY READ_ONLY'",
    },
    # Files (PublicApiSpecs/Files/Files, v3)
    "File": {
        "id!": "id",
        "createdAt!": "instant",
        "updatedAt!": "instant",
        "archived!": "flag",
        "access!": "'HIDDEN_INDEXABLE HIDDEN_NOT_INDEXABLE HIDDEN_PRIVATE HIDDEN_SENSITIVE "
        "PRIVATE PUBLIC_INDEXABLE PUBLIC_NOT_INDEXABLE SENSITIVE'",
        **dict.fromkeys(("name", "path", "type", "extension", "url", "encoding"), "text"),
        **dict.fromkeys(("size", "height", "width"), "whole"),
        "parentFolderId": "id",
    },
    "SignedUrl": {
        "url!": "text",
        "expiresAt!": "instant",
        "name!": "text",
        "extension!": "text",
        "type!": "text",
        "size!": "whole",
        **dict.fromkeys(("height", "width"), "whole"),
    },
    "Account": {
        "portalId!": "whole",
        "accountType!": "'APP_DEVELOPER DEVELOPER_TEST SANDBOX STANDARD'",
        "timeZone!": "text",
        "companyCurrency!": "text",
        "additionalCurrencies!": "[text]",
        "utcOffset!": "text",
        "utcOffsetMilliseconds!": "whole",
        "uiDomain!": "text",
        "dataHostingLocation!": "text",
    },
    # Errors. The page "Error handling" shows `status` too, and calls every field optional: so the
    # file's required `links`, `errors` and `context` of a batch's error may be missing.
    "Error": {
        "category!": "text",
        "correlationId!": "text",
        "message!": "text",
        "status": "'error'",
        "subCategory": "text",
        "context": "{[text]}",
        "errors": "[ErrorDetail]",
        "links": "{text}",
        "policyName": "text",
    },
    # The older wording of a 429 (page "API usage guidelines").
    "RateError": {
        "status!": "'error'",
        "message!": "text",
        "errorType!": "'RATE_LIMIT'",
        "correlationId!": "text",
        "policyName!": "'DAILY SECONDLY TEN_SECONDLY_ROLLING'",
        "requestId": "text",
    },
    "ErrorDetail": {
        "message!": "text",
        "code": "text",
        "in": "text",
        "subCategory": "text",
        "context": "{[text]}",
    },
    "StandardError": {
        "status!": "'error'",
        "category!": "text",
        "message!": "text",
        "subCategory": "text",
        "context": "{[text]}",
        "errors": "[ErrorDetail]",
        "links": "{text}",
        "id": "text",
    },
}
TEXTS = ("{text}", "{text?}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@dataclass(frozen=True)
class Endpoint:
    """One operation: what is asked of it, and what it answers with by status."""

    method: str
    path: str
    answers: dict[int, str]
    body: str = ""
    query: str = ""
    refusal: str = "Error"
    content_type: str = "application/json"


ENDPOINTS = (
    Endpoint("POST", f"/crm/objects/2026-03/({KINDS})/search", {200: "Found"}, "Search"),
    Endpoint(
        "POST",
        f"/crm/objects/2026-03/({KINDS})/batch/read",
        {200: "BatchOfRecords", 207: "BatchOfRecordsWithErrors"},
        "BatchRead",
        "archived",
    ),
    Endpoint(
        "POST",
        f"/crm/objects/2026-03/({KINDS})/batch/update",
        {200: "BatchOfRecords", 207: "BatchOfRecordsWithErrors"},
        "BatchUpdate",
    ),
    Endpoint(
        "GET",
        f"/crm/objects/2026-03/({KINDS})/[^/]+",
        {200: "Record"},
        query="archived associations idProperty properties propertiesWithHistory",
    ),
    Endpoint(
        "GET",
        f"/crm/objects/2026-03/({KINDS})/[^/]+/associations/({KINDS})",
        {200: "LinksOfOne"},
        query="after limit",
    ),
    Endpoint(
        "POST",
        f"/crm/associations/2026-03/({KINDS})/({KINDS})/batch/read",
        {200: "BatchOfLinks", 207: "BatchOfLinksWithErrors"},
        "LinksRead",
    ),
    Endpoint("GET", f"/crm/properties/2026-03/({KINDS})", {200: "Properties"}, query="archived"),
    Endpoint("POST", f"/crm/properties/2026-03/({KINDS})", {201: "Property"}, "PropertyCreate"),
    Endpoint(
        "PATCH",
        f"/crm/properties/2026-03/({KINDS})/[a-z0-9_]+",
        {200: "Property"},
        "PropertyUpdate",
    ),
    Endpoint("GET", f"/crm/properties/2026-03/({KINDS})/groups", {200: "Groups"}),
    Endpoint("POST", f"/crm/properties/2026-03/({KINDS})/groups", {201: "Group"}, "GroupCreate"),
    Endpoint("GET", f"/crm-object-schemas/2026-03/schemas/({OWN})", {200: "Schema"}),
    Endpoint("GET", f"/crm/associations/2026-03/({KINDS})/({KINDS})/labels", {200: "Labels"}),
    Endpoint("GET", "/crm/owners/2026-03", {200: "Owners"}, query="after archived email limit"),
    Endpoint("GET", "/crm/pipelines/2026-03/deals", {200: "Pipelines"}),
    Endpoint("GET", r"/files/2026-03/files/\d+", {200: "File"}, query="properties"),
    Endpoint(
        "GET", r"/files/2026-03/files/\d+/signed-url", {200: "SignedUrl"}, query="size upscale"
    ),
    Endpoint("GET", "/account-info/2026-03/details", {200: "Account"}),
    Endpoint(
        "POST",
        "/oauth/2026-03/token",
        {200: "Tokens"},
        "TokenAsked",
        refusal="OAuthError",
        content_type="application/x-www-form-urlencoded",
    ),
)


def endpoint_of(heard: Heard) -> Endpoint | None:
    """Return the operation that a request is."""
    for one in ENDPOINTS:
        if one.method == heard.method and re.fullmatch(one.path, heard.path):
            return one
    return None


def mistakes(heard: Heard) -> Iterator[str]:
    """Yield what is wrong with a request or its answer."""
    endpoint = endpoint_of(heard)
    if endpoint is None:
        yield f"{heard.place}: no page knows this operation"
        return
    for name in heard.query.keys() - set(endpoint.query.split()):
        yield f"{heard.place}: no page knows its parameter {name}"
    if endpoint.body:
        if heard.content_type.partition(";")[0] != endpoint.content_type:
            yield f"{heard.place}: its body is {heard.content_type}"
        is_json = endpoint.content_type == "application/json"
        asked = json.loads(heard.asked) if is_json else dict(parse_qsl(heard.asked.decode()))
        yield from wrong(endpoint.body, asked, f"{heard.place} asked")
    form = endpoint.answers.get(heard.status, endpoint.refusal)
    told = json.loads(heard.told)
    if heard.status == 429 and "errorType" in told:
        form = "RateError"
    yield from wrong(form, told, f"{heard.place} told")
    if not heard.headers.get("x-hubspot-correlation-id"):
        yield f"{heard.place}: no correlation id"


def wrong(form: str, value: Any, place: str) -> Iterator[str]:
    """Yield where a value has another form."""
    if form.endswith("?"):
        if value is not None:
            yield from wrong(form[:-1], value, place)
    elif form[0] == "[":
        if not isinstance(value, list):
            yield f"{place} is no list"
        else:
            for one in value:
                yield from wrong(form[1:-1], one, f"{place}[]")
    elif form[0] == "{":
        if not isinstance(value, dict):
            yield f"{place} is no object"
        else:
            for name, one in value.items():
                if not (isinstance(one, str) and form in TEXTS):  # most of all that there is
                    yield from wrong(form[1:-1], one, f"{place}.{name}")
    elif form[0] == "'":
        if value not in form.strip("'").split():
            yield f"{place} is {value!r}, none of {form}"
    elif form in FORMS:
        yield from _wrong_names(form, value, place)
    elif not _is(form, value):
        yield f"{place} is no {form}: {value!r}"


def _wrong_names(form: str, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is no object"
        return
    must, known = _names(form)
    for name in must - value.keys():
        yield f"{place}.{name} is missing"
    for name, held in value.items():
        if name in known:
            yield from wrong(known[name], held, f"{place}.{name}")
        else:
            yield f"{place}.{name} is on no page"


@cache
def _names(form: str) -> tuple[frozenset[str], dict[str, str]]:
    """Return the names that must be there, and every name's form."""
    names = FORMS[form]
    must = frozenset(name[:-1] for name in names if name.endswith("!"))
    return must, {name.rstrip("!"): told for name, told in names.items()}


def _is(form: str, value: Any) -> bool:
    if form == "flag":
        return isinstance(value, bool)
    if form == "whole":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return {
        "text": True,
        "id": value.isdecimal(),
        "instant": INSTANT.fullmatch(value) is not None,
    }[form]
