"""From rows to what the protocol speaks of: what tenants keep beside their jobs."""

from __future__ import annotations

from encoder.model.ids import JobId, KeyId, TenantId
from encoder.model.key import Scope
from encoder.model.state import UploadEnd, UploadProtocol, UploadState
from encoder.store.engine import Row
from encoder.store.kept import KeyRow, PipelineRow, PresetRow, RuleRow, UploadRow
from encoder.store.verbs.read import members_of


def upload_of(row: Row) -> UploadRow:
    return UploadRow(
        id=row["id"],
        tenant_id=TenantId(row["tenant_id"]),
        key=row["key"],
        file_name=row["file_name"],
        content_type=row["content_type"],
        declared_bytes=row["declared_bytes"],
        state=UploadState(row["state"]),
        size_bytes=row["size_bytes"],
        job_id=None if row["job_id"] is None else JobId(row["job_id"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        uploaded_at=row["uploaded_at"],
        protocol=UploadProtocol(row["protocol"]),
        offset_bytes=row["offset_bytes"],
        multipart=row["multipart"],
        ended=None if row["ended"] is None else UploadEnd(row["ended"]),
        problem=row["problem"],
        ended_at=row["ended_at"],
        planned=bool(row["planned"]),
        read_at=row["read_at"],
    )


def key_of(row: Row) -> KeyRow:
    return KeyRow(
        id=KeyId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        prefix=row["prefix"],
        scopes=frozenset(scope for scope in Scope if scope in row["scopes"].split()),  # a newer program may know more
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
        live=bool(row["live"]),
    )


def rule_of(row: Row) -> RuleRow:
    return RuleRow(
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        version=row["version"],
        uuid=row["uuid"],
        spec=members_of(row["spec"]),
        sealed=row["sealed"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def preset_of(row: Row) -> PresetRow:
    return PresetRow(
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        version=row["version"],
        about=row["about"],
        members=members_of(row["members"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def pipeline_of(row: Row) -> PipelineRow:
    return PipelineRow(
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        uuid=row["uuid"],
        settings=members_of(row["settings"]),
        sealed=row["sealed"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
