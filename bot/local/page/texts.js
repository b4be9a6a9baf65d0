/** The page's own texts, in the language of the chosen person: Russian or English. */

const russian = {
  about:
    "Бот работает на этом компьютере, без Telegram. Чтобы он отвечал и там, впишите TELEGRAM_TOKEN " +
    "в файл .env и запустите его снова.",
  people: "Кто пишет",
  chats: "Чаты",
  admin: "админ",
  bot: "бот",
  typing: "печатает…",
  messages: "Сообщения",
  write: "Сообщение",
  send: "Отправить",
  save: "Сохранить",
  attach: "Прикрепить",
  commands: "Команды",
  back: "К списку чатов",
  down: "К последним сообщениям",
  more: "Действия с сообщением",
  reply: "Ответить",
  edit: "Изменить",
  remove: "Удалить",
  copy: "Копировать текст",
  copied: "Скопировано",
  cancel: "Отменить",
  close: "Закрыть",
  replying: (name) => `Ответ: ${name}`,
  editing: "Изменение сообщения",
  edited: "изменено",
  start: "Начать",
  emptyBot: "Здесь пока пусто",
  emptyBotHint: "Нажмите «Начать», а потом пришлите отзыв о фильме.",
  emptyGroup: "В группе пока тихо",
  emptyGroupHint: "Напишите отзыв о фильме, а потом ответьте на него командой /rate.",
  photo: "Фото",
  document: "Файл",
  file: "Файл, например .txt",
  voice: "Голосовое сообщение",
  sticker: "Стикер",
  channelPost: "Пост из канала",
  forwarded: (name) => `Переслано из «${name}»`,
  noMessages: "Нет сообщений",
  you: "Вы",
  today: "Сегодня",
  yesterday: "Вчера",
  unread: (count) => `непрочитанных: ${count}`,
  lost: "Нет связи с сервером. Пробуем подключиться снова…",
  restarted: "Сервер запущен заново. Прежняя переписка в нём не сохранилась.",
  failed: (reason) => `Не получилось: ${reason}`,
  unreachable: "сервер не отвечает",
  download: (name) => `Скачать ${name}`,
  enlarge: "Открыть фото",
  kilobytes: (count) => `${count} КБ`,
};

const english = {
  about:
    "The bot runs on this computer, without Telegram. For it to answer there, put TELEGRAM_TOKEN " +
    "into the file .env and start it again.",
  people: "Who writes",
  chats: "Chats",
  admin: "admin",
  bot: "bot",
  typing: "typing…",
  messages: "Messages",
  write: "Message",
  send: "Send",
  save: "Save",
  attach: "Attach",
  commands: "Commands",
  back: "To the chats",
  down: "To the latest messages",
  more: "Message actions",
  reply: "Reply",
  edit: "Edit",
  remove: "Delete",
  copy: "Copy text",
  copied: "Copied",
  cancel: "Cancel",
  close: "Close",
  replying: (name) => `Reply to ${name}`,
  editing: "Editing the message",
  edited: "edited",
  start: "Start",
  emptyBot: "Nothing here yet",
  emptyBotHint: "Press “Start”, then send a film review in Russian.",
  emptyGroup: "The group is quiet",
  emptyGroupHint: "Write a review, then reply to it with /rate.",
  photo: "Photo",
  document: "File",
  file: "File, such as .txt",
  voice: "Voice message",
  sticker: "Sticker",
  channelPost: "Channel post",
  forwarded: (name) => `Forwarded from ${name}`,
  noMessages: "No messages",
  you: "You",
  today: "Today",
  yesterday: "Yesterday",
  unread: (count) => `unread: ${count}`,
  lost: "No connection to the server. Trying again…",
  restarted: "The server was restarted. It has not kept the earlier messages.",
  failed: (reason) => `That did not work: ${reason}`,
  unreachable: "the server does not answer",
  download: (name) => `Download ${name}`,
  enlarge: "Open the photo",
  kilobytes: (count) => `${count} KB`,
};

export let texts = russian;

/** Sets the language, also of the texts that index.html names: data-text and data-label. */
export function speak(languageCode) {
  const isEnglish = (languageCode ?? "").startsWith("en");
  texts = isEnglish ? english : russian;
  document.documentElement.lang = isEnglish ? "en" : "ru";
  for (const node of document.querySelectorAll("[data-text]")) {
    node.textContent = texts[node.dataset.text];
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", texts[node.dataset.label]);
    if (node.tagName === "BUTTON") node.title = texts[node.dataset.label];
    if (node.tagName === "TEXTAREA") node.placeholder = texts[node.dataset.label];
  }
}

export function time(date) {
  return new Date(date * 1000).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
}

export function day(date) {
  const shown = new Date(date * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(shown).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return texts.today;
  if (days === 1) return texts.yesterday;
  return shown.toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long" });
}
