/** One Bot API Message as a bubble. */

import { avatar, element, icon } from "./element.js";
import { isOnlyEmoji, textNodes } from "./entities.js";
import { fileAddress } from "./server.js";
import { texts, time } from "./texts.js";

/** `actions` has a function for each thing that a bubble can start: command, tap, quote, menu, photo. */
export function messageElement(message, { user, isGroup, actions }) {
  const isOwn = message.from?.id === user;
  const text = message.text ?? message.caption ?? "";
  const isBare = Boolean(message.sticker) || (message.text && isOnlyEmoji(text));
  const kind = [
    isOwn ? "own" : "other",
    isGroup && !isOwn && "with-avatar",
    isBare && "bare",
    message.photo && "with-photo",
    message.reply_markup?.inline_keyboard?.length && "with-keyboard",
  ];
  const bubble = element(
    "div",
    { class: "bubble" },
    isGroup && !isOwn && avatar(message.from.is_bot ? null : message.from.first_name, message.from.id),
    isGroup && !isOwn && sender(message.from),
    message.forward_origin && forwarded(message.forward_origin),
    message.reply_to_message && quote(message.reply_to_message, actions),
    ...attachments(message, actions),
    element(
      "div",
      { class: text ? "text" : "text wordless" },
      ...textNodes(text, message.entities ?? message.caption_entities, actions.command),
      meta(message, isOwn),
    ),
    moreButton(message, actions),
  );
  bubble.addEventListener("contextmenu", (event) => openActions(event, message, bubble, actions));
  bubble.addEventListener("click", (event) => {
    const isTouch = matchMedia("(hover: none)").matches;
    if (isTouch && !event.target.closest("a, button")) openActions(event, message, bubble, actions);
  });
  return element(
    "article",
    {
      class: `message ${kind.filter(Boolean).join(" ")}`,
      "data-id": message.message_id,
      "aria-label": `${isOwn ? texts.you : message.from?.first_name}, ${time(message.date)}`,
    },
    bubble,
    keyboard(message, actions),
  );
}

/** What a message says in one line: for quotes and the list of chats. */
export function summary(message) {
  const text = message.text ?? message.caption;
  if (text) return text.replace(/\s+/g, " ");
  if (message.photo) return texts.photo;
  if (message.document) return message.document.file_name ?? texts.document;
  if (message.voice) return texts.voice;
  return message.sticker ? `${message.sticker.emoji ?? ""} ${texts.sticker}`.trim() : "";
}

function sender(from) {
  return element("div", { class: `sender colour-${Math.abs(from.id) % 6}` }, from.first_name);
}

function forwarded(origin) {
  return element("div", { class: "forwarded" }, texts.forwarded(origin.chat.title));
}

function quote(message, actions) {
  return element(
    "button",
    { type: "button", class: "quote", onclick: () => actions.quote(message.message_id) },
    element("span", { class: "quote-name" }, message.from?.first_name),
    element("span", { class: "quote-text" }, summary(message)),
  );
}

function meta(message, isOwn) {
  return element(
    "span",
    { class: "meta" },
    message.edit_date && `${texts.edited} `,
    element("time", { datetime: new Date(message.date * 1000).toISOString() }, time(message.date)),
    isOwn && icon("check"),
  );
}

function moreButton(message, actions) {
  const onclick = (event) => actions.menu(message, event.currentTarget);
  return element(
    "button",
    { type: "button", class: "more", "aria-label": texts.more, "aria-haspopup": "menu", onclick },
    icon("down"),
  );
}

function openActions(event, message, bubble, actions) {
  if (!getSelection().isCollapsed) return;
  event.preventDefault();
  actions.menu(message, bubble.querySelector(".more"));
}

function attachments(message, actions) {
  return [
    message.photo && photo(message.photo, actions),
    message.document && fileCard(message.document),
    message.voice && voice(message.voice),
    message.sticker && element("div", { class: "sticker" }, message.sticker.emoji ?? "🎬"),
  ];
}

function photo(sizes, actions) {
  const largest = sizes.reduce((a, b) => (b.width > a.width ? b : a));
  const address = fileAddress(largest.file_id);
  const { width, height } = largest;
  const onclick = () => actions.photo(address);
  const image = element("img", { src: address, alt: texts.photo });
  image.style.width = `${width}px`; // keeps the place while it loads
  image.style.aspectRatio = `${width} / ${height}`;
  return element(
    "button",
    { type: "button", class: "photo", "aria-label": texts.enlarge, onclick },
    image,
  );
}

function fileCard(file) {
  const name = file.file_name ?? texts.document;
  const size = texts.kilobytes(Math.max(1, Math.round((file.file_size ?? 0) / 1024)));
  return element(
    "a",
    { class: "file", href: fileAddress(file.file_id), download: name, title: texts.download(name) },
    element("span", { class: "file-icon" }, icon("document")),
    element("span", { class: "file-name" }, name),
    element("span", { class: "file-size" }, size),
  );
}

function voice({ duration = 0 }) {
  return element(
    "div",
    { class: "voice", role: "img", "aria-label": texts.voice },
    element("span", { class: "file-icon" }, icon("voice")),
    element("span", { class: "wave" }),
    element("span", { class: "file-size" }, `0:${String(duration).padStart(2, "0")}`),
  );
}

function keyboard(message, actions) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  const made = rows.map((row) =>
    element("div", { class: "row" }, ...row.map((button) => keyboardButton(message, button, actions))),
  );
  return element("div", { class: "keyboard" }, ...made);
}

function keyboardButton(message, button, actions) {
  if (button.url) {
    return element("a", { href: button.url, target: "_blank", rel: "noopener" }, button.text);
  }
  const onclick = (event) => actions.tap(message, button.callback_data, event.currentTarget);
  return element("button", { type: "button", onclick }, button.text);
}
