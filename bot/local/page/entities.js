/** A message's text and its entities as nodes. Offsets are UTF-16 units, as in JavaScript strings. */

import { element } from "./element.js";

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u;
const NOT_EMOJI = /[^\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u200D\uFE0F\s]/u;

/** Few emoji and nothing else: shown large, without a bubble. */
export function isOnlyEmoji(text) {
  if (NOT_EMOJI.test(text) || !EMOJI.test(text)) return false;
  const graphemes = [...new Intl.Segmenter().segment(text.replace(/\s/g, ""))];
  return graphemes.length <= 3;
}

export function textNodes(text, entities = [], onCommand = () => {}) {
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodesBetween(text, 0, text.length, ordered, onCommand);
}

function nodesBetween(text, start, end, entities, onCommand) {
  const nodes = [];
  let at = start;
  for (let index = 0; index < entities.length; index += 1) {
    const entity = entities[index];
    if (entity.offset < at) continue; // inside the one before, which has drawn it
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    at = Math.min(entity.offset + entity.length, end);
    const inner = entities.slice(index + 1).filter((other) => other.offset < at);
    const children = nodesBetween(text, entity.offset, at, inner, onCommand);
    nodes.push(wrapped(entity, text.slice(entity.offset, at), children, onCommand));
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

function wrapped(entity, text, children, onCommand) {
  if (entity.type === "url") return link(text, children);
  if (entity.type === "text_link") return link(entity.url, children);
  if (entity.type === "bot_command") {
    const onclick = () => onCommand(text);
    return element("button", { type: "button", class: "inline-command", onclick }, ...children);
  }
  if (entity.type === "spoiler") {
    const onclick = (event) => event.currentTarget.classList.add("shown");
    return element("button", { type: "button", class: "spoiler", onclick }, ...children);
  }
  return element(TAGS[entity.type] ?? "span", { class: `entity-${entity.type}` }, ...children);
}

function link(address, children) {
  const full = /^[a-z][a-z\d+.-]*:/i.test(address) ? address : `https://${address}`;
  if (!/^(https?|tg|mailto):/i.test(full)) return element("span", {}, ...children);
  return element("a", { href: full, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
