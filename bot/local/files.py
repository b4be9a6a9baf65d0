"""Files that were sent, in memory."""

from io import BytesIO
from pathlib import PurePath
from typing import Any, NamedTuple

from PIL import Image

from bot.local.errors import ApiError
from bot.local.params import Upload
from bot.local.people import Json

MAX_DOWNLOAD = 20 * 1024 * 1024


class StoredFile(NamedTuple):
    kind: str  # the field of a message that it is in, such as "photo"
    path: str
    upload: Upload
    about: Json  # ids and size
    shown: Any  # that field's value


class Files:
    def __init__(self, first_number: int) -> None:
        self._next = first_number
        self._by_id: dict[str, StoredFile] = {}

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at(self, path: str) -> Upload | None:
        """What a bot downloads from `path`."""
        return next((file.upload for file in self._by_id.values() if file.path == path), None)

    def add(self, kind: str, upload: Upload) -> Any:
        """Keep a document, photo, voice or sticker: what the message says of it."""
        if not upload.content:
            raise ApiError.bad_request("file must be non-empty")
        number, self._next = self._next, self._next + 1
        file_id = f"local-{kind}-{number}"
        file: Json = {
            "file_id": file_id,
            "file_unique_id": f"unique-{number}",
            "file_size": len(upload.content),
        }
        shown = _shown(kind, upload, file)
        path = f"{kind}s/file_{number}{PurePath(upload.name).suffix}"
        self._by_id[file_id] = StoredFile(kind, path, upload, file, shown)
        return shown


def _shown(kind: str, upload: Upload, file: Json) -> Any:
    match kind:
        case "photo":  # Telegram makes several sizes of it
            return [file | _size(upload.content)]
        case "voice":
            return file | {"duration": 3, "mime_type": "audio/ogg"}
        case "sticker":
            kind_of_sticker = {"type": "regular", "is_animated": False, "is_video": False}
            return file | kind_of_sticker | {"width": 512, "height": 512, "emoji": "🍿"}
    return file | {"file_name": upload.name, "mime_type": upload.mime_type}


def _size(image_file: bytes) -> Json:
    try:
        with Image.open(BytesIO(image_file)) as image:
            width, height = image.size
    except (OSError, Image.DecompressionBombError):
        raise ApiError.bad_request("IMAGE_PROCESS_FAILED") from None
    if width + height > 10_000:
        raise ApiError.bad_request("PHOTO_INVALID_DIMENSIONS")
    return {"width": width, "height": height}
