/** The list of people to write as, and of the chosen person's chats. */

import { avatar, element } from "./element.js";
import { summary } from "./message.js";
import { texts, time } from "./texts.js";

const people = document.getElementById("people");
const chats = document.getElementById("chats");

export function showPeople(users, chosen) {
  people.replaceChildren(
    ...users.map((user) =>
      element(
        "a",
        {
          class: "person",
          href: `#${user.id}`,
          "aria-current": user.id === chosen && "true",
        },
        avatar(user.first_name, user.id),
        element("span", {}, user.first_name),
        user.admin && element("span", { class: "badge" }, texts.admin),
      ),
    ),
  );
}

/** Each entry: {id, title, isBot, last?, unread, isTyping}. */
export function showChats(user, entries, chosen) {
  chats.replaceChildren(
    ...entries.map(({ id, title, isBot, last, unread, isTyping }) =>
      element(
        "a",
        {
          class: "chat",
          href: `#${user}/${id}`,
          "aria-current": id === chosen && "page",
        },
        avatar(isBot ? null : title, id),
        element("span", { class: "chat-title" }, title),
        last && element("time", { class: "chat-time" }, time(last.date)),
        element("span", { class: isTyping ? "chat-last is-typing" : "chat-last" }, lastLine(user, last, isBot, isTyping)),
        unread > 0 && element("span", { class: "unread", "aria-label": texts.unread(unread) }, `${unread}`),
      ),
    ),
  );
}

function lastLine(user, last, isBot, isTyping) {
  if (isTyping) return texts.typing;
  if (!last) return texts.noMessages;
  if (last.from?.id === user) return `${texts.you}: ${summary(last)}`;
  return isBot ? summary(last) : `${last.from?.first_name}: ${summary(last)}`;
}
