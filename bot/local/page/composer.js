/** Writing: the text field, replying and editing, attachments, and the bot's commands. */

import { closeMenu, focusMenu, isOpenAt, openMenu, toggleMenu } from "./menu.js";
import { summary } from "./message.js";
import { texts } from "./texts.js";

const form = document.getElementById("composer");
const field = document.getElementById("field");
const attach = document.getElementById("attach");
const slash = document.getElementById("slash");
const send = document.getElementById("send");
const strip = document.getElementById("strip");
const picker = document.getElementById("picker");

let chat = null; // {key, isGroup, botName, commands(), send(text, replyTo), edit(id, text), file(kind, parts)}
let mode = null; // {reply: message} or {edit: message}
const drafts = new Map();

export function compose(newChat) {
  if (chat) drafts.set(chat.key, field.value);
  chat = newChat;
  setMode(null);
  setText(drafts.get(chat.key) ?? "");
  if (matchMedia("(hover: hover)").matches) field.focus();
}

export const replyTo = (message) => setMode({ reply: message });

export function edit(message) {
  setMode({ edit: message });
  setText(message.text);
}

/** Ends replying to, or editing, a message that was deleted. */
export function forget(messageId) {
  if ((mode?.reply ?? mode?.edit)?.message_id === messageId) cancel();
}

/** When sending fails, `chat.send` shows why, and the text goes back into the field. */
async function submit() {
  const text = field.value.trim();
  if (!text) return;
  const { reply, edit: edited } = mode ?? {};
  const target = chat;
  setMode(null);
  setText("");
  closeMenu();
  const isSent = edited
    ? await target.edit(edited.message_id, text)
    : await target.send(text, reply?.message_id);
  if (!isSent && target === chat && !field.value) setText(text);
}

export function sendCommand(command) {
  const addressed = chat.isGroup && !command.includes("@") ? `${command}@${chat.botName}` : command;
  const { reply } = mode ?? {};
  setMode(null);
  chat.send(addressed, reply?.message_id);
}

function setMode(newMode) {
  mode = newMode;
  const message = mode?.reply ?? mode?.edit;
  strip.hidden = !message;
  send.setAttribute("aria-label", mode?.edit ? texts.save : texts.send);
  if (!message) return;
  const title = mode.edit ? texts.editing : texts.replying(message.from.first_name);
  strip.querySelector(".strip-title").textContent = title;
  strip.querySelector(".strip-text").textContent = summary(message);
  field.focus();
}

function cancel() {
  if (mode?.edit) setText("");
  setMode(null);
}

function setText(text) {
  field.value = text;
  fit();
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  form.classList.toggle("empty", !field.value.trim());
}

async function commandItems() {
  const typed = field.value.startsWith("/") ? field.value.slice(1) : "";
  const commands = await chat.commands();
  return commands
    .filter(({ command }) => command.startsWith(typed))
    .map(({ command, description }) => ({
      label: `/${command}`,
      hint: description,
      select: () => {
        setText("");
        sendCommand(`/${command}`);
        field.focus();
      },
    }));
}

async function suggestCommands() {
  const typed = field.value;
  const items = /^\/\w*$/.test(typed) ? await commandItems() : [];
  if (field.value !== typed) return; // the text was changed or sent while the commands loaded
  if (items.length) openMenu(slash, texts.commands, items, { focus: false });
  else if (isOpenAt(slash)) closeMenu();
}

function pick(accept, use) {
  picker.accept = accept;
  picker.onchange = () => {
    const [file] = picker.files;
    picker.value = "";
    if (file) use(file);
  };
  picker.click();
}

function attachItems() {
  const withFile = (kind, accept) => () =>
    pick(accept, (file) => {
      chat.file(kind, { file, caption: field.value.trim() });
      setText("");
    });
  return [
    { label: texts.photo, icon: "photo", select: withFile("photo", "image/*") },
    { label: texts.file, icon: "document", select: withFile("document", "") },
    { label: texts.voice, icon: "voice", select: () => chat.file("voice", {}) },
    { label: texts.sticker, icon: "sticker", select: () => chat.file("sticker", {}) },
    { label: texts.channelPost, icon: "channel", select: () => chat.file("channel_post", {}) },
  ];
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
field.addEventListener("input", () => {
  fit();
  suggestCommands();
});
field.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape" && !isOpenAt(slash)) cancel();
  else if (event.key === "ArrowUp" && isOpenAt(slash)) {
    event.preventDefault();
    focusMenu();
  } else if (event.key === "ArrowUp" && !field.value && chat.lastOwn()) {
    event.preventDefault();
    edit(chat.lastOwn());
  }
});
document.getElementById("cancel").addEventListener("click", cancel);
attach.addEventListener("click", () => toggleMenu(attach, texts.attach, attachItems()));
slash.addEventListener("click", async () => toggleMenu(slash, texts.commands, await commandItems()));
