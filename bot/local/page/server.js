/** The /chat/ requests of the local server, and its stream of events. */

import { texts } from "./texts.js";

async function request(path, options) {
  let response;
  try {
    response = await fetch(`/chat/${path}`, options);
  } catch {
    throw new Error(texts.unreachable);
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `HTTP ${response.status}`);
  return body;
}

const get = (path, query = {}) => request(`${path}?${new URLSearchParams(query)}`);

const post = (path, body) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

export const getState = () => get("state");
export const getMessages = (user, chat) => get("messages", { user, chat });
export const getCommands = (user, chat) => get("commands", { user, chat });
export const fileAddress = (fileId) => `/chat/file/${encodeURIComponent(fileId)}`;

export const sendText = (user, chat, text, replyTo) =>
  post("send", { user, chat, text, ...(replyTo && { reply_to: replyTo }) });
export const editText = (user, chat, messageId, text) =>
  post("edit", { user, chat, message_id: messageId, text });
export const deleteMessage = (user, chat, messageId) =>
  post("delete", { user, chat, message_id: messageId });
export const tap = (user, chat, messageId, data) =>
  post("tap", { user, chat, message_id: messageId, data });

export function sendFile(user, chat, kind, { file, caption }) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ user, chat, kind, file, caption })) {
    if (value !== undefined && value !== "") form.append(name, value);
  }
  return request("send_file", { method: "POST", body: form });
}

/** Passes on the user's events until the stream breaks or the signal aborts it. */
export function listen(user, after, signal, onEvent) {
  return new Promise((resolve) => {
    const source = new EventSource(`/chat/events?${new URLSearchParams({ user, after })}`);
    const end = () => {
      source.close();
      resolve();
    };
    source.onmessage = (message) => onEvent(JSON.parse(message.data));
    source.onerror = end; // the browser would reconnect, but to a server that may have restarted
    signal.addEventListener("abort", end);
  });
}
