/** The messages area: keeps the bubbles in order, grouped by sender and day, and scrolled. */

import { element } from "./element.js";
import { messageElement } from "./message.js";
import { day } from "./texts.js";

const log = document.getElementById("log");
const list = document.getElementById("messages");
const down = document.getElementById("down");
const typing = document.getElementById("typing");

let shown = []; // {message, node}, ordered by message_id
let view = null;

export function showChat(messages, newView) {
  view = newView;
  shown = messages.map((message) => ({ message, node: messageElement(message, view) }));
  list.replaceChildren(...shown.map(({ node }) => node));
  arrange();
  stick();
}

export function putMessage(message) {
  const node = messageElement(message, view);
  const index = shown.findIndex((other) => other.message.message_id >= message.message_id);
  const old = shown[index];
  const isKnown = old?.message.message_id === message.message_id;
  if (isKnown) {
    keepFocus(old.node, node);
    shown[index] = { message, node };
  } else {
    const at = index < 0 ? shown.length : index;
    list.insertBefore(node, old?.node ?? null);
    shown.splice(at, 0, { message, node });
    node.classList.add("new");
  }
  arrange();
  if (!isKnown && message.from?.id === view.user) stick();
}

export function removeMessage(messageId) {
  const index = shown.findIndex(({ message }) => message.message_id === messageId);
  if (index < 0) return;
  shown.splice(index, 1)[0].node.remove();
  arrange();
}

export function showTyping(isTyping) {
  typing.hidden = !isTyping;
}

export function pointOut(messageId) {
  const node = list.querySelector(`[data-id="${messageId}"]`);
  if (!node) return;
  node.scrollIntoView({ block: "center" });
  node.classList.remove("pointed-out");
  requestAnimationFrame(() => node.classList.add("pointed-out"));
}

export const lastOwnText = () =>
  shown.findLast(({ message }) => message.from?.id === view.user && message.text)?.message;

/** The focus stays on the same button when the message is edited. */
function keepFocus(old, node) {
  const place = [...old.querySelectorAll("button, a")].indexOf(document.activeElement);
  old.replaceWith(node);
  if (place >= 0) node.querySelectorAll("button, a")[place]?.focus({ preventScroll: true });
}

function arrange() {
  shown.forEach(({ message, node }, index) => {
    const before = shown[index - 1]?.message;
    const after = shown[index + 1]?.message;
    node.classList.toggle("follows", isSameRun(before, message));
    node.classList.toggle("ends", !isSameRun(message, after));
    const needsDay = !before || day(before.date) !== day(message.date);
    const label = node.previousElementSibling;
    const hasDay = label?.classList.contains("day");
    if (needsDay && !hasDay) node.before(element("div", { class: "day" }, day(message.date)));
    if (!needsDay && hasDay) label.remove();
  });
  while (list.lastElementChild?.classList.contains("day")) list.lastElementChild.remove();
}

function isSameRun(a, b) {
  if (!a || !b) return false;
  return a.from?.id === b.from?.id && b.date - a.date < 300 && day(a.date) === day(b.date);
}

// ── A log that is scrolled to its end stays there when it grows; one that is scrolled up stays put ──

let isStuck = true;
let lastTop = 0;

function stick() {
  isStuck = true;
  log.scrollTo({ top: log.scrollHeight, behavior: "instant" });
}

function followScrolling() {
  const toEnd = log.scrollHeight - log.scrollTop - log.clientHeight;
  if (toEnd < 40) isStuck = true;
  else if (log.scrollTop < lastTop) isStuck = false;
  lastTop = log.scrollTop;
  down.hidden = isStuck;
}

const growth = new ResizeObserver(() => isStuck && stick());
for (const each of [log, list, typing]) growth.observe(each);
log.addEventListener("scroll", followScrolling);
down.addEventListener("click", () => log.scrollTo({ top: log.scrollHeight }));
