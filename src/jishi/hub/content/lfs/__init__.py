"""Git LFS: transfers of large contents, whole and in parts.

Hides: sealed links, what was promised, how parts become an object.
Shows: plans for batches, and what happens with the bytes at the other end of a link.
"""

from __future__ import annotations

from jishi.hub.content.lfs.flows import (
    WrongDigest,
    WrongSize,
    complete_upload,
    open_download,
    open_part_link,
    open_upload_link,
    plan_download,
    plan_upload,
    put_object,
    put_part,
    sweep_uploads,
)
from jishi.hub.content.lfs.transfers import (
    DOWNLOAD_SECONDS,
    OBJECTS_MAX,
    Batch,
    BatchTooLarge,
    Item,
    LinkInvalid,
    ObjectMissing,
    ObjectTooLarge,
    SizeDiffers,
    Transfer,
    Wanted,
    check_object,
)
from jishi.hub.content.lfs.uploads import (
    PART_BYTES,
    SWEEP_SECONDS,
    UPLOAD_SECONDS,
    NoSuchPart,
    PartsMissing,
    Upload,
    UploadGone,
)

__all__ = [
    "DOWNLOAD_SECONDS",
    "OBJECTS_MAX",
    "PART_BYTES",
    "SWEEP_SECONDS",
    "UPLOAD_SECONDS",
    "Batch",
    "BatchTooLarge",
    "Item",
    "LinkInvalid",
    "NoSuchPart",
    "ObjectMissing",
    "ObjectTooLarge",
    "PartsMissing",
    "SizeDiffers",
    "Transfer",
    "Upload",
    "UploadGone",
    "Wanted",
    "WrongDigest",
    "WrongSize",
    "check_object",
    "complete_upload",
    "open_download",
    "open_part_link",
    "open_upload_link",
    "plan_download",
    "plan_upload",
    "put_object",
    "put_part",
    "sweep_uploads",
]
