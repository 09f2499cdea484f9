"""The kinds of records around a sale: people, set-up, files, currencies.

Source: Object Reference for the Salesforce Platform, the page of each object.
"""

from tieout.simulator.salesforce.fields import Field
from tieout.simulator.salesforce.kinds import (
    COMPUTED,
    READ_ONLY,
    Kind,
    choice,
    flag,
    kind,
    number,
    text,
    to,
)


def people() -> list[Kind]:
    """Return the kinds of the people and of the org itself."""
    user = kind(
        "User",
        "005",
        (
            text("Username", 80, nillable=False),
            text("LastName", 80, nillable=False),
            text("FirstName", 40),
            text("Name", 121, **COMPUTED),
            Field("Email", "email", length=128, nillable=False),
            flag("IsActive", default=True),
            to("ProfileId", "Profile", nillable=False),
            choice("UserType", ("Standard",), **READ_ONLY),
            text("TimeZoneSidKey", 40),
            text("LocaleSidKey", 40),
            text("LanguageLocaleKey", 40),
        ),
        deletable=False,
        setup=True,
    )
    user.fields.pop("IsDeleted")
    user.index()
    group = kind(
        "Group",
        "00G",
        (
            text("Name", 40, nillable=False),
            text("DeveloperName", 80),
            choice("Type", ("Queue", "Regular"), **READ_ONLY),
            Field("Email", "email", length=255),
        ),
        setup=True,
    )
    group.fields.pop("IsDeleted")
    group.index()
    queued = kind(
        "QueueSobject",
        "03g",
        (to("QueueId", "Group", nillable=False), text("SobjectType", 40, nillable=False)),
        setup=True,
        label="Queue Sobject",
    )
    queued.fields.pop("IsDeleted")
    queued.index()
    profile = kind("Profile", "00e", (text("Name", nillable=False),), deletable=False, setup=True)
    organization = kind(
        "Organization",
        "00D",
        (
            text("Name", 80, nillable=False),
            text("OrganizationType", 40, **READ_ONLY),
            text("InstanceName", 5, **READ_ONLY),
            flag("IsSandbox", **READ_ONLY),
            text("TimeZoneSidKey", 40),
            text("DefaultLocaleSidKey", 40),
            text("LanguageLocaleKey", 40),
            Field("FiscalYearStartMonth", "int", **READ_ONLY),
        ),
        deletable=False,
        setup=True,
    )
    return [user, group, queued, profile, organization]


def setup() -> list[Kind]:
    """Return the kinds of the set-up: record types, stages, permissions."""
    record_type = kind(
        "RecordType",
        "012",
        (
            text("Name", 80, nillable=False),
            text("DeveloperName", 80, nillable=False),
            text("SobjectType", 40, nillable=False),
            flag("IsActive", default=True),
        ),
        deletable=False,
        setup=True,
        label="Record Type",
    )
    stage = kind(
        "OpportunityStage",
        "01J",
        (
            text("MasterLabel", 255),
            text("ApiName", 255),
            flag("IsActive", default=True),
            flag("IsClosed"),
            flag("IsWon"),
            Field("SortOrder", "int"),
            number("DefaultProbability", 3, 0),
            text("ForecastCategoryName", 80),
        ),
        deletable=False,
        setup=True,
        label="Opportunity Stage",
    )
    permission_set = kind(
        "PermissionSet",
        "0PS",
        (
            text("Name", 80, nillable=False, unique=True),
            text("Label", 80, nillable=False),
            text("Description"),
            flag("IsOwnedByProfile", **READ_ONLY),
            to("ProfileId", "Profile", **READ_ONLY),
        ),
        setup=True,
        label="Permission Set",
    )
    assignment = kind(
        "PermissionSetAssignment",
        "0Pa",
        (
            to("PermissionSetId", "PermissionSet", nillable=False, children="Assignments"),
            to("AssigneeId", "User", nillable=False, children="PermissionSetAssignments"),
        ),
        setup=True,
        label="Permission Set Assignment",
    )
    grants = ("PermissionsRead", "PermissionsEdit")
    fields = kind(
        "FieldPermissions",
        "01k",
        (
            to("ParentId", "PermissionSet", nillable=False, children="FieldPerms"),
            text("SobjectType", 80, nillable=False),
            text("Field", 255, nillable=False),
            *(flag(name) for name in grants),
        ),
        setup=True,
        label="Field Permissions",
        plural="Field Permissions",
    )
    kinds = kind(
        "ObjectPermissions",
        "110",
        (
            to("ParentId", "PermissionSet", nillable=False, children="ObjectPerms"),
            text("SobjectType", 80, nillable=False),
            *(flag(name) for name in (*grants, "PermissionsCreate", "PermissionsDelete")),
            *(flag(f"Permissions{name}AllRecords") for name in ("View", "Modify")),
        ),
        setup=True,
        label="Object Permissions",
        plural="Object Permissions",
    )
    return [record_type, stage, permission_set, assignment, fields, kinds]


def files() -> list[Kind]:
    """Return the kinds of files."""
    document = kind(
        "ContentDocument",
        "069",
        (
            text("Title", nillable=False),
            text("FileExtension", 40, **READ_ONLY),
            Field("ContentSize", "int", **READ_ONLY),
            to("LatestPublishedVersionId", "ContentVersion", **READ_ONLY),
            to("OwnerId", "User", nillable=False),
        ),
        label="Content Document",
    )
    version = kind(
        "ContentVersion",
        "068",
        (
            to("ContentDocumentId", "ContentDocument", children="ContentVersions"),
            flag("IsLatest", **READ_ONLY),
            text("Title"),
            Field("Description", "textarea", length=1000, filters=True),
            text("PathOnClient", 500),
            text("FileExtension", 40, **READ_ONLY),
            text("FileType", 20, **READ_ONLY),
            Field("ContentSize", "int", **READ_ONLY),
            text("Checksum", 50, **READ_ONLY),
            text("VersionNumber", 20, **READ_ONLY),
            Field("VersionData", "base64"),
            to(
                "FirstPublishLocationId",
                "Account",
                "Opportunity",
                "User",
                updateable=False,
            ),
            to("OwnerId", "User", nillable=False),
        ),
        label="Content Version",
        deletable=False,
    )
    link = kind(
        "ContentDocumentLink",
        "06A",
        (
            to(
                "ContentDocumentId",
                "ContentDocument",
                nillable=False,
                updateable=False,
                children="ContentDocumentLinks",
            ),
            to(
                "LinkedEntityId",
                "Account",
                "Contact",
                "Opportunity",
                "User",
                nillable=False,
                updateable=False,
                children="ContentDocumentLinks",
            ),
            choice("ShareType", ("V", "C", "I")),
            choice("Visibility", ("AllUsers", "InternalUsers", "SharedUsers")),
        ),
        label="Content Document Link",
    )
    return [document, version, link]


def rates() -> list[Kind]:
    """Return the kinds of an org with several currencies."""
    currency = kind(
        "CurrencyType",
        "01L",
        (
            text("IsoCode", 3, nillable=False, updateable=False),
            number("ConversionRate", 18, 6, nillable=False),
            Field("DecimalPlaces", "int", nillable=False),
            flag("IsActive", default=True),
            flag("IsCorporate", **READ_ONLY),
        ),
        deletable=False,
        setup=True,
        label="Currency Type",
    )
    dated = kind(
        "DatedConversionRate",
        "04w",
        (
            text("IsoCode", 3, nillable=False, updateable=False),
            Field("StartDate", "date", nillable=False),
            Field("NextStartDate", "date", **READ_ONLY),
            number("ConversionRate", 18, 6, nillable=False),
        ),
        setup=True,
        label="Dated Conversion Rate",
    )
    return [currency, dated]
