"""Tables, columns, keys and choices as the vendor's metadata describes them.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/reference: EntityMetadata,
AttributeMetadata and the types derived from it, EntityKeyMetadata, OptionSetMetadata.
"""

from collections.abc import Mapping
from typing import Any

from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.schema import CHOICES, LOOKUPS, Column, Key, Table
from tieout.simulator.dynamics365.tables import STATUS_OF
from tieout.simulator.dynamics365.values import DECIMAL_LIMIT, INT_LIMIT

ENGLISH = 1033
NAMESPACE = "Microsoft.Dynamics.CRM"
_OTHER_NAMES: Mapping[str, str] = {
    "Uniqueidentifier": "UniqueIdentifier",
    "Owner": "Lookup",
    "Customer": "Lookup",
}
"""Types whose metadata type has another name than the type itself."""
ATTRIBUTE = frozenset(
    {
        "MetadataId",
        "LogicalName",
        "SchemaName",
        "AttributeType",
        "AttributeTypeName",
        "AttributeOf",
        "EntityLogicalName",
        "IsCustomAttribute",
        "IsValidForCreate",
        "IsValidForUpdate",
        "IsValidForRead",
        "IsPrimaryId",
        "IsPrimaryName",
        "IsLogical",
        "IsManaged",
        "IsSecured",
        "DisplayName",
        "RequiredLevel",
    }
)
"""The properties of AttributeMetadata: those that a query over all columns may select."""
_DAY = {True: ("DateOnly", "DateOnly"), False: ("DateAndTime", "UserLocal")}


def table_told(table: Table) -> dict[str, Any]:
    """Return a table's own properties."""
    return {
        "MetadataId": table.id,
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.id_column,
        "PrimaryNameAttribute": table.name_column,
        "ObjectTypeCode": table.type_code,
        "ChangeTrackingEnabled": table.tracked,
        "CanChangeTrackingBeEnabled": _managed("canchangetrackingbeenabled"),
        "IsOptimisticConcurrencyEnabled": True,
        "IsCustomEntity": table.custom,
        "OwnershipType": "UserOwned" if "ownerid" in table.columns else "OrganizationOwned",
        "DisplayName": label(table.schema),
    }


def column_told(table: Table, column: Column, *, options: bool = False) -> dict[str, Any]:
    """Return a column's properties, those of its own type too."""
    told: dict[str, Any] = {
        "@odata.type": f"#{NAMESPACE}.{type_name(column)}",
        "MetadataId": column.id,
        "LogicalName": column.name,
        "SchemaName": column.schema_name or column.name,
        "AttributeType": column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "AttributeOf": None,
        "EntityLogicalName": table.name,
        "IsCustomAttribute": column.custom,
        "IsValidForCreate": column.writable or column.name == table.id_column,
        "IsValidForUpdate": column.writable,
        "IsValidForRead": True,
        "IsPrimaryId": column.name == table.id_column,
        "IsPrimaryName": column.name == table.name_column,
        "IsLogical": False,
        "IsManaged": not column.custom,
        "IsSecured": column.secured,
        "DisplayName": label(column.label),
        "RequiredLevel": {
            "Value": "ApplicationRequired" if column.required else "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
    }
    told |= _own(column)
    if options and column.type in CHOICES:
        told["OptionSet"] = option_set(table, column)
    return told


def type_name(column: Column) -> str:
    """Return the metadata type of a column."""
    return f"{_OTHER_NAMES.get(column.type, column.type)}AttributeMetadata"


def option_set(table: Table, column: Column) -> dict[str, Any]:
    """Return a choice column's values and labels."""
    return {
        "MetadataId": column.id,
        "Name": f"{table.name}_{column.name}",
        "IsGlobal": False,
        "IsCustomOptionSet": column.custom,
        "OptionSetType": column.type,
        "Options": [
            _option(table, column, value)
            for value in column.options
            if value not in column.unpublished
        ],
    }


def key_told(org: DynamicsOrg, table: Table, key: Key) -> dict[str, Any]:
    """Return an alternate key, and whether its index is built."""
    return {
        "MetadataId": key.id,
        "LogicalName": key.name.lower(),
        "SchemaName": key.name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status(org.present()),
        "IsManaged": False,
        "DisplayName": label(key.name),
    }


def label(text: str) -> dict[str, Any]:
    """Return a label in English; without a text it has none in any language."""
    if not text:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    one = {"Label": text, "LanguageCode": ENGLISH, "IsManaged": True, "HasChanged": None}
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def label_text(told: Any) -> str:
    """Return the first text of a label that was written."""
    labels = told.get("LocalizedLabels") if isinstance(told, dict) else None
    for one in labels or ():
        if isinstance(one, dict) and isinstance(one.get("Label"), str):
            return str(one["Label"])
    return ""


def _own(column: Column) -> dict[str, Any]:
    if column.type in LOOKUPS:
        return {"Targets": list(column.targets), "Format": "None"}
    match column.type:
        case "String" | "Memo":
            format_name = "Text" if column.type == "String" else "TextArea"
            return {"MaxLength": column.max_length, "FormatName": {"Value": format_name}}
        case "Money":
            return {
                "Precision": column.precision,
                "PrecisionSource": column.precision_source,
                "IsBaseCurrency": bool(column.base_of),
                "CalculationOf": column.base_of or None,
                "MinValue": -922337203685477,
                "MaxValue": 922337203685477,
            }
        case "Decimal":
            return {
                "Precision": column.precision,
                "MinValue": -DECIMAL_LIMIT,
                "MaxValue": DECIMAL_LIMIT,
            }
        case "Integer":
            return {"MinValue": -INT_LIMIT - 1, "MaxValue": INT_LIMIT, "Format": "None"}
        case "DateTime":
            format_name, behavior = _DAY[column.day_only]
            return {"Format": format_name, "DateTimeBehavior": {"Value": behavior}}
    return {}


def _option(table: Table, column: Column, value: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Value": value,
        "Label": label(column.options[value]),
        "Description": label(""),
        "IsManaged": not column.custom,
        "Color": None,
    }
    if column.type == "Status":
        told["@odata.type"] = f"#{NAMESPACE}.StatusOptionMetadata"
        told["State"] = STATUS_OF.get(value, 0) if table.name == "opportunity" else 0
    elif column.type == "State":
        told["@odata.type"] = f"#{NAMESPACE}.StateOptionMetadata"
        told["InvariantName"] = column.options[value]
    return told


def _managed(name: str) -> dict[str, Any]:
    return {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": name}
