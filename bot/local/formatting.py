"""A bot's text and its entities, as they are stored: parsed, cleaned, trimmed and measured."""

from bot.local import html
from bot.local.entities import with_found
from bot.local.errors import ApiError
from bot.local.params import Params
from bot.local.people import Json
from bot.local.text import MAX_CAPTION, MAX_TEXT, cleaned, trimmed, units


def text_content(params: Params, too_long: str) -> Json:
    """The content of a text message."""
    if not params.text("text"):
        raise ApiError.bad_request("message text is empty")
    text, entities = _formatted(params, "text", "entities")
    if not text:
        raise ApiError.bad_request("text must be non-empty")
    if units(text) > MAX_TEXT:
        raise ApiError.bad_request(too_long)
    return {"text": text} | ({"entities": entities} if entities else {})


def caption_content(params: Params, too_long: str) -> Json:
    """The caption of a photo or document, if it has one."""
    text, entities = _formatted(params, "caption", "caption_entities")
    if units(text) > MAX_CAPTION:
        raise ApiError.bad_request(too_long)
    if not text:
        return {}
    return {"caption": text} | ({"caption_entities": entities} if entities else {})


def _formatted(params: Params, text_name: str, entities_name: str) -> tuple[str, list[Json]]:
    source = params.text(text_name)
    mode = params.text("parse_mode").lower()
    if mode == "html":
        text, entities = html.parse(cleaned(source))
    elif mode in ("", "none"):
        text, entities = cleaned(source), _given(params, entities_name)
    elif mode in ("markdown", "markdownv2"):
        raise ApiError.bad_request("the local chat parses HTML only")
    else:
        raise ApiError.bad_request("unsupported parse_mode")
    stripped = trimmed(text)
    before = units(text) - units(text.lstrip(" \n"))
    kept = (_fitted(entity, before, stripped) for entity in entities)
    return stripped, with_found(stripped, [entity for entity in kept if entity["length"] > 0])


def _given(params: Params, name: str) -> list[Json]:
    """Entities that came with the text instead of a parse mode."""
    entities = params.json(name, "entities") or []
    try:
        return [
            entity | {"offset": int(entity["offset"]), "length": int(entity["length"])}
            for entity in entities
            if isinstance(entity["type"], str)
        ]
    except (KeyError, TypeError, ValueError):
        raise ApiError.bad_request("can't parse entities: expected MessageEntity objects") from None


def _fitted(entity: Json, before: int, text: str) -> Json:
    """An entity of a text that lost `before` units at its start; none begins with a space."""
    encoded = text.encode("utf-16-le")
    start = max(entity["offset"] - before, 0)
    end = min(entity["offset"] + entity["length"] - before, len(encoded) // 2)
    covered = encoded[2 * start : 2 * end].decode("utf-16-le", "replace").lstrip(" \n")
    length = units(covered)
    return entity | {"offset": end - length, "length": length}
