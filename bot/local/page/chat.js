/** The page: the chosen person, the open chat, and the events that the server sends. */

import { compose, edit, forget, replyTo, sendCommand } from "./composer.js";
import * as log from "./log.js";
import { toggleMenu } from "./menu.js";
import * as server from "./server.js";
import { showChats, showPeople } from "./sidebar.js";
import { speak, texts } from "./texts.js";
import { avatar } from "./element.js";

const RETRY_MS = 1000;
const TYPING_MS = 6000; // Telegram shows it for five seconds
const TOAST_MS = 4000;

const byId = (id) => document.getElementById(id);

let state = null; // the server's /chat/state
let user = null; // who writes
let chat = null; // the open one of `chats`
let chats = new Map(); // the user's: id → {id, title, isBot, members, messages: Map, unread, typingTimer}
let commands = new Map(); // chat id → its commands, until the bot changes them
let leaving = new AbortController();

// ── Who and where: #user/chat in the address ──────────────────────────────────────────────

function address() {
  const [userId, chatId] = location.hash.slice(1).split("/").map(Number);
  const known = state.users.find(({ id }) => id === userId) ?? state.users[0];
  return { userId: known.id, chatId };
}

/** Loads the user's chats and follows the events, anew after each lost connection, until another user is chosen. */
async function live() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  let isBack = false;
  while (!signal.aborted) {
    try {
      const after = await load(signal, isBack);
      byId("lost").hidden = true;
      await server.listen(user.id, after, signal, receive);
    } catch (error) {
      if (error instanceof TypeError) console.error(error);
    }
    if (signal.aborted) return;
    byId("lost").hidden = false;
    isBack = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function load(signal, isBack) {
  const newState = await server.getState();
  if (signal.aborted) return 0;
  state = newState;
  const { userId } = address();
  user = state.users.find(({ id }) => id === userId);
  const own = state.chats.filter(({ id, members }) => members.includes(userId) && (id < 0 || id === userId));
  const messages = await Promise.all(own.map(({ id }) => server.getMessages(userId, id)));
  if (signal.aborted) return 0;
  const known = [...chats.values()].flatMap((each) => [...each.messages.keys()]);
  chats = new Map(own.map((each, index) => [each.id, describe(each, messages[index].messages)]));
  commands = new Map();
  speak(user.language_code);
  showPeople(state.users, user.id);
  open();
  const isForgotten = known.length > 0 && !known.some(isKept);
  if (isBack && isForgotten) toast(texts.restarted);
  return state.event;
}

/** A restarted server has none of the earlier messages. */
const isKept = (messageId) => [...chats.values()].some(({ messages }) => messages.has(messageId));

function describe({ id, title, members }, messages) {
  const isBot = id > 0;
  return {
    id,
    isBot,
    title,
    members,
    messages: new Map(messages.map((message) => [message.message_id, message])),
    unread: 0,
    typingTimer: null,
  };
}

/** Shows the chat that the address names. On a phone an address without a chat is the list. */
function open() {
  const { chatId } = address();
  const isFirst = !location.hash;
  chat = chats.get(chatId) ?? chats.get(user.id);
  document.body.classList.toggle("in-chat", isFirst || chats.has(chatId));
  chat.unread = 0;
  byId("title").textContent = chat.title;
  byId("chat-avatar").replaceChildren(avatar(chat.isBot ? null : chat.title, chat.id));
  log.showChat([...chat.messages.values()], { user: user.id, isGroup: !chat.isBot, actions });
  compose(writing(chat));
  refresh();
}

/** Redraws what depends on the messages: the header, the hint in an empty chat, the list of chats. */
function refresh() {
  const isTyping = chat.typingTimer !== null;
  const names = state.users.filter(({ id }) => chat.members.includes(id)).map((one) => one.first_name);
  const about = chat.isBot ? texts.bot : [...names, state.bot.first_name].join(", ");
  byId("subtitle").textContent = isTyping ? texts.typing : about;
  byId("subtitle").classList.toggle("is-typing", isTyping);
  log.showTyping(isTyping);
  const isEmpty = chat.messages.size === 0;
  byId("empty").hidden = !isEmpty;
  byId("empty-title").textContent = chat.isBot ? texts.emptyBot : texts.emptyGroup;
  byId("empty-hint").textContent = chat.isBot ? texts.emptyBotHint : texts.emptyGroupHint;
  byId("start").hidden = !(isEmpty && chat.isBot);
  const entries = [...chats.values()].map((each) => ({
    ...each,
    last: [...each.messages.values()].at(-1),
    isTyping: each.typingTimer !== null,
  }));
  showChats(user.id, entries, chat.id);
}

// ── Events from the server ──────────────────────────────────────────────────────────────────

function receive(event) {
  const where = chats.get(event.chat_id);
  if (event.type === "message" || event.type === "edited") put(where, event.message);
  else if (event.type === "deleted") drop(where, event.message_id);
  else if (event.type === "typing") setTyping(where, true);
  else if (event.type === "commands") commands.clear();
  else if (event.type === "callback_answer") answered(event);
}

function put(where, message) {
  if (!where) return;
  const isNew = !where.messages.has(message.message_id);
  where.messages.set(message.message_id, message);
  if (message.from?.is_bot) setTyping(where, false);
  if (where === chat) log.putMessage(message);
  else if (isNew && message.from?.id !== user.id) where.unread += 1;
  refresh();
}

function drop(where, messageId) {
  if (!where?.messages.delete(messageId)) return;
  if (where === chat) {
    log.removeMessage(messageId);
    forget(messageId);
  }
  refresh();
}

function setTyping(where, isTyping) {
  if (!where) return;
  clearTimeout(where.typingTimer);
  where.typingTimer = isTyping ? setTimeout(() => setTyping(where, false), TYPING_MS) : null;
  refresh();
}

function answered({ text, show_alert: isAlert }) {
  for (const button of document.querySelectorAll(".waiting")) button.classList.remove("waiting");
  if (!text) return;
  if (!isAlert) return toast(text);
  byId("alert-text").textContent = text;
  byId("alert").showModal();
}

// ── What the person does ──────────────────────────────────────────────────────────────────

/** Whether the server accepted it; if not, a toast says why. */
async function attempt(doing) {
  try {
    await doing;
    return true;
  } catch (error) {
    toast(texts.failed(error.message));
    return false;
  }
}

function writing({ id, isBot }) {
  const who = user.id;
  return {
    key: `${who}/${id}`,
    isGroup: !isBot,
    botName: state.bot.username,
    lastOwn: log.lastOwnText,
    send: (text, repliedId) => attempt(server.sendText(who, id, text, repliedId)),
    edit: (messageId, text) => attempt(server.editText(who, id, messageId, text)),
    file: (kind, parts) => attempt(server.sendFile(who, id, kind, parts)),
    commands: async () => {
      if (!commands.has(id)) {
        const answer = await server.getCommands(who, id).catch(() => ({ commands: [] }));
        commands.set(id, answer.commands);
      }
      return commands.get(id);
    },
  };
}

const actions = {
  command: sendCommand,
  quote: log.pointOut,
  async tap(message, data, button) {
    button.classList.add("waiting");
    const isTaken = await attempt(server.tap(user.id, message.chat.id, message.message_id, data));
    if (!isTaken) button.classList.remove("waiting");
  },
  menu(message, button) {
    const isOwn = message.from?.id === user.id;
    const text = message.text ?? message.caption;
    const remove = () => attempt(server.deleteMessage(user.id, message.chat.id, message.message_id));
    const copy = () => navigator.clipboard.writeText(text).then(() => toast(texts.copied));
    toggleMenu(button, texts.more, [
      { label: texts.reply, icon: "reply", select: () => replyTo(message) },
      ...(isOwn && message.text ? [{ label: texts.edit, icon: "edit", select: () => edit(message) }] : []),
      ...(text ? [{ label: texts.copy, icon: "copy", select: copy }] : []),
      ...(isOwn ? [{ label: texts.remove, icon: "remove", select: remove }] : []),
    ]);
  },
  photo(source) {
    byId("photo").src = source;
    byId("viewer").showModal();
  },
};

let toastTimer = null;

function toast(text) {
  byId("toast").textContent = text;
  byId("toast").classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => byId("toast").classList.remove("shown"), TOAST_MS);
}

byId("start").addEventListener("click", () => sendCommand("/start"));
byId("viewer").addEventListener("click", () => byId("viewer").close());
addEventListener("hashchange", () => (state && address().userId === user?.id ? open() : live()));

speak("ru");
live();
